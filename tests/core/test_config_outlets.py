"""Settings for notices and GitHub: valid and invalid ones."""

import pytest

from shared.notice import EVENTS
from tests.core.samples import configured, model_text, problems_of

GITHUB = '[github]\nrepositories = ["acme/churn"]\n'
LONG = "e" * 101
TOO_LONG = "an event type has at most 100 characters, not 101"


def test_what_is_reported_can_be_chosen() -> None:
    """`on` names the events, in any number; without it people learn of what they should act on."""
    for on in ([], ["ended"], list(EVENTS)):
        assert configured(f"[notify]\non = {on}\n" + model_text()).notify_on == tuple(on)
    assert configured(model_text()).notify_on == ("failed", "rejected", "awaiting_approval", "stale")


@pytest.mark.parametrize("on", ['"failed"', '["failure"]', '["failed", ""]', "[1]", '["failed", "started"]'])
def test_only_what_happens_can_be_reported(on: str) -> None:
    """Another event is one problem, and nothing that stands there is shown: it may be an address."""
    (problem,) = problems_of(f"[notify]\non = {on}\n" + model_text())
    assert problem in (
        "notify.on: must be a list of non-empty strings",
        "notify.on: may only contain launched, ended, failed, rejected, awaiting_approval, stale",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            model_text(tables=f'[models."churn".after]\nfailed = ["github:acme/churn#{LONG}"]\n') + GITHUB,
            f'models."churn".after.failed: {TOO_LONG}',
        ),
        (
            f'[models.churn.target.local]\nkind = "github"\nrepository = "acme/churn"\nevent_type = "{LONG}"\n'
            + GITHUB,
            f'models."churn".target.local.event_type: {TOO_LONG}',
        ),
        (
            model_text(tables=f'[models."churn".after]\nsucceeded = {["notify"] * 11}\n'),
            'models."churn".after.succeeded: must have at most 10 actions, not 11',
        ),
        (
            f"[notify]\nchannels = {['slack://token'] * 11}\n" + model_text(),
            "notify.channels: must have at most 10 channels, not 11",
        ),
        (
            '[github]\nrepositories = ["acmé/churn"]\n' + model_text(),
            "github.repositories: 'acmé/churn' must be OWNER/NAME",
        ),
    ],
    ids=["event type of an action", "event type of a target", "actions", "channels", "repository"],
)
def test_what_github_or_the_ledger_would_not_take(text: str, problem: str) -> None:
    """A limit of another service is reported when the file is read, and not after a training."""
    assert problems_of(text) == (problem,)


def test_the_longest_event_type() -> None:
    """GitHub takes a hundred characters."""
    action = f"github:acme/churn#{LONG[1:]}"
    config = configured(model_text(tables=f'[models."churn".after]\nfailed = ["{action}"]\n') + GITHUB)
    assert config.find("churn").after.failed == (action,)
