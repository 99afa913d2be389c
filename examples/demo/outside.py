"""What stands around a cloud: people who get messages, and GitHub."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from emulators.github import GitHubStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from examples.demo.models import REPOSITORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody was told; the title is not in the text."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What stands around a cloud.

    Attributes:
        github: where trainings set off workflows.
        token: what GitHub asks for.
        channel: Apprise's address of a web hook.
        messages: what arrived there, oldest first.

    """

    github: GitHubStandIn
    token: str
    channel: str
    messages: list[Message]

    def variables(self) -> Mapping[str, str]:
        """Return the environment variables that lead to GitHub."""
        return {"RETRAIN_GITHUB_API": self.github.url, "RETRAIN_GITHUB_TOKEN": self.token}


@contextmanager
def outside() -> Iterator[Outside]:
    """Run GitHub's stand-in and the web hook."""
    token, messages = secrets.token_hex(20), list[Message]()

    def keep(request: Request) -> Answer:
        told = json.loads(request.body)
        messages.append(Message(title=told["title"], text=told["message"]))
        return Answer(status=200)

    repositories = frozenset({REPOSITORY})
    with (
        LoopbackServer(keep) as hook,
        GitHubStandIn(repositories=repositories, tokens={token: repositories}) as github,
    ):
        yield Outside(github=github, token=token, channel=f"json://{hook.address}/", messages=messages)
