"""The world outside a cloud: people who get messages, and GitHub."""

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
    """A message to people; the text does not repeat the title."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world outside a cloud.

    Attributes:
        github: the GitHub on which trainings start workflows.
        token: the token that GitHub accepts.
        channel: the address of a webhook, for Apprise.
        messages: the messages that arrived there, oldest first.

    """

    github: GitHubStandIn
    token: str
    channel: str
    messages: list[Message]

    def variables(self) -> Mapping[str, str]:
        """Return the environment variables for access to GitHub."""
        return {"RETRAIN_GITHUB_API": self.github.url, "RETRAIN_GITHUB_TOKEN": self.token}


@contextmanager
def outside() -> Iterator[Outside]:
    """Run the stand-in for GitHub and the webhook."""
    token, messages = secrets.token_hex(20), list[Message]()

    def keep(request: Request) -> Answer:
        notice = json.loads(request.body)
        messages.append(Message(title=notice["title"], text=notice["message"]))
        return Answer(status=200)

    repositories = frozenset({REPOSITORY})
    with (
        LoopbackServer(keep) as hook,
        GitHubStandIn(repositories=repositories, tokens={token: repositories}) as github,
    ):
        yield Outside(github=github, token=token, channel=f"json://{hook.address}/", messages=messages)
