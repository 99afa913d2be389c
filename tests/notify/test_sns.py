"""SNS gets one message with a form for each kind of subscriber; permanent refusals are distinguished."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from emulators.loopback import Answer, LoopbackServer
from functions.aws.clients import CallLimits, Clients
from functions.aws.notifier import PROGRAMS, SIZE_LIMIT, SnsNotifier, message, subject
from shared.errors import PermanentError, UnavailableError
from shared.notice import Notice, notice_document, notice_text
from tests.notify.given import NOTICE, notice

TOPIC = "arn:aws:sns:eu-west-3:123456789012:retraining"


def subscribed(clients: Clients, *, fifo: bool, filter_policy: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """Return a new topic and the URL of a queue that is subscribed to it."""
    sns, sqs = clients.factory("sns")(), clients.factory("sqs")()
    ending = ".fifo" if fifo else ""
    name = f"retraining-{uuid.uuid4()}{ending}"
    topic = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return str(topic), str(queue)


def received(clients: Clients, queue: str) -> list[dict[str, Any]]:
    """Return what SNS put into the queue."""
    answer = clients.factory("sqs")().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


def notifier(clients: Clients, topic: str = TOPIC) -> SnsNotifier:
    """Return a notifier of a topic."""
    return SnsNotifier(clients.factory("sns"), topic)


@pytest.mark.parametrize("fifo", [True, False])
def test_a_notice_arrives_at_a_subscribed_queue(clients: Clients, *, fifo: bool) -> None:
    """As JSON, with its subject, and with attributes to filter by."""
    topic, queue = subscribed(clients, fifo=fifo)
    notifier(clients, topic).send(NOTICE)
    (reported,) = received(clients, queue)
    assert reported["Subject"] == "The training of churn has failed"
    assert reported["MessageAttributes"] == {
        "event": {"Type": "String", "Value": "failed"},
        "model_id": {"Type": "String", "Value": "churn"},
    }
    assert json.loads(reported["Message"]) == notice_document(NOTICE)


def test_subscribers_can_filter(clients: Clients) -> None:
    """Who wants failures only gets no others; an event without a model has no such attribute."""
    topic, queue = subscribed(clients, fifo=False, filter_policy={"event": ["rejected"]})
    for one in (NOTICE, notice(event="rejected", model_id="")):
        notifier(clients, topic).send(one)
    (reported,) = received(clients, queue)
    assert reported["MessageAttributes"] == {"event": {"Type": "String", "Value": "rejected"}}


def test_a_fifo_topic_takes_a_notice_once(clients: Clients) -> None:
    """A notice that is sent again is dropped; another one is not."""
    topic, queue = subscribed(clients, fifo=True)
    for one in (NOTICE, NOTICE, notice(trigger_id="t-2")):
        notifier(clients, topic).send(one)
    assert len(received(clients, queue)) == 2


def test_people_get_text_and_programs_get_json() -> None:
    """Each kind of subscriber has its form; every form is a text, as SNS wants it."""
    forms = json.loads(message(NOTICE))
    assert forms["default"] == notice_text(NOTICE)
    assert "Qualität fällt" in forms["default"]
    assert forms["sms"] == "The training of churn has failed"
    assert {name: json.loads(forms[name]) for name in PROGRAMS} == dict.fromkeys(PROGRAMS, notice_document(NOTICE))
    assert all(isinstance(form, str) for form in forms.values())


def test_a_line_break_reaches_neither_text_nor_subject() -> None:
    """Each field stays one line in every form for people; programs get it unchanged."""
    forged = "x\nTo start it: open https://evil.example"
    one = notice(
        event="awaiting_approval", reason=forged, trigger_id=forged, model_id=forged, evidence={forged: forged}
    )
    forms = json.loads(message(one))
    assert len([line for line in forms["default"].splitlines() if line.startswith("To start it: ")]) == 1
    assert "\n" not in forms["sms"] + subject(one)
    assert json.loads(forms["sqs"])["reason"] == forged


@pytest.mark.parametrize(
    ("model_id", "reported"),
    [
        ("modèle", "The training of mod?le has failed"),
        ("a\nb", r"The training of a\nb has failed"),
        ("m" * 256, f"The training of {'m' * 80}..."),
    ],
)
def test_a_subject_is_a_line_of_ascii(model_id: str, reported: str) -> None:
    """Of less than 100 characters, as SNS and mail servers want it."""
    assert subject(notice(model_id=model_id)) == reported
    assert len(reported) < 100


def test_a_long_subject_is_taken(clients: Clients) -> None:
    """By the service, too."""
    topic, queue = subscribed(clients, fifo=False)
    notifier(clients, topic).send(notice(model_id="m" * 256))
    assert len(received(clients, queue)[0]["Subject"]) == 99


@pytest.mark.parametrize(
    "long",
    [
        notice(evidence={"quotes": '"' * 8000}),
        notice(evidence={"quotes": '\\"' * 4000}, reason='"' * 100_000, url="ü" * 100_000),
    ],
)
def test_a_message_is_never_too_long(long: Notice) -> None:
    """Evidence may be long, and every form has its own copy: it is left out before SNS refuses the notice."""
    text = message(long)
    assert len(text.encode()) <= SIZE_LIMIT
    assert json.loads(json.loads(text)["sqs"])["model_id"] == "churn"


def test_attributes_count_too() -> None:
    """SNS measures them together with the message, which leaves them room at every length."""
    lengths = [len(message(notice(evidence={"log": "x" * size}))) for size in range(35_000, 39_000, 200)]
    assert max(lengths) > SIZE_LIMIT - 8192
    assert max(lengths) + 4096 <= SIZE_LIMIT


def test_a_topic_that_does_not_exist_is_permanent(clients: Clients) -> None:
    """The next notice would not arrive either; the topic is named without its account."""
    with pytest.raises(PermanentError, match="SNS refuses a notice for the topic gone: NotFound") as caught:
        notifier(clients, "arn:aws:sns:eu-west-3:123456789012:gone").send(NOTICE)
    assert "123456789012" not in str(caught.value).partition(": ")[0]


ERROR = "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>no</Message></Error></ErrorResponse>"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InvalidParameter", 400, PermanentError),
        ("AuthorizationError", 403, UnavailableError),
        ("KMSAccessDenied", 400, UnavailableError),
        ("Throttling", 400, UnavailableError),
        ("KMSThrottling", 400, UnavailableError),
        ("InternalError", 500, UnavailableError),
    ],
)
@pytest.mark.usefixtures("clients")
def test_answers_of_sns_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, kind: type[Exception]
) -> None:
    """Throttled, away, or a right that is missing: later. Refused: never."""
    with LoopbackServer(lambda _: Answer(status=status, body=ERROR.format(code).encode())) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", server.url)
        with pytest.raises(kind, match=f"topic retraining: {code}"):
            notifier(Clients(limits=CallLimits(attempts=1))).send(NOTICE)
