"""Events in the queue for undelivered ones are resent, and acted on as if they had come the first time."""

import json

import pytest

from emulators.lambda_runtime import LambdaError
from tests.contracts.aws_records import record
from tests.contracts.gate import refusal
from tests.contracts.on_aws import Amazon, sqs_batch

pytestmark = pytest.mark.xdist_group("contracts-aws")

TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z"}


def test_a_record_trains_once_by_whichever_way_it_comes_back(aws: Amazon) -> None:
    """Sent to `receive`, over a queue, and as the event itself, it is one training under one id."""
    event = aws.event({"model_id": "churn"})
    assert aws.deliver(record(event)).verdict == ("launch", "launched")
    assert aws.account.receive.invoke(sqs_batch([json.dumps(record(event))])) == {"batchItemFailures": []}
    assert aws.deliver(record(record(event))).verdict == ("skip", "duplicate")
    assert aws.deliver(event).verdict == ("skip", "duplicate")
    assert (aws.trainings(), aws.letters()) == (["ml3_platform:e-1"], [])


def test_a_record_of_the_sweep_sweeps(aws: Amazon) -> None:
    """Alone and in a queue, where the schedule's own input may be, too."""
    aws.deliver(aws.event({"model_id": "churn"}))
    assert aws.account.receive.invoke(record({"sweep": True})) == {"swept": ["churn"]}
    bodies = [json.dumps({"sweep": True}), json.dumps(record({"sweep": True}))]
    assert aws.account.receive.invoke(sqs_batch(bodies)) == {"batchItemFailures": []}
    assert aws.letters() == []


def test_what_another_function_failed_with_is_a_dead_letter(aws: Amazon) -> None:
    """A tick, a request and a drift check that come to the wrong place are kept as they came, not ignored."""
    lost = [record(TICK, "emit"), record({"model_id": "churn"}, "emit"), TICK, {"at": "2026-11-23T09:30:00Z"}]
    assert aws.deliver(lost[0]).verdict == ("reject", "rejected")
    assert aws.account.receive.invoke(sqs_batch(list(map(json.dumps, lost[1:])))) == {"batchItemFailures": []}
    letters = [json.loads(text) for text in aws.letters()]
    assert sorted(json.dumps(letter["event"]) for letter in letters) == sorted(map(json.dumps, lost))
    assert aws.trainings() == []


def test_what_emit_failed_with_is_emitted_when_it_comes_again(aws: Amazon) -> None:
    """A tick counts by its scheduled time, a request by its own id."""
    asked = {"model_id": "churn", "trigger_id": "t-1"}
    answers = [aws.account.emit.invoke(record(event, "emit")) for event in (TICK, asked)]
    assert answers == [
        {"accepted": [{"model_id": "fraud", "trigger_id": "schedule:fraud:2026-11-23T09:30:00Z"}]},
        {"accepted": [asked]},
    ]


def test_a_batch_of_which_all_fails_raises(aws: Amazon) -> None:
    """So every message comes again even if the queue's mapping does not look at reports, which loses none then."""
    bodies = [json.dumps(aws.event({"model_id": f"any-{number}"})) for number in range(3)]
    full = aws.account.gate.failing("StartPipelineExecution", refusal("ResourceLimitExceeded"))
    with full, pytest.raises(LambdaError, match="BatchProcessingError: All records failed processing"):
        aws.account.receive.invoke(sqs_batch(bodies))


def test_a_batch_of_which_one_fails_reports_it(aws: Amazon) -> None:
    """The others are done, and the one that must come again is named."""
    asked = [{"model_id": "churn", "trigger_id": "t-1"}, {"model_id": "any-2", "trigger_id": "t-2"}]
    with aws.turned_away("t-1"):
        report = aws.account.receive.invoke(sqs_batch([json.dumps(aws.event(content)) for content in asked]))
    assert report == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}
    assert aws.trainings() == ["t-2"]
