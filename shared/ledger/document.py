"""The JSON document in which a ledger stores the state of a model."""

import dataclasses
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.config.targets import parse_target, write_target
from shared.decision.reasons import GOOD, SUCCESSES
from shared.decision.seen import RecentLaunch, SeenIds, packed, settled
from shared.decision.state import Decided, ModelState, Parked, PastRun, Paused, Pending, Training
from shared.decision.terms import Terms
from shared.errors import PermanentError
from shared.fields import brief, format_time, parse_time
from shared.trigger import SCHEMA, RetrainTrigger

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
R = TypeVar("R")

_TIMES: Final = (
    "at",
    "since",
    "until",
    "claimed_at",
    "first_claimed_at",
    "started_at",
    "checked_at",
    "ended_at",
    "approved_at",
    "retry_at",
    "cancelled_at",
    "stopped_at",
)
EPOCH: Final = datetime.fromtimestamp(0, UTC)


def write_state(state: ModelState) -> str:
    """Return the JSON document of *state*."""
    content = plain(dataclasses.replace(state, seen=SeenIds())) | _write_seen(state.seen)
    content["starts"] = _plain(state.starts)
    text = json.dumps({"schema": SCHEMA, **content}, separators=(",", ":"), ensure_ascii=False)
    # Ledgers limit the bytes in UTF-8, and an escaped character takes up to three times as many. A lone surrogate (of a
    # rejected event) cannot be encoded and stays escaped, with the same backslash syntax as JSON.
    return text.encode("utf-8", "backslashreplace").decode()


def read_state(document: str | None) -> ModelState:
    """Parse the JSON *document* of a ledger; None (never written) is the initial state.

    Missing keys get their defaults and unknown keys are ignored, because an older or newer version may have written it.

    Raises:
        ValueError: *document* is not valid.

    """
    if document is None:
        return ModelState()
    try:
        return _read(json.loads(document))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, PermanentError) as error:
        raise ValueError(f"{type(error).__name__}: {brief(str(error), 200)}") from error


def _read(content: Mapping[str, Any]) -> ModelState:
    if content.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"it has schema {content['schema']!r}, but this version reads schema {SCHEMA}")
    runs = tuple(_past_run(item) for item in content.get("runs", ()))
    return ModelState(
        training=_optional(content.get("training"), _training),
        last_start=_optional(content.get("last_start"), parse_time),
        **_read_times(content, runs),
        paused=_optional(content.get("paused"), lambda paused: Paused(**_known(Paused, paused))),
        queued=_optional(content.get("queued"), _parked),
        retry=_optional(content.get("retry"), _parked),
        waiting=_optional(content.get("waiting"), _parked),
        streak=tuple(parse_time(moment) for moment in content.get("streak", ())),
        seen=_read_seen(content),
        decisions=tuple(_decided(item) for item in content.get("decisions", ())),
        runs=runs,
        rejected=tuple(_decided(item) for item in content.get("rejected", ())),
        pending=tuple(_pending(item) for item in content.get("pending", ())),
    )


def _read_times(content: Mapping[str, Any], runs: tuple[PastRun, ...]) -> dict[str, Any]:
    """Return the times of starts and successes; the version before did not store them, so they are those of *runs*."""
    if "starts" in content:
        names = ("last_good_start", "last_success")
        times = {name: _optional(content.get(name), parse_time) for name in names}
        return {**times, "starts": tuple(map(parse_time, content["starts"]))}
    return {
        "last_good_start": next((run.started_at for run in runs if run.result in GOOD), None),
        "last_success": next((run.ended_at for run in runs if run.result in SUCCESSES), None),
        "starts": tuple(run.started_at for run in runs),
    }


def plain(value: "DataclassInstance") -> dict[str, object]:
    """Return *value* as a JSON object, without the fields that have their default."""
    fields = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {
        field.name: _plain(item)
        for field, item in fields.items()
        if field.default is dataclasses.MISSING or item != field.default
    }


def _plain(value: object) -> object:
    if isinstance(value, RetrainTrigger):
        return value.to_fields()
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Training) and value.terms is not None:
        return plain(dataclasses.replace(value, terms=None)) | {"terms": _write_terms(value.terms, value.trigger)}
    if isinstance(value, Training | Parked | Paused | Decided | PastRun | Pending):
        return plain(value)
    return value


def _write_seen(seen: SeenIds) -> dict[str, object]:
    """Return the ids as JSON: the newest launches in the format of the previous version, the others packed."""
    content: dict[str, object] = {"seen": [[one.digest, int(one.at.timestamp()), 1] for one in seen.recent]}
    packed_ids = {"launched": seen.launched, "decided": seen.others}
    return content | {name: b2a_base64(ids, newline=False).decode() for name, ids in packed_ids.items() if ids}


def _read_seen(content: Mapping[str, Any]) -> SeenIds:
    """Parse the ids; the previous version stored all of them in `seen`, each with a flag for launches."""
    listed = content.get("seen", ())
    recent = tuple(
        RecentLaunch(digest=digest, at=datetime.fromtimestamp(at, UTC)) for digest, at, launched in listed if launched
    )
    others = b"".join(packed(digest) for digest, _, launched in listed if not launched)
    return settled(recent, a2b_base64(content.get("launched", "")), others + a2b_base64(content.get("decided", "")))


def _write_terms(terms: Terms, trigger: RetrainTrigger) -> dict[str, object]:
    """Return *terms* as JSON; parameters that *trigger* sets are listed by name only."""
    own = {name: value for name, value in terms.parameters.items() if name not in trigger.parameters}
    return {
        "target": write_target(terms.target),
        "parameters": own,
        "set": [name for name in terms.parameters if name in trigger.parameters],
        "max_run": terms.max_run.total_seconds(),
        "cooldown": terms.cooldown.total_seconds(),
    }


def _read_terms(content: Mapping[str, Any], trigger: RetrainTrigger) -> Terms:
    return Terms(
        target=parse_target(content["target"]),
        parameters={**content["parameters"], **{name: trigger.parameters[name] for name in content["set"]}},
        max_run=timedelta(seconds=content["max_run"]),
        cooldown=timedelta(seconds=content["cooldown"]),
    )


def _optional(value: T | None, read: Callable[[T], R]) -> R | None:
    return None if value is None else read(value)


def _trigger(fields: Mapping[str, Any]) -> RetrainTrigger:
    # Evidence was checked when its trigger was admitted. Earlier versions admitted evidence that is nested deeper.
    checked = {name: value for name, value in fields.items() if name != "evidence"}
    trigger = RetrainTrigger.parse(checked, trigger_id="", origin="", requested_at=EPOCH)
    return dataclasses.replace(trigger, evidence=MappingProxyType(dict(fields.get("evidence") or {})))


def _training(content: dict[str, Any]) -> Training:
    trigger = _trigger(content["trigger"])
    terms = _optional(content.get("terms"), lambda terms: _read_terms(terms, trigger))
    own = {"trigger": trigger, "terms": terms, "failure": _optional(content.get("failure"), _pending)}
    return Training(**_known(Training, content) | own)


def _parked(content: dict[str, Any]) -> Parked:
    own = {"trigger": _trigger(content["trigger"]), "failure": _optional(content.get("failure"), _pending)}
    return Parked(**_known(Parked, content) | own)


def _decided(content: dict[str, Any]) -> Decided:
    return Decided(**_known(Decided, content))


def _past_run(content: dict[str, Any]) -> PastRun:
    return PastRun(**_known(PastRun, content))


def _pending(content: dict[str, Any]) -> Pending:
    return Pending(**{**_known(Pending, content), "actions": tuple(content["actions"])})


def _known(kind: "type[DataclassInstance]", content: dict[str, Any]) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(kind) if field.name in content]
    return {name: parse_time(content[name]) if name in _TIMES else content[name] for name in names}
