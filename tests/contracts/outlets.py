"""Where what follows a training goes: GitHub, and a web hook as the channel to people, both behind one gate."""

import json
import re
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Final, Self

from emulators.github import Dispatched, GitHubStandIn
from emulators.github.answers import error
from emulators.loopback import Answer, LoopbackServer, Request
from tests.contracts.configuration import REPOSITORY
from tests.contracts.gate import Gate
from tests.contracts.messages import Notice

TOKEN: Final = "ghp_0123456789abcdefABCDEF"
PASSWORD: Final = "T0PS3CRET"

_HOOK: Final = "/notices"
_TRIGGER: Final = re.compile(r"^Trigger: (.+)$", re.MULTILINE)


class Outlets(Gate):
    """Lives as long as the session, for the functions know its address; `empty` makes it a new one for a test."""

    def __init__(self) -> None:
        """Begin without any service to pass requests on to."""
        super().__init__("")
        self._open = ExitStack()
        known = frozenset({REPOSITORY})
        self._github = GitHubStandIn(repositories=known, tokens={TOKEN: known})
        self._hook = LoopbackServer(self._note)
        self._noting = threading.Lock()
        self._notices: list[Notice] = []
        self._before = 0

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._open.enter_context(self._github)
        self._open.enter_context(self._hook)
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        super().__exit__(kind, error, trace)
        self._open.close()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that lead the functions to GitHub."""
        return {"RETRAIN_GITHUB_API": self.url, "RETRAIN_GITHUB_TOKEN": TOKEN}

    @property
    def channel(self) -> str:
        """The web hook as an address of Apprise, with a secret in it."""
        return f"json://ada:{PASSWORD}@{self.address}{_HOOK}"

    def empty(self) -> None:
        """Forget what was sent."""
        self.reset()
        self._before = len(self._github.dispatched())
        with self._noting:
            self._notices.clear()

    def dispatched(self) -> Sequence[Dispatched]:
        """Return what GitHub has taken, oldest first."""
        return self._github.dispatched()[self._before :]

    def notices(self) -> list[Notice]:
        """Return the notices that the web hook has taken, oldest first."""
        with self._noting:
            return list(self._notices)

    def github_away(self) -> AbstractContextManager[None]:
        """Let GitHub answer that it is not available, without saying when it will be."""
        return self.failing("dispatch", error(503, "Service unavailable"))

    def hook_away(self) -> AbstractContextManager[None]:
        """Let the web hook do the same."""
        return self.failing("notice", Answer(status=503))

    def named(self, request: Request) -> tuple[str, str]:
        """See the base."""
        return ("hook", "notice") if request.path.startswith(_HOOK) else ("github", "dispatch")

    def behind(self, service: str) -> str:
        """See the base."""
        return self._hook.url if service == "hook" else self._github.url

    def _note(self, request: Request) -> Answer:
        content = json.loads(request.body)
        trigger = _TRIGGER.search(content["message"])
        with self._noting:
            self._notices.append(Notice(title=content["title"], trigger_id=trigger[1] if trigger else ""))
        return Answer(status=200)
