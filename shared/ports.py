"""What a cloud provides to the core: a bus, a ledger, launchers and dead letters; optionally notifiers and GitHub."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.fields import Parameter
from shared.frozen import dataclass
from shared.notice import Notice
from shared.trigger import RetrainTrigger

Clock = Callable[[], datetime]
"""Tells the time, aware and in UTC."""

RandomId = Callable[[], str]
"""Makes an id that nobody else makes, of at most 36 characters."""


class EventBus(Protocol):
    """Carries triggers to whoever receives them, at least once."""

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Hand over all *triggers*; when this returns the bus has every one of them. None at all is no call.

        Raises:
            BusError: the bus refuses some of them for good; they are named.
            UnavailableError: the bus is away; some may have arrived, and all may be sent again (their ids protect).

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A model's state as the ledger holds it.

    Attributes:
        document: JSON text, or none where the model was never written.
        version: what `Ledger.save` wants back, opaque to the core.

    """

    document: str | None
    version: object = None


class Ledger(Protocol):
    """Keeps one document a model, changed by compare-and-swap only."""

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id* (a consistent read).

        Raises:
            UnavailableError: the ledger is away.

        """

    def save(self, model_id: str, document: str, version: object) -> Stored | None:
        """Replace the document if it still has *version*, and return what is stored now; None: somebody was faster.

        A save whose answer got lost may have happened: the caller must be able to recognise its own document.

        Raises:
            UnavailableError: the ledger is away; whether it saved is unknown.

        """

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids of stored models behind *after*, in an order that the ledger keeps; [] at the end.

        Raises:
            UnavailableError: the ledger is away.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """One training to start.

    Attributes:
        trigger: why.
        token: the idempotency token: equal tokens are one training. 64 hex characters.
        parameters: what the pipeline gets, defaults filled in; nothing else may reach it.
        claimed_at: since when somebody tries to start it; no run of this token is older.
        max_run: after this long the training counts as gone.

    """

    trigger: RetrainTrigger
    token: str
    parameters: Mapping[str, Parameter]
    claimed_at: datetime
    max_run: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A training that a service took on.

    Attributes:
        run_id: how the service calls it.
        url: where a person can look at it, if anywhere.
        handed_over: its end is not ours to see (a queue, a GitHub workflow).

    """

    run_id: str
    url: str | None = None
    handed_over: bool = False


class RunResult(StrEnum):
    """How a training stands or ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """What the service says of a run.

    Attributes:
        result: how it stands.
        ended_at: when it ended, where the service tells.

    """

    result: RunResult
    ended_at: datetime | None = None


class Launcher(Protocol):
    """Starts trainings of one target.

    Where the target honours tokens (`shared.config.targets`), a second `start` with the same token returns the first
    one's run. Where it does not, a second `start` is a second training: such a launcher sends each request once, as a
    repeat after a lost answer would be a second hand-over.
    """

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start the training of *request* and return its run; "exists already" is success.

        Args:
            request: what to start.
            again: another process may have started it before. Then the run is looked for first, where the service can
                be searched, and before anything of the bundle is read: what fits the bundle no longer may run already.

        Raises:
            TargetRefusedError: the service will not run this, now or later; nothing runs, and a repeat is refused only
                after the service has reported that there is no such run.
            UnavailableError: throttled, away, or the answer was lost: it may run.

        """

    def status(self, run_id: str) -> RunStatus:
        """Ask the service how the run stands; a run that it does not know has stopped.

        Raises:
            UnavailableError: the service is away.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that nobody can act on.

    Attributes:
        at: when it was given up.
        cloud: where.
        reason: the reason code of the decision.
        error: what is wrong with it, for people.
        event: the event as it came.

    """

    at: datetime
    cloud: str
    reason: str
    error: str
    event: object = field(repr=False)


class DeadLetters(Protocol):
    """Keeps what nobody can act on, for a person to look at and send again."""

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*.

        Raises:
            UnavailableError: the place is away; the event must not be acknowledged.

        """


class Notifier(Protocol):
    """Tells people, through one channel of `[notify]`."""

    def send(self, notice: Notice) -> None:
        """Send *notice*; when this returns the channel has it.

        Raises:
            UnavailableError: the channel is away or throttles; it may have the notice.
            PermanentError: the channel will never take it: no such topic, no right, a wrong address. No message of an
                error holds the channel's address, which may be a secret.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One `repository_dispatch` event for GitHub.

    Attributes:
        repository: `OWNER/NAME`; one of `[github]` `repositories`, which was checked when the configuration was read.
        event_type: 1-100 characters, what the workflow's `types` names.
        token: the idempotency token of the training, 64 hex characters. GitHub knows no idempotency key: a dispatch may
            come twice, always with the same token, which a workflow can take as its concurrency key.
        payload: the whole `client_payload`: plain JSON, at most 10 names at the top (GitHub's limit), the token too.

    """

    repository: str
    event_type: str
    token: str
    payload: Mapping[str, object] = field(repr=False)


class Dispatcher(Protocol):
    """Sends events to GitHub repositories."""

    def dispatch(self, dispatch: Dispatch) -> None:
        """Send *dispatch*; when this returns GitHub has taken it (204).

        Raises:
            TargetRefusedError: GitHub will not take it, now or later: no such repository, no right, no token.
            UnavailableError: GitHub is away, throttles, or its answer was lost: it may have been taken.

        """
