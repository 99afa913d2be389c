"""SQS is handed a training once, or the launcher says that it may not have been."""

import hashlib
import inspect
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.loopback import Answer, LoopbackServer, Request, json_answer
from emulators.wire_gate import WireGate
from functions.aws import wiring
from functions.aws.clients import Clients
from functions.aws.queue_launcher import SqsLauncher
from shared.config.targets import SqsTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import LaunchRequest, RunResult
from shared.training.parts import ReceiverParts
from shared.trigger import RetrainTrigger
from tests.aws.adapters import IMPATIENT
from tests.contracts.adapters import Answering

CONFIGURATION = """
[models."churn".target.aws]
kind = "sagemaker"
pipeline = "churn-training"
"""
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def request(model_id: str = "churn", trigger_id: str = "t-1") -> LaunchRequest:
    """Return a request with parameters that the trigger did not bring."""
    trigger = RetrainTrigger(
        model_id=model_id, trigger_id=trigger_id, origin="manual", requested_at=NOW, parameters={"epochs": 9}
    )
    return LaunchRequest(
        trigger=trigger,
        token=trigger.token,
        parameters={"epochs": 9, "full": True, "name": "ü"},
        claimed_at=NOW,
        max_run=timedelta(hours=1),
    )


def queue(clients: Clients, *, fifo: bool) -> str:
    """Return the URL of a new queue."""
    name, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
    sqs = clients.factory("sqs")()
    return str(sqs.create_queue(QueueName=f"train-{uuid.uuid4()}{name}", Attributes=attributes)["QueueUrl"])


def launcher(clients: Clients, url: str) -> SqsLauncher:
    """Return a launcher for a queue."""
    return SqsLauncher(clients.factory("sqs"), SqsTarget(queue_url=url))


def received(clients: Clients, url: str) -> list[dict[str, Any]]:
    """Return the messages in a queue."""
    answer = clients.factory("sqs")().receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


@pytest.mark.parametrize("fifo", [True, False])
def test_a_message_is_the_trigger_with_parameters_and_token(clients: Clients, *, fifo: bool) -> None:
    """Who reads the queue gets the trigger's fields, the parameters filled in and the token; the run is theirs now."""
    url = queue(clients, fifo=fifo)
    run = launcher(clients, url).start(request(), again=False)
    (message,) = received(clients, url)
    assert json.loads(message["Body"]) == {
        "model_id": "churn",
        "trigger_id": "t-1",
        "origin": "manual",
        "requested_at": "2026-11-21T03:00:00Z",
        "parameters": {"epochs": 9, "full": True, "name": "ü"},
        "schema": 1,
        "token": request().token,
    }
    assert run.run_id == message["MessageId"]
    assert run.handed_over
    assert launcher(clients, url).status(run.run_id).result is RunResult.STOPPED


@pytest.mark.parametrize("model_id", ["modèle", "two words", "m" * 129])
def test_a_fifo_queue_takes_a_token_once(clients: Clients, model_id: str) -> None:
    """Its target says so; it drops repeats, and keeps the order of one model, whatever its name is."""
    url = queue(clients, fifo=True)
    training = launcher(clients, url)
    assert SqsTarget(queue_url=url).honours_tokens
    first, second = request(model_id, "t-1"), request(model_id, "t-2")
    for one, again in [(first, False), (first, True), (second, False), (second, True)]:
        training.start(one, again=again)
    messages = received(clients, url)
    assert [json.loads(message["Body"])["trigger_id"] for message in messages] == ["t-1", "t-2"]
    assert [message["Attributes"]["MessageDeduplicationId"] for message in messages] == [first.token, second.token]
    (group,) = {message["Attributes"]["MessageGroupId"] for message in messages}
    assert len(group) <= 128
    assert group.isascii()
    assert " " not in group


def test_a_legal_model_id_is_the_group(clients: Clients) -> None:
    """Who looks at a FIFO queue sees the model."""
    url = queue(clients, fifo=True)
    launcher(clients, url).start(request("churn-[eu]_2.0"), again=False)
    assert received(clients, url)[0]["Attributes"]["MessageGroupId"] == "churn-[eu]_2.0"


def test_a_standard_queue_knows_no_token(clients: Clients) -> None:
    """Its target says so: a repeat is a second message."""
    url = queue(clients, fifo=False)
    training = launcher(clients, url)
    assert not SqsTarget(queue_url=url).honours_tokens
    assert training.start(request(), again=False) != training.start(request(), again=True)
    assert len(received(clients, url)) == 2


def test_a_queue_that_does_not_exist_refuses(clients: Clients) -> None:
    """The configuration names a queue that is not there: no repeat helps."""
    url = queue(clients, fifo=False).replace("/train-", "/gone-")
    with pytest.raises(TargetRefusedError, match=f"SQS refuses a message for {url}: "):
        launcher(clients, url).start(request(), again=False)


@pytest.mark.parametrize("code", ["InvalidMessageContents", "UnsupportedOperation", "InvalidAddress"])
def test_a_message_that_the_queue_refuses_is_refused(
    environment: pytest.MonkeyPatch, answering: Answering, code: str
) -> None:
    """These answers will not change."""
    environment.setenv("AWS_ENDPOINT_URL_SQS", answering(400, {"__type": f"com.amazonaws.sqs#{code}"}))
    with pytest.raises(TargetRefusedError, match=code):
        launcher(Clients(limits=IMPATIENT), "https://sqs.example/1/train").start(request(), again=False)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("RequestThrottled", 400),
        ("KmsThrottled", 400),
        ("KmsDisabled", 400),
        ("AccessDeniedException", 403),
        ("InternalFailure", 500),
    ],
)
def test_a_queue_that_is_away_may_have_the_message(
    environment: pytest.MonkeyPatch, answering: Answering, code: str, status: int
) -> None:
    """Throttled, failing or closed to us: deliver again."""
    environment.setenv("AWS_ENDPOINT_URL_SQS", answering(status, {"__type": f"com.amazonaws.sqs#{code}"}))
    with pytest.raises(UnavailableError, match=f"SQS could not take a message for .*: {code}"):
        launcher(Clients(limits=IMPATIENT), "https://sqs.example/1/train").start(request(), again=False)


@pytest.mark.parametrize(("ending", "attempts"), [("", 1), (".fifo", 3)])
def test_a_lost_answer_of_a_standard_queue_is_not_repeated(
    environment: pytest.MonkeyPatch, tmp_path: Path, ending: str, attempts: int
) -> None:
    """As deployed: botocore's own repeat would be a second training, unless the queue drops it by its token."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    environment.setenv("RETRAIN_CONFIG", str(tmp_path / "retrain.toml"))
    environment.setenv("RETRAIN_LEDGER", "states")
    bodies: list[bytes] = []
    with LoopbackServer(lambda asked: bodies.append(asked.body)) as server:
        environment.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        target = SqsTarget(queue_url=f"{server.url}/123456789012/train{ending}")
        receiver: ReceiverParts = inspect.unwrap(wiring.receiver)()
        with pytest.raises(UnavailableError, match="SQS could not take a message"):
            receiver.launcher(target).start(request(), again=False)
    assert len(bodies) == attempts
    assert len(set(bodies)) == 1


@pytest.mark.usefixtures("environment")
def test_each_hand_over_has_a_connection_of_its_own(environment: pytest.MonkeyPatch) -> None:
    """A function may be frozen between two of them for longer than SQS keeps a connection."""

    def respond(asked: Request) -> Answer:
        body = json.loads(asked.body)["MessageBody"].encode()
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return json_answer(200, {"MessageId": "m-1", "MD5OfMessageBody": digest})

    with LoopbackServer(respond) as server, WireGate(server.address) as gate:
        environment.setenv("AWS_ENDPOINT_URL_SQS", f"http://{gate.address}")
        training = launcher(Clients(limits=IMPATIENT), "https://sqs.example/1/train")
        for number in range(3):
            training.start(request(trigger_id=f"t-{number}"), again=False)
        assert gate.connections == 3


def test_what_was_handed_over_cannot_be_cancelled() -> None:
    """The error names the queue, and no call is made."""
    with pytest.raises(TargetRefusedError, match=r"handed over to the queue https://sqs.example/1/train cannot be"):
        launcher(Clients(limits=IMPATIENT), "https://sqs.example/1/train").cancel("m-1")
