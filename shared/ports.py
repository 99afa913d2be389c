"""The interfaces that each cloud implements for the core: bus, ledger, launchers, dead letters and notifications."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from shared.fields import Parameter
from shared.frozen import dataclass
from shared.notice import Notice
from shared.trigger import RetrainTrigger

Clock = Callable[[], datetime]
"""Returns the current time, aware, UTC."""

RandomId = Callable[[], str]
"""Returns a new unique id of at most 36 characters."""


class EventBus(Protocol):
    """Delivers triggers, and requests to check a model, to the receiver, at least once."""

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Publish all *triggers*; when this returns, the bus has accepted each of them. An empty list makes no call.

        Raises:
            BusError: the bus refuses some of them permanently; the error names them.
            UnavailableError: the bus is unavailable; some may have been accepted. All may be published again, because
                triggers with the same id are decided only once.

        """

    def request_sweep(self, model_id: str) -> None:
        """Publish an event that makes the receiver check *model_id* now; it carries nothing but the model's name.

        Raises:
            BusError: the bus refuses the event permanently.
            UnavailableError: the bus is unavailable; the next regular sweep checks the model in any case.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The state of a model as stored in the ledger.

    Attributes:
        document: JSON text; None if the model was never saved.
        version: the version for `Ledger.save`, opaque to the core.

    """

    document: str | None
    version: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """The facts about a model that the ledger's index contains.

    Attributes:
        attention: from when on the model needs attention; None if only an event can change it.
        runs: the names of its current and its last trainings in the training service.

    """

    attention: datetime | None = None
    runs: tuple[str, ...] = ()


NOT_INDEXED: Final = IndexEntry()


class Ledger(Protocol):
    """Stores one document per model, which is only changed by compare-and-swap, and an index of all models.

    An entry of the index is written by the same conditional write as the document. Reads of the index may be late.
    """

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id* (strongly consistent).

        Raises:
            UnavailableError: the ledger is unavailable.

        """

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest document of each model, as `load` does, in as few calls as possible.

        Args:
            model_ids: the models, at most a hundred, each once.

        Raises:
            UnavailableError: the ledger is unavailable.

        """

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*, and return the new one; None if another writer was faster.

        The model's entry in the index is replaced by *entry*.

        A save may have succeeded although its response was lost: the caller must recognise its own document.

        Raises:
            UnavailableError: the ledger is unavailable; whether the document was saved is unknown.

        """

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids of stored models that follow *after*, in a stable order; an empty list at the end.

        Raises:
            UnavailableError: the ledger is unavailable.

        """

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*; None if there is no usable index.

        Raises:
            UnavailableError: the ledger is unavailable.

        """

    def model_of_run(self, name: str) -> str | None:
        """Return the id of the model whose entry has the run *name*; None if the index does not have it.

        A ledger whose events name the model need not index runs.

        Raises:
            UnavailableError: the ledger is unavailable.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """One training to start.

    Attributes:
        trigger: the trigger of the training.
        token: the idempotency token, 64 hex characters; requests with the same token are one training.
        parameters: the parameters of the pipeline, including defaults; it gets no others.
        claimed_at: when the training was first claimed; no run with this token is older.
        max_run: after this time the training counts as gone.

    """

    trigger: RetrainTrigger
    token: str
    parameters: Mapping[str, Parameter]
    claimed_at: datetime
    max_run: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A training that a service has accepted.

    Attributes:
        run_id: the service's id of the run.
        url: the page of the run for people; None if there is none.
        handed_over: whether the end of the run cannot be observed (a queue, a GitHub workflow).

    """

    run_id: str
    url: str | None = None
    handed_over: bool = False


class RunResult(StrEnum):
    """The status of a run, or how it ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    # Only reported where this project runs the training itself: it was ended because it exceeded `max_run`.
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """The status of a run as reported by the service.

    Attributes:
        result: the status.
        ended_at: when the run ended; None if it has not, or if the service does not report it.
        error: the service's own reason of a failure, in any length; empty if it gives none.

    """

    result: RunResult
    ended_at: datetime | None = None
    error: str = ""


class Launcher(Protocol):
    """Starts trainings of one target.

    If the target honours tokens (`shared.config.targets`), a second `start` with the same token returns the run of the
    first. If it does not, a second `start` is a second training: such a launcher sends each request only once, because
    a retry after a lost response would be a second hand-over.
    """

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start the training of *request* and return its run; "already exists" counts as success.

        Args:
            request: the training to start.
            again: whether another process may have started it before. If the service can be searched, the run is looked
                up first, before anything is read from the bundle: the run may exist although the bundle has changed.

        Raises:
            TargetRefusedError: the service will not run this, now or later; nothing runs, and a repeat is refused only
                after the service has reported that there is no such run.
            UnavailableError: the service is throttled or unavailable, or its response was lost: the run may exist.

        """

    def status(self, run_id: str) -> RunStatus:
        """Query the status of a run; a run that the service does not know counts as stopped.

        Raises:
            UnavailableError: the service is unavailable.

        """

    def cancel(self, run_id: str) -> None:
        """Request that the service stops a run; may be called again.

        When this returns, the service has accepted the request, or the run is over, or the service does not know it.
        The run then goes on for a while: `status` and the event of its end report how it ended, which may be success.

        Raises:
            TargetRefusedError: trainings of this target are handed over, and cannot be stopped from here.
            UnavailableError: the service is throttled or unavailable, or its response was lost.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was given up permanently.

    Attributes:
        at: when it was given up.
        cloud: `aws`, `gcp`, `azure` or `local`.
        reason: the reason code of the decision.
        error: the error, for people.
        event: the event as it was received.

    """

    at: datetime
    cloud: str
    reason: str
    error: str
    event: object = field(repr=False)


class DeadLetters(Protocol):
    """Stores rejected events, so that a person can inspect and resend them."""

    def put(self, letter: DeadLetter) -> None:
        """Store *letter*.

        Raises:
            UnavailableError: the storage is unavailable; the event must not be acknowledged.

        """


class Notifier(Protocol):
    """Sends notifications through one channel of `[notify]`."""

    def send(self, notice: Notice) -> None:
        """Send *notice*; when this returns, the channel has accepted it.

        Raises:
            UnavailableError: the channel is unavailable or throttles; it may have accepted the notice.
            PermanentError: the channel will never accept it: no such topic, no permission, a wrong address. Error
                messages never contain the address of the channel, which may be a secret.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One `repository_dispatch` event for GitHub.

    Attributes:
        repository: `OWNER/NAME`, one of `[github]` `repositories` as checked when the configuration was loaded.
        event_type: 1-100 characters, one of the `types` of the workflow.
        token: the idempotency token of the training, 64 hex characters. GitHub has no idempotency keys: a dispatch may
            arrive twice, always with the same token, which a workflow can use as its concurrency key.
        payload: the complete `client_payload`: plain JSON, at most 10 names at the top level (GitHub's limit),
            including the token.

    """

    repository: str
    event_type: str
    token: str
    payload: Mapping[str, object] = field(repr=False)


class Dispatcher(Protocol):
    """Sends events to GitHub repositories."""

    def dispatch(self, dispatch: Dispatch) -> None:
        """Send *dispatch*; when this returns, GitHub has accepted it (204).

        Raises:
            TargetRefusedError: GitHub will not accept it, now or later: no such repository, no permission, no token.
            UnavailableError: GitHub is unavailable or throttles, or its response was lost: it may have been accepted.

        """
