"""What can arrive, as every codec tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.ports import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
class Ended:
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
class Foreign:
    """Readable, but none of ours.

    Attributes:
        what: what it seems to be, short, for the log.

    """

    what: str


Incoming = Asked | Ended | Foreign
