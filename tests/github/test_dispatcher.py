"""A follow-up reaches the workflow that the configuration names."""

import pytest

from emulators.github import GitHubStandIn
from functions.github.dispatcher import GitHubDispatcher
from shared.errors import TargetRefusedError
from shared.ports import Dispatch
from tests.github.given import REPOSITORY, client_of


def dispatch(repository: str = REPOSITORY) -> Dispatch:
    """Return a follow-up of a training."""
    return Dispatch(
        repository=repository,
        event_type="machinelearningservices-runcompleted",
        token="a" * 64,
        payload={"token": "a" * 64, "data": {"runId": "run-1", "experimentName": "churn"}},
    )


def test_the_payload_arrives_as_it_is(github: GitHubStandIn) -> None:
    """Workflows written for the Azure template find `client_payload.data.runId`."""
    GitHubDispatcher(client_of(github.url)).dispatch(dispatch())
    (event,) = github.dispatched()
    assert (event.repository, event.event_type) == (REPOSITORY, "machinelearningservices-runcompleted")
    assert event.payload == dispatch().payload


def test_the_allow_list_holds_for_follow_ups_too(github: GitHubStandIn) -> None:
    """It is checked when the configuration is read, and again before sending."""
    with pytest.raises(TargetRefusedError, match="'acme/other' is not in github"):
        GitHubDispatcher(client_of(github.url)).dispatch(dispatch("acme/other"))
    assert github.requests() == []
