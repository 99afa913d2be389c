"""The trigger, which the emitter publishes and the receiver decides on."""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self

from shared.fields import (
    Parameter,
    format_time,
    read_flag,
    read_model_id,
    read_object,
    read_one_of,
    read_parameters,
    read_text,
    read_time,
)
from shared.frozen import dataclass
from shared.trace import read_traceparent, read_tracestate, trace_id_of

ORIGINS: Final = ("manual", "schedule", "drift", "data", "event")
SEVERITIES: Final = ("low", "medium", "high")
FIELDS: Final = (
    "model_id",
    "trigger_id",
    "origin",
    "reason",
    "severity",
    "parameters",
    "requested_at",
    "requested_by",
    "evidence",
    "force",
    "traceparent",
    "tracestate",
)
SCHEMA: Final = 1

MAX_TRIGGER_ID: Final = 128
MAX_TEXT: Final = 512
RUN_PREFIX: Final = "retrain-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainTrigger:
    """One request to train one model again.

    Attributes:
        model_id: the model, 1-256 characters without control characters.
        trigger_id: 1-128 characters; equal ids of one model are the same request.
        origin: one of `ORIGINS`.
        requested_at: when it was requested, aware, UTC.
        reason: free text for people, at most 512 characters.
        severity: one of `SEVERITIES`, or None.
        parameters: pipeline parameters, name -> str, int, float or bool.
        requested_by: the person or system that sent the request.
        evidence: any JSON object that supports the reason, such as links and measurements.
        force: whether the rules for cooldown, severity and consecutive triggers are skipped.
        traceparent: the W3C trace context of the request, version 00; None if it brought no valid one.
        tracestate: what the systems on the way added to it.

    """

    model_id: str
    trigger_id: str
    origin: str
    requested_at: datetime
    reason: str = ""
    severity: str | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    requested_by: str | None = None
    evidence: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    force: bool = False
    traceparent: str | None = None
    tracestate: str | None = None

    @classmethod
    def parse(cls, fields: Mapping[str, object], *, trigger_id: str, origin: str, requested_at: datetime) -> Self:
        """Parse a trigger from JSON *fields*; unknown ones are ignored, null means missing.

        An invalid trace context is ignored, because no training may depend on it.

        Args:
            fields: the fields by their names in the event.
            trigger_id: the id if *fields* have none.
            origin: the origin if *fields* have none.
            requested_at: the time if *fields* have none; aware.

        Raises:
            InvalidTriggerError: a field is missing or invalid; the error names it.

        """
        given = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
        traceparent = read_traceparent(given["traceparent"]) if "traceparent" in given else None
        return cls(
            model_id=read_model_id(given.get("model_id")),
            trigger_id=read_text("trigger_id", given.get("trigger_id", trigger_id), MAX_TRIGGER_ID, least=1),
            origin=read_one_of("origin", given.get("origin", origin), ORIGINS),
            requested_at=read_time(given.get("requested_at", requested_at)),
            reason=read_text("reason", given.get("reason", ""), MAX_TEXT),
            severity=read_one_of("severity", given["severity"], SEVERITIES) if "severity" in given else None,
            parameters=read_parameters(given.get("parameters", {})),
            requested_by=read_text("requested_by", given["requested_by"], MAX_TEXT)
            if "requested_by" in given
            else None,
            evidence=read_object("evidence", given.get("evidence", {})),
            force=read_flag("force", given.get("force", False)),
            traceparent=traceparent,
            tracestate=read_tracestate(given.get("tracestate")) if traceparent else None,
        )

    def to_fields(self) -> dict[str, object]:
        """Return the fields of the event, without empty ones, with the schema number."""
        every: dict[str, object] = {name: getattr(self, name) for name in FIELDS}
        every |= {
            "parameters": dict(self.parameters),
            "evidence": dict(self.evidence),
            "requested_at": format_time(self.requested_at),
        }
        return {name: value for name, value in every.items() if value} | {"schema": SCHEMA}

    @property
    def provenance(self) -> dict[str, str]:
        """Why its training runs, for people who look at it in the training service: strings, which may be empty."""
        return {
            "trigger_id": self.trigger_id,
            "model_id": self.model_id,
            "origin": self.origin,
            "reason": self.reason,
            "severity": self.severity or "",
            "requested_by": self.requested_by or "",
            "requested_at": format_time(self.requested_at),
            "traceparent": self.traceparent or "",
        }

    @property
    def trace_id(self) -> str:
        """The trace that the trigger belongs to: 32 hex characters; empty if it brought none."""
        return trace_id_of(self.traceparent)

    @property
    def trace_field(self) -> dict[str, object]:
        """The trace id as a field of a log line; empty if there is none."""
        return {"trace_id": self.trace_id} if self.traceparent else {}

    @property
    def token(self) -> str:
        """The idempotency token of the training: 64 hex characters, derived from model and trigger id."""
        return token_of(self.model_id, self.trigger_id)


def token_of(model_id: str, trigger_id: str) -> str:
    """Return the idempotency token of the training of a trigger: 64 hex characters."""
    return hashlib.sha256(f"{model_id}\0{trigger_id}".encode()).hexdigest()


def run_name(token: str) -> str:
    """Return the name of the run for *token* in the training service: `retrain-` and 40 hex characters."""
    return f"{RUN_PREFIX}{token[:40]}"


def derived_id(*parts: str) -> str:
    """Return a trigger id of *parts* that are the same on every delivery; a hash of them if it would be too long."""
    joined = ":".join(parts)
    return joined if len(joined) <= MAX_TRIGGER_ID else hashlib.sha256(joined.encode()).hexdigest()
