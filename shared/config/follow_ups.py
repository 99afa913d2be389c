"""The tables `after` (actions that follow a training), `[notify]` and `[github]`."""

import re
from dataclasses import field
from typing import Final

from shared.config.tables import Table
from shared.frozen import dataclass
from shared.notice import EVENTS

NOTIFY: Final = "notify"
MAX_ACTIONS: Final = 10
MAX_CHANNELS: Final = 10
# GitHub's own limit (422 above it).
MAX_EVENT_TYPE: Final = 100
# The default of `[notify]` `on`: the events that a person should act on.
NOTIFY_ON: Final = ("failed", "rejected", "awaiting_approval", "stale")

# GitHub's own rule for an owner and a repository.
_REPOSITORY: Final = r"(?a)(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}"
_DISPATCH: Final = r"github:([^#]+)#(.+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """The actions after a training: `notify`, or `github:OWNER/NAME#EVENT_TYPE`."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """The `[notify]` table: the channels, and the events that are sent to them.

    Attributes:
        channels: addresses, which contain secrets.
        on: the events that are sent: `launched`, `ended` (with any result), `failed` (a training failed, was stopped
            or is gone), `rejected`, `awaiting_approval`, `stale`; all but the first two by default.

    """

    # The addresses contain secrets.
    channels: tuple[str, ...] = field(repr=False)
    on: tuple[str, ...]


STANDARD: Final = Notify(channels=(), on=NOTIFY_ON)


def read_dispatch(action: str) -> tuple[str, str]:
    """Return repository and event type of `github:OWNER/NAME#EVENT_TYPE`, two empty strings for any other action."""
    dispatch = re.fullmatch(_DISPATCH, action)
    return (dispatch[1], dispatch[2]) if dispatch else ("", "")


def read_notify(table: Table, standard: Notify = STANDARD) -> Notify:
    """Parse `[notify]` or the `notify` table of a model; a key that is left out has the value in *standard*."""
    channels = table.texts("channels", standard.channels, secret=True)
    events = table.texts("on", standard.on, secret=True)
    table.done()
    if len(channels) > MAX_CHANNELS:
        table.problem("channels", f"must have at most {MAX_CHANNELS} channels, not {len(channels)}")
    if not set(events) <= set(EVENTS):
        # The value may be an address pasted into the wrong key, so it is not shown.
        table.problem("on", f"may only contain {', '.join(EVENTS)}")
    return Notify(channels=channels, on=events)


def read_repositories(table: Table) -> tuple[str, ...]:
    """Parse the allow-list of `[github]`."""
    repositories = table.texts("repositories")
    table.done()
    for repository in repositories:
        if not re.fullmatch(_REPOSITORY, repository):
            table.problem("repositories", f"{repository!r} must be OWNER/NAME")
    return repositories


def read_follow_ups(table: Table, repositories: tuple[str, ...]) -> FollowUps:
    """Parse the `after` table; an action may only dispatch to one of *repositories*."""
    actions = FollowUps(succeeded=table.texts("succeeded"), failed=table.texts("failed"))
    table.done()
    for result in ("succeeded", "failed"):
        listed = getattr(actions, result)
        if len(listed) > MAX_ACTIONS:
            table.problem(result, f"must have at most {MAX_ACTIONS} actions, not {len(listed)}")
        for action in listed:
            if action != NOTIFY:
                _check_dispatch(table, result, action, repositories)
    return actions


def check_event_type(table: Table, key: str, event_type: str) -> None:
    """Add a problem if GitHub would refuse *event_type*."""
    if len(event_type) > MAX_EVENT_TYPE:
        table.problem(key, f"an event type has at most {MAX_EVENT_TYPE} characters, not {len(event_type)}")


def _check_dispatch(table: Table, key: str, action: str, repositories: tuple[str, ...]) -> None:
    repository, event_type = read_dispatch(action)
    if not repository:
        table.problem(key, f'{action!r} must be "notify" or "github:OWNER/NAME#EVENT_TYPE"')
    elif repository not in repositories:
        table.problem(key, f"{repository!r} is not in github.repositories")
    check_event_type(table, key, event_type)
