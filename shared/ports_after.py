"""What a cloud may bring besides: who tells people, and who lets a workflow go on."""

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from shared.frozen import dataclass
from shared.notice import Notice


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
