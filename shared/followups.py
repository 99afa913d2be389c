"""What follows a training, by its result: the `after` table, and the repositories it may dispatch to."""

import re
from dataclasses import dataclass
from typing import Final

from shared.tables import Table

# GitHub's own rule for an owner and a repository; event types have at most 100 characters.
_REPOSITORY: Final = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}")
_DISPATCH: Final = re.compile(r"github:([^#]+)#(.{1,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """The actions after a training: `notify`, or `github:OWNER/NAME#EVENT_TYPE`."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def read_repositories(table: Table) -> tuple[str, ...]:
    """Read the allow-list of `[github]`."""
    repositories = table.texts("repositories")
    table.done()
    for repository in repositories:
        if not _REPOSITORY.fullmatch(repository):
            table.problem("repositories", f"{repository!r} must be OWNER/NAME")
    return repositories


def read_follow_ups(table: Table, repositories: tuple[str, ...]) -> FollowUps:
    """Read the `after` table; a dispatch needs its repository among *repositories*."""
    actions = FollowUps(succeeded=table.texts("succeeded"), failed=table.texts("failed"))
    table.done()
    for result in ("succeeded", "failed"):
        for action in getattr(actions, result):
            dispatch = _DISPATCH.fullmatch(action)
            if action != "notify" and not dispatch:
                table.problem(result, f'{action!r} must be "notify" or "github:OWNER/NAME#EVENT_TYPE"')
            elif dispatch and dispatch[1] not in repositories:
                table.problem(result, f"{dispatch[1]!r} is not in github.repositories")
    return actions
