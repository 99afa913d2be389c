"""Which triggers are let in: those of a model that trains here, with parameters that its configuration allows."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.config.model import Configuration
from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.parameters import ParameterCheck, accept_any, typed
from shared.trigger import FIELDS, MAX_TEXT, RetrainTrigger
from shared.wire.incoming import Incoming, Signal, TriggerEvent
from shared.wire.signals import names

_NO_EXTRAS: Final = frozenset({*FIELDS, "schema"})


def admit(
    config: Configuration, cloud: str, trigger: RetrainTrigger, check: ParameterCheck = accept_any
) -> RetrainTrigger:
    """Return *trigger* with its parameters in the types of the configured defaults.

    Args:
        config: the configuration.
        cloud: whose target tables count.
        trigger: what came in.
        check: the further check of its parameters.

    Raises:
        UnknownModelError: the model is not configured, or does not train on *cloud*.
        InvalidTriggerError: it sets a parameter that the configuration does not allow, or not to this value.

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
    """Return what is asked for: one training, or, by a signal, one for each model that names it, or nothing.

    Raises:
        PermanentError: it is ours, but wrong; see `trigger_of`.

    """
    if isinstance(incoming, TriggerEvent):
        return [trigger_of(config, cloud, incoming, now, check)]
    return _triggers_of_signal(config, cloud, incoming, now) if isinstance(incoming, Signal) else []


def trigger_of(
    config: Configuration, cloud: str, asked: TriggerEvent, now: datetime, check: ParameterCheck = accept_any
) -> RetrainTrigger:
    """Make a trigger of an event that is ours, and check it as `admit` does.

    An event that names no model goes to the default one. An extra field whose name is an allowed parameter counts as
    that parameter; any other is left alone.

    Raises:
        UnknownModelError: the model is not configured, or does not train on *cloud*.
        InvalidTriggerError: a field is missing or wrong.

    """
    fields = dict(asked.fields)
    if fields.get("model_id") is None:
        fields["model_id"] = config.default_model
    trigger = RetrainTrigger.parse(
        fields | {"parameters": _with_extras(config, fields)},
        trigger_id=asked.trigger_id or content_id(asked.fields),
        origin="event",
        requested_at=asked.sent_at or now,
    )
    return admit(config, cloud, trigger, check)


def _triggers_of_signal(config: Configuration, cloud: str, signal: Signal, now: datetime) -> list[RetrainTrigger]:
    """Make a trigger for each model here whose `signals` name *signal*; all have one id, which counts per model."""
    fields = {
        "reason": signal.reason,
        "severity": signal.severity,
        "requested_by": f"{signal.kind}:{signal.subject}"[:MAX_TEXT],
        "evidence": signal.evidence,
    }
    told = [fields["requested_by"], signal.reason, dict(signal.evidence), str(signal.sent_at)]
    return [
        RetrainTrigger.parse(
            fields | {"model_id": model.name},
            trigger_id=signal.trigger_id or content_id(told),
            origin=signal.origin,
            requested_at=signal.sent_at or now,
        )
        for model in config.models
        if cloud in model.targets and any(names(entry, signal) for entry in model.signals)
    ]


def content_id(content: object) -> str:
    """Derive an id from the *content* of an event whose transport repeats nothing else: 64 hex characters.

    Raises:
        UnreadableEventError: it is nested too deeply to be written again.

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
