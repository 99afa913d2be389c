"""The SageMaker stand-in keeps the service's promises to the real client, and fails exactly as ordered."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from emulators.aws_client import client
from emulators.sagemaker import SageMakerStandIn
from tests.aws.calls import PIPELINES, code, start


def test_one_token_starts_one_execution_under_16_threads() -> None:
    """Sixteen simultaneous calls with one token get one ARN and start one execution, even if starting is slow."""
    together = threading.Barrier(16)

    def slow_clock() -> datetime:
        time.sleep(0.3)
        return datetime.now(UTC)

    with SageMakerStandIn(pipelines=PIPELINES, clock=slow_clock) as sagemaker:
        boto = client("sagemaker", sagemaker.url)

        def call(_: int) -> str:
            together.wait()
            return start(boto)

        with ThreadPoolExecutor(16) as pool:
            arns = set(pool.map(call, range(16)))
        (execution,) = sagemaker.executions()
    assert arns == {execution.arn}
    assert execution.start_calls == 16


def test_another_token_or_pipeline_is_another_execution(sagemaker: SageMakerStandIn, boto: Any) -> None:
    """A token counts for its own pipeline only, and until it is forgotten."""
    arns = {start(boto), start(boto, "f" * 32), start(boto, PipelineName="other")}
    sagemaker.forget_tokens()
    assert len(arns | {start(boto)}) == 4


def test_a_lost_answer_and_its_repeat_are_one_execution(sagemaker: SageMakerStandIn, boto: Any) -> None:
    """The work was done although the connection broke, and the repeat finds it."""
    sagemaker.add_fault("lost_answer")
    with pytest.raises(ConnectionClosedError):
        start(boto)
    (execution,) = sagemaker.executions()
    assert start(boto) == execution.arn
    assert [found.start_calls for found in sagemaker.executions()] == [2]


def test_botocore_repeats_a_lost_answer_by_itself(sagemaker: SageMakerStandIn) -> None:
    """With retries on, the client sends the same token again and its caller sees a success."""
    sagemaker.add_fault("lost_answer")
    arn = start(client("sagemaker", sagemaker.url, retries={"total_max_attempts": 2}))
    assert [(found.arn, found.start_calls) for found in sagemaker.executions()] == [(arn, 2)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("throttle", ("ThrottlingException", 400)),
        ("resource_limit", ("ResourceLimitExceeded", 400)),
        ("refuse", ("ValidationException", 400)),
        ("internal", ("InternalFailure", 500)),
        ("unavailable", ("ServiceUnavailable", 503)),
    ],
)
def test_a_fault_hits_one_request_and_does_nothing(
    sagemaker: SageMakerStandIn, boto: Any, kind: str, expected: tuple[str, int]
) -> None:
    """A fault answers one request of its operation with its error, starts nothing, and is used up."""
    sagemaker.add_fault(kind)
    boto.list_pipelines()
    assert code(lambda: start(boto)) == expected
    assert sagemaker.executions() == []
    start(boto)
    assert sagemaker.calls("StartPipelineExecution") == 2


def test_a_fault_hits_as_often_as_ordered(sagemaker: SageMakerStandIn, boto: Any) -> None:
    """A fault for any operation, ordered twice, hits two requests."""
    sagemaker.add_fault("throttle", operation="*", times=2)
    assert code(boto.list_pipelines) == ("ThrottlingException", 400)
    assert code(lambda: start(boto)) == ("ThrottlingException", 400)
    start(boto)


def test_a_hanging_request_does_nothing_and_a_slow_one_is_done_late(sagemaker: SageMakerStandIn) -> None:
    """A caller that gives up has started nothing after a hang, but something after a slow request."""
    impatient = client("sagemaker", sagemaker.url, read_timeout=0.2)
    sagemaker.add_fault("hang", seconds=0.4)
    sagemaker.add_fault("slow", seconds=0.4)
    with pytest.raises(ReadTimeoutError):
        start(impatient, "h" * 32)
    with pytest.raises(ReadTimeoutError):
        start(impatient, "s" * 32)
    assert sagemaker.executions() == []
    deadline = time.monotonic() + 5
    while not sagemaker.executions() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [execution.token for execution in sagemaker.executions()] == ["s" * 32]


def test_a_closed_stand_in_is_away(boto: Any, sagemaker: SageMakerStandIn) -> None:
    """After the end, requests on connections that the client kept alive are not answered either."""
    start(boto)
    sagemaker.__exit__(None, None, None)
    with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
        start(boto)
