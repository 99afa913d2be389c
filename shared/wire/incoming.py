"""The kinds of events that can arrive, in the form that every codec returns."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType

from shared.frozen import dataclass
from shared.ports import RunResult
from shared.trace import NO_TRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvent:
    """Our own event: a request for a training.

    Attributes:
        fields: the trigger's fields as they came, unchecked.
        trigger_id: derived from what the transport repeats on a redelivery; empty where it brings nothing.
        sent_at: when the event was sent, if it says so.
        trace: the trace context of the envelope, see `shared.trace.trace_in`; one in *fields* precedes it.

    """

    fields: Mapping[str, object]
    trigger_id: str = ""
    sent_at: datetime | None = None
    trace: Mapping[str, object] = field(default_factory=lambda: NO_TRACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A training service reports the status of a run.

    Attributes:
        run_id: the service's id of the run.
        name: the name that we gave it, or an empty text.
        model_id: whose run it is, if the event names it; a hint, never trusted.
        result: its status; may be `RUNNING`.
        ended_at: when it ended, if the event says so.
        error: why it failed, if the event says so.

    """

    run_id: str
    name: str
    result: RunResult
    model_id: str | None = None
    ended_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """An event of a platform itself, which a model's `signals` may name as a reason to train.

    Its contents are already cut to the sizes that a trigger may have.

    Attributes:
        kind: the kind of signal, as the configuration spells it.
        subject: what the signal is about; with the kind in front it is what `signals` name.
        trigger_id: the same for every delivery of this signal; empty if the event has nothing to derive it from.
        origin: `drift` or `data`.
        reason: what happened, for people.
        severity: how bad it is, if the platform says so.
        evidence: where that can be checked.
        sent_at: when it happened, if the event says so.
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
        """A short description, for the log."""
        return f"{self.kind}:{self.subject}"[:200]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A readable event that is not ours.

    Attributes:
        what: a short description, for the log.

    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """A request to check one model now, or all of them. It carries no authority: what is done depends on the ledger.

    Attributes:
        model_id: the model; None for all.

    """

    model_id: str | None


Incoming = TriggerEvent | RunEnded | Signal | SweepRequest | Foreign
