"""What must be there on AWS before a trigger becomes a training; each check asks with the caller's own credentials."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from functions.aws.clients import SESSION_NAME, AssumedRole, CallLimits, Clients, region_of
from functions.aws.errors import translated
from functions.aws.ledger import DynamoLedger
from functions.aws.secrets import read_secret
from functions.cli.doctor.aws.errors import DENIED, NOBODY, codes_of, excuses, lacking, told
from functions.cli.doctor.aws.event_rules import EventRules
from functions.cli.doctor.aws.eventbridge import Rules
from functions.cli.doctor.aws.native_events import BUS as DEFAULT_BUS
from functions.cli.doctor.aws.native_events import native_checks
from functions.cli.doctor.aws.sagemaker import Pipeline
from functions.cli.doctor.check import (
    PROBE,
    Check,
    CheckFailedError,
    CheckSkippedError,
    Form,
    Setting,
    explained,
    needed,
    variable_check,
)
from functions.github.token import ReadSecret, SecretStore
from shared.config.model import Model
from shared.config.targets import SageMakerTarget, SqsTarget

# A person waits.
LIMITS: Final = CallLimits(attempts=2)
# No item ever gets to this version; every program on the way keeps the number exactly.
IMPOSSIBLE: Final = 2**53 - 1

_FORMS: Final = {
    "RETRAIN_BUS": Form(
        wanted="the name or the ARN of an event bus",
        pattern=re.compile(r"(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}"),
    ),
    "RETRAIN_LEDGER": Form(
        wanted="the name or the ARN of a DynamoDB table",
        pattern=re.compile(r"(arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/)?[A-Za-z0-9._-]{3,255}"),
    ),
    "RETRAIN_DEAD_LETTERS": Form(
        wanted="the URL of an SQS queue",
        pattern=re.compile(r"https?://\S+/\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?"),
        unset="a rejected event is raised, and the function's own dead-letter queue has to take it",
    ),
    "RETRAIN_ROLE_ARN": Form(
        wanted="the ARN of a role",
        pattern=re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"),
        unset="triggers are emitted with the function's own rights",
    ),
}
_NO_QUEUE: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress")
# moto's words for a pipeline that is not there, beside those of the service.
_NO_PIPELINE: Final = ("ResourceNotFound", "ValidationException")


def checks(setting: Setting) -> list[Check]:
    """Return the checks for AWS, in the order in which they are best repaired."""
    account = _Account(setting)
    role = setting.variables.get("RETRAIN_ROLE_ARN")
    models = setting.config.models if setting.config else ()
    channels = setting.config.channels if setting.config else ()
    return [
        Check(name="credentials", about="AWS knows who asks", run=account.identity),
        *(variable_check(setting, name, form) for name, form in _FORMS.items()),
        *([Check(name="role", about=f"the role {role} can be assumed", run=account.role)] if role else ()),
        Check(name="event bus", about="the event bus is there", run=account.bus),
        *account.rules().checks(),
        *account.native(models),
        Check(name="ledger, reading", about="the table can be read", run=account.read),
        Check(name="ledger, writing", about="a write was refused by nothing but its condition", run=account.write),
        Check(name="dead letters", about="the queue for rejected events is there; none was sent", run=account.letters),
        *(check for model in models for check in account.target(model)),
        *(account.topic(channel) for channel in channels if channel.startswith("arn:")),
    ]


def secret_stores() -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on AWS."""
    clients = Clients(limits=LIMITS)
    return {SecretStore.AWS: lambda arn: read_secret(clients.factory("secretsmanager", region_of(arn)), arn)}


def _told_of(right: str) -> AbstractContextManager[None]:
    gone = CheckSkippedError("not checked: the event bus is not there")
    return told(gone, "ResourceNotFoundException", right=right)


class _Account:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._own = Clients(limits=LIMITS)
        variables = setting.variables
        arn, external_id = variables.get("RETRAIN_ROLE_ARN"), variables.get("RETRAIN_EXTERNAL_ID", "")
        role = AssumedRole(arn=arn, external_id=external_id) if arn else None
        emitting = Clients(role=role, limits=LIMITS) if role else self._own
        self._events = emitting.factory("events", region_of(variables.get("RETRAIN_BUS", "")))

    def identity(self) -> None:
        with explained(codes_of, NOBODY), translated("STS", "tell who asks"):
            # STS has an endpoint for no region, too; the others have none.
            self._own.factory("dynamodb")()
            self._own.factory("sts")().get_caller_identity()

    def role(self) -> None:
        arn, external_id = needed(self._setting, "RETRAIN_ROLE_ARN"), self._setting.variables.get("RETRAIN_EXTERNAL_ID")
        given = {"ExternalId": external_id} if external_id else {}
        wanted = " and its external id" if external_id else ", and RETRAIN_EXTERNAL_ID is not set"
        denied = CheckFailedError(f"the role {arn} cannot be assumed: check its trust policy{wanted}")
        with told(denied, *DENIED), translated("STS", f"assume the role {arn}"):
            self._own.factory("sts")().assume_role(RoleArn=arn, RoleSessionName=SESSION_NAME, **given)

    def bus(self) -> None:
        bus = needed(self._setting, "RETRAIN_BUS")
        gone = f"there is no event bus {bus}, and EventBridge takes events for it all the same and loses them"
        failed = CheckFailedError(f"{gone}: deploy the stack, or correct RETRAIN_BUS")
        with (
            told(failed, "ResourceNotFoundException", right="events:DescribeEventBus"),
            translated("EventBridge", f"look up {bus}"),
        ):
            self._events().describe_event_bus(Name=bus)

    def rules(self) -> Rules:
        bus = lambda: needed(self._setting, "RETRAIN_BUS")  # noqa: E731 - asked when a check runs
        return Rules(EventRules(self._events, bus, _told_of), self._setting.source)

    def native(self, models: Sequence[Model]) -> list[Check]:
        return native_checks(EventRules(self._own.factory("events"), lambda: DEFAULT_BUS, _told_of), models)

    def read(self) -> None:
        table = needed(self._setting, "RETRAIN_LEDGER")
        gone = f"there is no DynamoDB table {table} in this region: deploy the stack, or correct RETRAIN_LEDGER"
        key = f"the DynamoDB table {table} is no ledger: its partition key must be the string model_id, and no other"
        sentences = {"ResourceNotFoundException": CheckFailedError(gone), "ValidationException": CheckFailedError(key)}
        with explained(codes_of, excuses("") | sentences | lacking("dynamodb:GetItem", table)):
            DynamoLedger(self._own.factory("dynamodb"), table).load(PROBE)

    def write(self) -> None:
        """Write on a condition that nothing meets: DynamoDB looks at the right to write before it looks at that."""
        table = needed(self._setting, "RETRAIN_LEDGER")
        unreadable = CheckSkippedError("not checked: the table is not there, or is no ledger")
        sentences = dict.fromkeys(("ResourceNotFoundException", "ValidationException"), unreadable)
        with explained(codes_of, excuses("") | sentences | lacking("dynamodb:PutItem", table)):
            DynamoLedger(self._own.factory("dynamodb"), table).save(PROBE, "{}", IMPOSSIBLE)

    def letters(self) -> None:
        self._queue(needed(self._setting, "RETRAIN_DEAD_LETTERS"), "RETRAIN_DEAD_LETTERS")

    def target(self, model: Model) -> list[Check]:
        match model.targets.get("aws"):
            case SageMakerTarget(pipeline=pipeline):
                client = self._own.factory("sagemaker", region_of(pipeline))
                right = "sagemaker:DescribePipeline"
                return Pipeline(client, model, pipeline, lambda gone: told(gone, *_NO_PIPELINE, right=right)).checks()
            case SqsTarget(queue_url=url):
                place = f'models."{model.name}".target.aws.queue_url'
                about = "the queue that trainings are handed to is there; none was sent"
                return [Check(name=f"queue of {model.name}", about=about, run=lambda: self._queue(url, place))]
        return []

    def topic(self, arn: str) -> Check:
        def run() -> None:
            gone = CheckFailedError(f"there is no SNS topic {arn}: make it, or correct notify.channels")
            with told(gone, "NotFound", right="sns:GetTopicAttributes"), translated("SNS", f"look up {arn}"):
                self._own.factory("sns", region_of(arn))().get_topic_attributes(TopicArn=arn)

        return Check(name=f"topic {arn.rpartition(':')[2]}", about="the SNS topic is there; nothing was sent", run=run)

    def _queue(self, url: str, place: str) -> None:
        gone = CheckFailedError(f"there is no SQS queue {url}: make it, or correct {place}")
        with told(gone, *_NO_QUEUE, right="sqs:GetQueueAttributes"), translated("SQS", f"look up the queue {url}"):
            self._own.factory("sqs", region_of(url))().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
