"""What can arrive, as every codec tells it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType

from shared.frozen import dataclass
from shared.ports import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvent:
    """Ours: somebody asks for a retraining.

    Attributes:
        fields: the trigger's fields as they came, unchecked.
        trigger_id: derived from what the transport repeats on a redelivery; empty where it brings nothing.
        sent_at: when the event was sent, where it tells.

    """

    fields: Mapping[str, object]
    trigger_id: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A training service tells how a run stands.

    Attributes:
        run_id: how the service calls the run.
        name: the name that we gave it, or an empty text.
        model_id: whose run it is, where the event tells; a hint, never trusted.
        result: how it stands; `RUNNING` too.
        ended_at: when it ended, where the event tells.

    """

    run_id: str
    name: str
    result: RunResult
    model_id: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A platform tells by itself what a model's `signals` may name as a reason to train.

    What it brings is already cut to what a trigger may hold.

    Attributes:
        kind: the kind of signal, as the configuration spells it.
        subject: what the signal is about; with the kind in front it is what `signals` name.
        trigger_id: the same for every delivery of this signal; empty where the event brings nothing to tell by.
        origin: `drift` or `data`.
        reason: what happened, for people.
        severity: how bad it is, where the platform tells.
        evidence: where that can be checked.
        sent_at: when it happened, where the event tells.
        begins: further names of the subject, which count if they begin with what `signals` name.
        mentions: texts in which the named subject may stand anywhere.
        empty: whether it is a folder marker or an object of zero bytes.

    """

    kind: str
    subject: str
    trigger_id: str
    origin: str
    reason: str
    severity: str | None = None
    evidence: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    sent_at: datetime | None = None
    begins: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    empty: bool = False

    @property
    def what(self) -> str:
        """What it is, short, for the log."""
        return f"{self.kind}:{self.subject}"[:200]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Readable, but none of ours.

    Attributes:
        what: what it seems to be, short, for the log.

    """

    what: str


Incoming = TriggerEvent | RunEnded | Signal | Foreign
