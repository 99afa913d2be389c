"""A stack of CloudFormation takes its time, may fail, and may never end."""

import pytest

from functions.cli.deployment.aws.stack import ChangeSet, Request, Stack
from functions.cli.deployment.errors import DeploymentError
from tests.deploy.stacks import CloudFormation

NAME = "retrain-dev"
REQUEST = Request(template_url="https://s3.example/template", parameters=())
FAILED = (
    {"LogicalResourceId": NAME, "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE"},
    {
        "LogicalResourceId": "Emit",
        "ResourceStatus": "UPDATE_FAILED",
        "ResourceStatusReason": "Resource update cancelled",
    },
    {"LogicalResourceId": "Queue", "ResourceStatus": "UPDATE_FAILED"},
    {"LogicalResourceId": "Ledger", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "Too many indexes"},
    {"LogicalResourceId": "Ledger", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "Too many indexes"},
)
REASONS = "\n  Ledger: Too many indexes\n  Queue: no reason given"


@pytest.fixture
def cloud() -> CloudFormation:
    """Return an account with the stack."""
    made = CloudFormation(events=FAILED)
    made.stack(NAME)
    return made


def planned(cloud: CloudFormation) -> tuple[Stack, ChangeSet]:
    """Return the stack, looked at without a pause, and a change set of it."""
    stack = Stack(cloud, NAME, poll=0)
    found = stack.plan(REQUEST, "plan")
    assert found is not None
    return stack, found


def test_a_change_set_is_waited_for(cloud: CloudFormation) -> None:
    """Its changes are known only when CloudFormation has found them out."""
    cloud.planning = ["CREATE_PENDING", "CREATE_IN_PROGRESS"]
    _, found = planned(cloud)
    assert [change.resource for change in found.changes] == ["Ledger"]


def test_a_change_set_that_never_is_known(cloud: CloudFormation) -> None:
    """After an hour it is given up and deleted."""
    cloud.planning = ["CREATE_PENDING"] * 10_000
    with pytest.raises(DeploymentError, match="refuses the change set for the stack retrain-dev: CREATE_PENDING"):
        planned(cloud)
    assert cloud.calls[-1] == f"discard {NAME}"


def test_an_update_is_waited_for(cloud: CloudFormation) -> None:
    """The end of it is what counts, not that it was accepted."""
    stack, found = planned(cloud)
    cloud.ahead = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert stack.execute(found).status == "UPDATE_COMPLETE"


def test_an_update_that_fails(cloud: CloudFormation) -> None:
    """Each resource that failed is named once, the first one first, without those that were only cancelled."""
    stack, found = planned(cloud)
    cloud.ahead = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    with pytest.raises(DeploymentError) as raised:
        stack.execute(found)
    assert str(raised.value) == f"the stack {NAME} was not deployed and is UPDATE_ROLLBACK_COMPLETE:{REASONS}"


def test_a_creation_that_fails(cloud: CloudFormation) -> None:
    """The stack is deleted by CloudFormation then, and the message still has the reasons."""
    cloud.stacks.clear()
    stack, found = planned(cloud)
    cloud.ahead = ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "GONE"]
    with pytest.raises(DeploymentError) as raised:
        stack.execute(found)
    assert str(raised.value) == f"the stack {NAME} was not deployed and is DELETED:{REASONS}"


def test_an_update_that_never_ends(cloud: CloudFormation) -> None:
    """After an hour the message says where to look."""
    stack, found = planned(cloud)
    cloud.ahead = ["UPDATE_IN_PROGRESS"]
    with pytest.raises(DeploymentError, match="retrain-dev is still not complete after an hour; look at its events"):
        stack.execute(found)


@pytest.mark.parametrize("end", ["GONE", "DELETE_COMPLETE"])
def test_a_deletion_is_waited_for(cloud: CloudFormation, end: str) -> None:
    """The stack may still be described after its end."""
    cloud.ahead = ["DELETE_IN_PROGRESS", end]
    Stack(cloud, NAME, poll=0).delete()
    assert cloud.calls == [f"delete {NAME}"]


def test_a_deletion_that_fails(cloud: CloudFormation) -> None:
    """The resources that cannot be deleted are named."""
    cloud.ahead = ["DELETE_IN_PROGRESS", "DELETE_FAILED"]
    with pytest.raises(DeploymentError) as raised:
        Stack(cloud, NAME, poll=0).delete()
    assert str(raised.value) == f"the stack {NAME} was not deleted and is DELETE_FAILED:{REASONS}"


def test_a_deletion_that_never_ends(cloud: CloudFormation) -> None:
    """After an hour the message says where to look."""
    cloud.ahead = ["DELETE_IN_PROGRESS"]
    with pytest.raises(DeploymentError, match="retrain-dev is still being deleted after an hour; look at its events"):
        Stack(cloud, NAME, poll=0).delete()
