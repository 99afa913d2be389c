"""Whichever call of a launch loses its answer, and however often, it is one training."""

import pytest

from emulators.sagemaker import FaultKind
from tests.contracts.gate import calls_from
from tests.contracts.on_aws import Amazon
from tests.contracts.ports import CONTENDERS
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import state_of

pytestmark = pytest.mark.xdist_group("contracts-aws")

CALLS = [("GetItem", 0), ("PutItem", 0), ("StartPipelineExecution", 0), ("GetItem", 1), ("PutItem", 1)]


def is_settled(aws: Amazon) -> bool:
    """Whether the ledger holds the training with its run, and nothing else."""
    training = state_of(aws.ledger).training
    return training is not None and training.run_id is not None and len(state_of(aws.ledger).runs) == 1


def test_sixteen_concurrent_processes_of_a_slow_service_are_one_run(aws: Amazon) -> None:
    """While the first start is under way its run cannot be found yet: the token makes sixteen starts one."""
    aws.sagemaker.add_fault(FaultKind.SLOW, seconds=1.5, times=CONTENDERS)
    deliveries = aws.deliver_concurrently([trigger_event(aws)] * CONTENDERS)
    assert [delivery.error for delivery in deliveries] == [""] * CONTENDERS
    (execution,) = aws.sagemaker.executions()
    assert execution.start_calls > 1


@pytest.mark.parametrize(("operation", "number"), CALLS)
def test_a_call_whose_answer_got_lost_once_is_repeated(aws: Amazon, operation: str, number: int) -> None:
    """The client retries, finds its own work done, and the event is acknowledged as launched."""
    with aws.account.gate.failing(operation, None, calls_from(number), done=True):
        assert aws.deliver(trigger_event(aws)).verdict == ("launch", "launched")
    assert aws.trainings() == ["t-1"]
    assert is_settled(aws)
    assert aws.deliver(trigger_event(aws)).verdict == ("skip", "duplicate")


@pytest.mark.parametrize(
    ("operation", "number"), [call for call in CALLS if call[0] != "GetItem"], ids=["claim", "start", "confirm"]
)
def test_a_call_whose_every_answer_got_lost_is_finished_by_the_redelivery(
    aws: Amazon, operation: str, number: int
) -> None:
    """When the client has given up the event is not acknowledged; its redelivery finds what was done."""
    with aws.account.gate.failing(operation, None, calls_from(number, 3), done=True):
        assert aws.deliver(trigger_event(aws)).error.startswith("UnavailableError: ")
    assert aws.deliver(trigger_event(aws)).acknowledged
    assert aws.trainings() == ["t-1"]
    assert is_settled(aws)
