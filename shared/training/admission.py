"""Admission of triggers: the model must train on this cloud, and its configuration must allow the parameters.

A native signal becomes a trigger of each model whose `signals` match it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from shared.config.lookup import is_pattern, literal_start
from shared.config.model import Configuration
from shared.config.parameters import ParameterCheck, accept_any, typed
from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.trace import read_traceparent
from shared.trigger import FIELDS, MAX_TEXT, RetrainTrigger
from shared.wire.incoming import Incoming, Signal, TriggerEvent

_NO_EXTRAS: Final = frozenset({*FIELDS, "schema"})


def admit(
    config: Configuration, cloud: str, trigger: RetrainTrigger, check: ParameterCheck = accept_any
) -> RetrainTrigger:
    """Return *trigger* with its parameters in the types of the configured defaults.

    Args:
        config: the configuration.
        cloud: `aws`, `gcp`, `azure` or `local`.
        trigger: the trigger.
        check: an additional check of its parameters.

    Raises:
        UnknownModelError: the model is not configured, or does not train on *cloud*.
        InvalidTriggerError: the trigger sets a parameter, or a value of it, that the configuration does not allow.

    """
    model = config.find(trigger.model_id)
    target = model.target(cloud)
    if not trigger.parameters:
        return trigger
    for name in trigger.parameters:
        if name not in model.parameters:
            allowed = ", ".join(model.parameters) or "none"
            raise InvalidTriggerError(f"parameters.{name}", f"is not a parameter of {model.name}; it allows {allowed}")
    parameters = {name: typed(name, model.parameters[name], value) for name, value in trigger.parameters.items()}
    check(target, parameters)
    return dataclasses.replace(trigger, parameters=MappingProxyType(parameters))


def triggers_of(
    config: Configuration, cloud: str, incoming: Incoming, now: datetime, check: ParameterCheck = accept_any
) -> list[RetrainTrigger]:
    """Return the triggers in *incoming*: one of a trigger event, one of a signal for each model that lists it, or none.

    Raises:
        PermanentError: a trigger event is invalid; see `trigger_of`.

    """
    if isinstance(incoming, TriggerEvent):
        return [trigger_of(config, cloud, incoming, now, check)]
    return _triggers_of_signal(config, cloud, incoming, now) if isinstance(incoming, Signal) else []


def trigger_of(
    config: Configuration, cloud: str, event: TriggerEvent, now: datetime, check: ParameterCheck = accept_any
) -> RetrainTrigger:
    """Return the trigger that *event* carries, as `parse_trigger` reads it, checked as in `admit`.

    Raises:
        UnknownModelError: the model is not configured, or does not train on *cloud*.
        InvalidTriggerError: a field is missing or invalid.

    """
    return admit(config, cloud, parse_trigger(config, event, now), check)


def parse_trigger(config: Configuration, event: TriggerEvent, now: datetime, *, extras: bool = True) -> RetrainTrigger:
    """Return the trigger that *event* carries, not yet admitted.

    An event that does not name a model is for the default one. An additional field with the name of an allowed
    parameter sets that parameter; any other is ignored.

    Args:
        config: the configuration.
        event: the event.
        now: the time, for an event that has none.
        extras: whether additional fields count.

    Raises:
        UnknownModelError: the model is not configured, and *extras* count.
        InvalidTriggerError: a field is missing or invalid.

    """
    fields = dict(event.fields)
    if fields.get("model_id") is None:
        fields["model_id"] = config.default_model
    if event.trace and read_traceparent(fields.get("traceparent")) is None:
        fields |= event.trace
    given = {"parameters": _with_extras(config, fields)} if extras else {}
    return RetrainTrigger.parse(
        fields | given,
        trigger_id=event.trigger_id or content_id(event.fields),
        origin="event",
        requested_at=event.sent_at or now,
    )


def _triggers_of_signal(config: Configuration, cloud: str, signal: Signal, now: datetime) -> list[RetrainTrigger]:
    """Return a trigger for each model whose `signals` list *signal*; all have the same id, as ids count per model."""
    fields = {
        "reason": signal.reason,
        "severity": signal.severity,
        "requested_by": f"{signal.kind}:{signal.subject}"[:MAX_TEXT],
        "evidence": signal.evidence,
    }
    content = [fields["requested_by"], signal.reason, dict(signal.evidence), str(signal.sent_at)]
    return [
        RetrainTrigger.parse(
            fields | {"model_id": name},
            trigger_id=signal.trigger_id or content_id(content),
            origin=signal.origin,
            requested_at=signal.sent_at or now,
        )
        for name, entries in config.signals(cloud)
        if any(is_match(entry, signal) for entry in entries)
    ]


def is_match(entry: str, signal: Signal) -> bool:
    """Return whether *entry* of a model's `signals` matches *signal*; patterns are those of fnmatch, `*` matches `/`.

    An empty object only matches if the last part of the pattern is its exact name: it is a marker, such as `_SUCCESS`.
    """
    kind, _, pattern = entry.partition(":")
    if kind != signal.kind:
        return False
    if not _may_match(pattern, signal):
        return False
    if signal.empty and not _is_last_part(pattern.rpartition("/")[2], signal.subject):
        return False
    return (
        fnmatchcase(signal.subject, pattern)
        or any(fnmatchcase(name, f"{pattern}*") for name in signal.begins)
        or any(fnmatchcase(mention, f"*{pattern}*") for mention in signal.mentions)
    )


def _may_match(pattern: str, signal: Signal) -> bool:
    """Return whether the beginning of *pattern* occurs in *signal*: nearly all patterns need no further comparison."""
    start = literal_start(pattern)
    return signal.subject.startswith(start) or any(start in text for text in (*signal.begins, *signal.mentions))


def _is_last_part(part: str, subject: str) -> bool:
    return bool(part) and not is_pattern(part) and subject.rpartition("/")[2] == part


def content_id(content: object) -> str:
    """Return an id, 64 hex characters, derived from the *content* of an event whose transport has no id of its own.

    Raises:
        UnreadableEventError: *content* is nested too deeply to be written as JSON.

    """
    try:
        text = json.dumps(content, sort_keys=True)
    except RecursionError as error:
        raise UnreadableEventError("the event is nested too deeply") from error
    return hashlib.sha256(text.encode()).hexdigest()


def _with_extras(config: Configuration, fields: Mapping[str, object]) -> object:
    given, model_id = fields.get("parameters"), fields.get("model_id")
    if not isinstance(model_id, str) or not isinstance(given, Mapping | None):
        return given
    allowed = config.find(model_id).parameters
    extras = {name: fields.get(name) for name in allowed if name not in _NO_EXTRAS}
    return {name: value for name, value in extras.items() if value is not None} | dict(given or {})
