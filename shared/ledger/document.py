"""The JSON form of a model's state, as a ledger keeps it."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.decision.state import Decided, ModelState, Parked, PastRun, Pending, Seen, Training
from shared.fields import format_time, parse_time
from shared.trigger import SCHEMA, RetrainTrigger

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
R = TypeVar("R")

_TIMES: Final = ("at", "since", "claimed_at", "first_claimed_at", "started_at", "checked_at", "ended_at", "approved_at")
EPOCH: Final = datetime.fromtimestamp(0, UTC)


def write_state(state: ModelState) -> str:
    """Write *state* as the JSON document that a ledger keeps."""
    packed = [[seen.digest, int(seen.at.timestamp()), int(seen.launched)] for seen in state.seen]
    content = plain(dataclasses.replace(state, seen=()))
    text = json.dumps({"schema": SCHEMA, **content, "seen": packed}, separators=(",", ":"), ensure_ascii=False)
    # Ledgers count bytes of UTF-8, of which an escaped character takes three times as many. What UTF-8 cannot write (a
    # lone surrogate of a rejected event) stays escaped: a backslash means the same to JSON.
    return text.encode("utf-8", "backslashreplace").decode()


def read_state(document: str | None) -> ModelState:
    """Read the JSON *document* of a ledger; none is a model that nothing happened to.

    Keys that are missing are empty, and keys that nobody knows are left out: an older or a newer version of this
    project may have written it.
    """
    if document is None:
        return ModelState()
    content = json.loads(document)
    return ModelState(
        training=_optional(content.get("training"), _training),
        last_start=_optional(content.get("last_start"), parse_time),
        queued=_optional(content.get("queued"), _parked),
        waiting=_optional(content.get("waiting"), _parked),
        streak=tuple(parse_time(moment) for moment in content.get("streak", ())),
        seen=tuple(
            Seen(digest=digest, at=datetime.fromtimestamp(at, UTC), launched=bool(launched))
            for digest, at, launched in content.get("seen", ())
        ),
        decisions=tuple(_decided(item) for item in content.get("decisions", ())),
        runs=tuple(_past_run(item) for item in content.get("runs", ())),
        rejected=tuple(_decided(item) for item in content.get("rejected", ())),
        pending=tuple(_pending(item) for item in content.get("pending", ())),
    )


def plain(value: "DataclassInstance") -> dict[str, object]:
    """Return a value of this module as JSON writes it; fields that are empty and may be left out are left out."""
    fields = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {field.name: _plain(item) for field, item in fields.items() if item or field.default is dataclasses.MISSING}


def _plain(value: object) -> object:
    if isinstance(value, RetrainTrigger):
        return value.to_fields()
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Training | Parked | Decided | PastRun | Pending):
        return plain(value)
    return value


def _optional(value: T | None, read: Callable[[T], R]) -> R | None:
    return None if value is None else read(value)


def _trigger(fields: Mapping[str, object]) -> RetrainTrigger:
    return RetrainTrigger.parse(fields, trigger_id="", origin="", requested_at=EPOCH)


def _training(content: dict[str, Any]) -> Training:
    return Training(**{**_known(Training, content), "trigger": _trigger(content["trigger"])})


def _parked(content: dict[str, Any]) -> Parked:
    return Parked(**{**_known(Parked, content), "trigger": _trigger(content["trigger"])})


def _decided(content: dict[str, Any]) -> Decided:
    return Decided(**_known(Decided, content))


def _past_run(content: dict[str, Any]) -> PastRun:
    return PastRun(**_known(PastRun, content))


def _pending(content: dict[str, Any]) -> Pending:
    return Pending(**{**_known(Pending, content), "actions": tuple(content["actions"])})


def _known(kind: "type[DataclassInstance]", content: dict[str, Any]) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(kind) if field.name in content]
    return {name: parse_time(content[name]) if name in _TIMES else content[name] for name in names}
