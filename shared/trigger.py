"""The trigger: the only value that travels between the parts."""

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
        requested_at: when it was asked for, aware, UTC.
        reason: free text for people, at most 512 characters.
        severity: one of `SEVERITIES`, or none.
        parameters: pipeline parameters, name -> str, int, float or bool.
        requested_by: the person or system that asked.
        evidence: where the reason can be checked, any JSON object.
        force: passes cooldown, severity and consecutive rules.

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

    @classmethod
    def parse(cls, fields: Mapping[str, object], *, trigger_id: str, origin: str, requested_at: datetime) -> Self:
        """Read a trigger from JSON *fields*; unknown ones are left alone, null means absent.

        Args:
            fields: the fields by their names on the wire.
            trigger_id: the id to take when *fields* bring none.
            origin: the origin to take when *fields* name none.
            requested_at: the time to take when *fields* have none; aware.

        Raises:
            InvalidTriggerError: a field is missing or wrong; it is named.

        """
        given = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
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
        )

    def to_fields(self) -> dict[str, object]:
        """Return the fields for the wire, empty ones left out, with the schema number."""
        every: dict[str, object] = {name: getattr(self, name) for name in FIELDS}
        every |= {
            "parameters": dict(self.parameters),
            "evidence": dict(self.evidence),
            "requested_at": format_time(self.requested_at),
        }
        return {name: value for name, value in every.items() if value} | {"schema": SCHEMA}

    @property
    def token(self) -> str:
        """The idempotency token of this trigger's training, 64 hex characters, equal for equal triggers."""
        return hashlib.sha256(f"{self.model_id}\0{self.trigger_id}".encode()).hexdigest()


def run_name(token: str) -> str:
    """Return the name under which a service can find the training of *token*: `retrain-` and 40 hex characters."""
    return f"{RUN_PREFIX}{token[:40]}"


def derived_id(*parts: str) -> str:
    """Join what a transport repeats on a redelivery to a trigger id; a hash replaces one that is too long."""
    joined = ":".join(parts)
    return joined if len(joined) <= MAX_TRIGGER_ID else hashlib.sha256(joined.encode()).hexdigest()
