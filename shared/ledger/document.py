"""The JSON document in which a ledger stores the state of a model."""

import dataclasses
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.config.targets import parse_target, write_target
from shared.decision.reasons import GOOD, SUCCESSES
from shared.decision.record import NOTHING, Cut, Kept, TriggerRecord
from shared.decision.seen import MAX_LAUNCHES, MAX_OTHERS, SIZE, SeenIds, packed
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
    "requested_at",
)
EPOCH: Final = datetime.fromtimestamp(0, UTC)


def write_state(state: ModelState, save_id: str = "") -> str:
    """Return the JSON document of *state*.

    Args:
        state: the state.
        save_id: the id of the save, which makes the document different from that of every other save, even of an equal
            state; it is not part of the state.

    """
    content = plain(dataclasses.replace(state, seen=SeenIds())) | _write_seen(state.seen)
    content["starts"] = to_json(state.starts)
    if save_id:
        content["save_id"] = save_id
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
        first_seen=_optional(content.get("first_seen"), parse_time),
        stale_notice=_optional(content.get("stale_notice"), parse_time),
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
    """Return *value* as a JSON object, without the fields that have their default or are not stored."""
    fields = {field: getattr(value, field.name) for field in dataclasses.fields(value) if field.compare}
    return {field.name: to_json(item) for field, item in fields.items() if _is_written(field, item)}


def _is_written(field: "dataclasses.Field[object]", item: object) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(item)
    return field.default is dataclasses.MISSING or item != field.default


def to_json(value: object) -> object:
    """Return a value of the state as JSON."""
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    write = _WRITERS.get(type(value))
    return write(value) if write else value


def _write_training(training: Training) -> dict[str, object]:
    if training.terms is None:
        return plain(training)
    return plain(dataclasses.replace(training, terms=None)) | {"terms": _write_terms(training.terms, training.trigger)}


def _write_record(record: TriggerRecord) -> dict[str, object]:
    whole = {"parameters": record.parameters, "evidence": record.evidence}
    bare = dataclasses.replace(record, parameters=NOTHING, requested=(), evidence=NOTHING)
    content = plain(bare) | {name: dict(kept) for name, kept in whole.items() if kept and not isinstance(kept, Cut)}
    content |= {f"{name}_cut": plain(kept) for name, kept in whole.items() if isinstance(kept, Cut)}
    return content if record.requested == () else content | {"requested": record.requested}


_WRITERS: Final[Mapping[type, Callable[[Any], object]]] = {
    RetrainTrigger: RetrainTrigger.to_fields,
    datetime: format_time,
    TriggerRecord: _write_record,
    Training: _write_training,
    Parked: plain,
    Paused: plain,
    Decided: plain,
    PastRun: plain,
    Pending: plain,
}


def _record(content: dict[str, Any]) -> TriggerRecord:
    requested = content.get("requested", ())
    return TriggerRecord(
        **{
            **_known(TriggerRecord, content),
            "parameters": _kept(content, "parameters"),
            "requested": None if requested is None else tuple(requested),
            "evidence": _kept(content, "evidence"),
        }
    )


def _kept(content: Mapping[str, Any], name: str) -> Kept:
    beginning = content.get(f"{name}_cut")
    if beginning is None:
        return MappingProxyType(dict(content.get(name) or {}))
    return Cut(**_known(Cut, beginning))


def _write_seen(seen: SeenIds) -> dict[str, object]:
    packed_ids = {"launched": seen.launched, "decided": seen.others}
    return {name: b2a_base64(ids, newline=False).decode() for name, ids in packed_ids.items() if ids}


def _read_seen(content: Mapping[str, Any]) -> SeenIds:
    """Parse the ids; earlier versions stored all or some of them in `seen`, each with a flag for launches."""
    listed = content.get("seen", ())
    launched, others = (
        b"".join(packed(digest) for digest, _, is_launch in listed if bool(is_launch) is kind) for kind in (True, False)
    )
    return SeenIds(
        launched=(launched + a2b_base64(content.get("launched", "")))[: MAX_LAUNCHES * SIZE],
        others=(others + a2b_base64(content.get("decided", "")))[: MAX_OTHERS * SIZE],
    )


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
    return Decided(**{**_known(Decided, content), "evidence": tuple(content.get("evidence", ()))})


def _past_run(content: dict[str, Any]) -> PastRun:
    return PastRun(**{**_known(PastRun, content), "trigger": _optional(content.get("trigger"), _record)})


def _pending(content: dict[str, Any]) -> Pending:
    return Pending(**{**_known(Pending, content), "actions": tuple(content["actions"])})


def _known(kind: "type[DataclassInstance]", content: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in _stored_names(kind) if name in content]
    return {name: parse_time(content[name]) if name in _TIMES else content[name] for name in names}


@cache
def _stored_names(kind: "type[DataclassInstance]") -> tuple[str, ...]:
    # A page of the list reads ten thousand values; collecting the names for each took a fifth of its time.
    return tuple(field.name for field in dataclasses.fields(kind) if field.compare)
