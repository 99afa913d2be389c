"""The one place where calls to Azure are repeated and its errors are translated into errors of this project."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final, TypeVar

from functions.azure.failures import Failure, failure_of
from shared.backoff import Backoff
from shared.errors import UnavailableError
from shared.frozen import dataclass

T = TypeVar("T")

# Codes of Azure Resource Manager and Azure ML for failures that time or an operator fixes, with any HTTP status; a more
# precise code that the caller judges takes precedence.
REPAIRABLE: Final = frozenset(
    {"TooManyRequests", "OperationThrottled", "QuotaExceeded", "ServerBusy", "ServerTimeout", "Conflict"}
)


_NO_REMEDIES: Final[Mapping[str, str]] = MappingProxyType({})


class RefusalError(Exception):
    """Azure answered with a code or a status that the calling adapter handles itself; it never leaves an adapter.

    Attributes:
        codes: the error codes, from the outermost to the innermost: `("UserError", "JobPropertyImmutable")`.
        message: the message of Azure, one line.

    """

    def __init__(self, failure: Failure) -> None:
        """Store the codes and the message of *failure*."""
        super().__init__(str(failure))
        self.codes = failure.codes
        self.message = failure.message

    @property
    def code(self) -> str:
        """The outermost code."""
        return self.codes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How a call to a service that is busy or silent is repeated.

    The clients do not repeat calls themselves: they would sleep for as long as `Retry-After` says, which a function
    cannot afford. With the defaults a call to a silent service fails after 27 s at most (two attempts of 3 s to connect
    and 10 s to read, and a pause), before Event Grid stops waiting for an answer at 30 s. If several services are
    silent in one delivery it takes longer: Event Grid delivers again, and the claim and the job's name make that safe.

    Attributes:
        backoff: how often, and after which pauses.
        seconds: no attempt begins later than this after the first.
        longest_wait: a call is not repeated if the service requests a longer pause than this, in seconds.
        clock: returns monotonic time, in seconds.

    """

    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=4, base=0.4))
    seconds: float = 15
    longest_wait: float = 3
    clock: Callable[[], float] = time.monotonic


STANDARD: Final = Persistence()


def call(
    work: Callable[[], T],
    *,
    service: str,
    action: str,
    judged: Collection[str | int] = (),
    remedies: Mapping[str, str] = _NO_REMEDIES,
    persistence: Persistence = STANDARD,
) -> T:
    """Do *work*, repeat it if Azure is busy, and translate the errors of Azure that it raises.

    Only the caller knows which answers mean that the request can never succeed; it names their codes or HTTP statuses.
    All other errors can be fixed by time or by an operator, but not by another event: throttling, 5xx, timeouts,
    conflicts and quotas, and also missing rights, credentials, tables and containers.

    Args:
        work: the call; it may run more than once.
        service: the name of the service, for the message.
        action: what is attempted, for the message: "start the job ...".
        judged: the codes and statuses that the caller handles itself.
        remedies: what an operator has to do, by the code of the service, for the message.
        persistence: how to repeat the call.

    Raises:
        RefusalError: the code or the status is one of *judged*.
        UnavailableError: any other failure.

    """
    begun, attempt = persistence.clock(), 0
    while True:
        try:
            return work()
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            if _is_judged(failure, judged):
                raise RefusalError(failure) from error
            attempt += 1
            spent = persistence.clock() - begun
            if attempt >= persistence.backoff.attempts or _is_hopeless(failure, spent, persistence):
                raise UnavailableError(service, action, _detail(failure, remedies)) from error
        if failure.wait:
            persistence.backoff.sleep(failure.wait)
        else:
            persistence.backoff.pause(attempt)


def _detail(failure: Failure, remedies: Mapping[str, str]) -> str:
    return "; ".join([str(failure), *(remedies[code] for code in failure.codes if code in remedies)])


def _is_judged(failure: Failure, judged: Collection[str | int]) -> bool:
    if failure.status is None:
        return False
    # A code that the caller names is more precise than the status, or the `Conflict`, around it.
    if not set(failure.codes).isdisjoint(judged):
        return True
    return failure.status in judged and REPAIRABLE.isdisjoint(failure.codes)


def _is_hopeless(failure: Failure, spent: float, persistence: Persistence) -> bool:
    late = spent + failure.wait > persistence.seconds
    return not failure.busy or late or failure.wait > persistence.longest_wait
