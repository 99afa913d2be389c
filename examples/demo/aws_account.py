"""An AWS account on loopback, by moto."""

import json
from collections.abc import Callable
from typing import Any

from emulators.aws_client import client
from emulators.ledger_table import create_ledger_table
from examples.demo.models import CONTAINER, FILE
from examples.demo.outside import Message

Json = dict[str, Any]

BUS, TABLE, TOPIC = "retraining", "retrain-state", "retraining"
# The rule pattern in the documentation of ML cube Platform, and our own events about a model that a person steers.
PATTERN = {"source": [{"prefix": "ml3_platform"}], "detail-type": [{"prefix": "retrain_trigger"}, "retrain_sweep"]}
# The same pattern as in the rule for buckets that are signals.
OBJECTS = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [CONTAINER]}}}


class Account:
    """The account.

    Attributes:
        url: the address of its services.
        triggers: the queue behind the buses, which `receive` consumes.
        letters: the queue of dead letters.
        topic: the SNS topic that people subscribe to.

    """

    def __init__(self, url: str) -> None:
        """Create the bus, the bucket and their rules, the queues, the topic and the table."""
        self.url = url
        self.events, self.sqs, self._s3 = (client(name, url) for name in ("events", "sqs", "s3"))
        self.triggers, self._copies, self.letters, self._inbox = (
            self.sqs.create_queue(QueueName=name)["QueueUrl"]
            for name in ("triggers", "copies", "dead-letters", "inbox")
        )
        self._letters: list[Json] = []
        self._messages: list[Message] = []
        create_ledger_table(client("dynamodb", url), TABLE)
        self.events.create_event_bus(Name=BUS)
        self._rule("triggers", BUS, PATTERN)
        self._make_bucket()
        sns = client("sns", url)
        self.topic = str(sns.create_topic(Name=TOPIC)["TopicArn"])
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn(self._inbox))

    def keep_secret(self, text: str) -> str:
        """Put *text* into Secrets Manager, and return the ARN of the secret."""
        return str(client("secretsmanager", self.url).create_secret(Name="github", SecretString=text)["ARN"])

    def send(self, event: Json) -> Json:
        """Put *event* on the bus as its sender does, and return it as the bus delivers it."""
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        sent = self.events.put_events(Entries=[{**entry, "EventBusName": BUS}])["Entries"][0]["EventId"]
        return self._copy(lambda delivered: delivered["id"] == sent)

    def put_file(self) -> None:
        """Put the file of the story into the bucket; its event is delivered twice."""
        self._s3.put_object(Bucket=CONTAINER, Key=FILE, Body=b"dteday,cnt\n")
        self.redeliver(self._copy(lambda delivered: delivered["source"] == "aws.s3"), 1)

    def redeliver(self, event: Json, times: int) -> None:
        """Deliver *event* again, as a bus with at-least-once delivery may."""
        for _ in range(times):
            self.sqs.send_message(QueueUrl=self.triggers, MessageBody=json.dumps(event))

    def dead_letters(self) -> list[Json]:
        """Return every dead letter so far."""
        self._letters += self._take(self.letters)
        return self._letters

    def messages(self) -> list[Message]:
        """Return the messages that the topic's subscriber got so far; to a queue, SNS sends them as JSON."""
        for envelope in self._take(self._inbox):
            self._messages.append(Message(title=envelope["Subject"], text=envelope["Message"]))
        return self._messages

    def _make_bucket(self) -> None:
        place = {"LocationConstraint": self._s3.meta.region_name}
        self._s3.create_bucket(Bucket=CONTAINER, CreateBucketConfiguration=place)
        self._s3.put_bucket_notification_configuration(
            Bucket=CONTAINER, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self._rule("objects", "default", OBJECTS)

    def _rule(self, name: str, bus: str, pattern: Json) -> None:
        """Send events of *pattern* to the queue behind the function, and a copy of each to the demo."""
        queues = (self.triggers, self._copies)
        self.events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        targets = [{"Id": f"queue-{n}", "Arn": self._arn(queue)} for n, queue in enumerate(queues)]
        self.events.put_targets(Rule=name, EventBusName=bus, Targets=targets)

    def _copy(self, wanted: Callable[[Json], bool]) -> Json:
        """Return a *wanted* event as the bus delivers it."""
        while True:
            for delivered in self._take(self._copies):
                if wanted(delivered):
                    return delivered

    def _take(self, queue: str) -> list[Json]:
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def _arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])
