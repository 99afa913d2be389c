"""The preconditions of a training on AWS; every check uses the caller's own credentials."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from functions.aws.clients import SESSION_NAME, AssumedRole, CallLimits, Clients, region_of
from functions.aws.errors import translated
from functions.aws.ledger import DynamoLedger
from functions.aws.secrets import read_secret
from functions.cli.doctor.aws.errors import DENIED, NO_CREDENTIALS, codes_of, explain, missing_permission, skip_reasons
from functions.cli.doctor.aws.event_rules import EventRules
from functions.cli.doctor.aws.eventbridge import Rules
from functions.cli.doctor.aws.ledger_index import index_check
from functions.cli.doctor.aws.native_events import BUS as DEFAULT_BUS
from functions.cli.doctor.aws.native_events import native_checks
from functions.cli.doctor.aws.sagemaker import Pipeline
from functions.cli.doctor.check import PROBE, Check, CheckFailedError, CheckSkippedError, Setting, explained
from functions.cli.doctor.places import Form, form_checks, ledger_checks
from functions.github.token import ReadSecret, SecretStore
from shared.config.model import Model
from shared.config.targets import SageMakerTarget, SqsTarget

# A person is waiting for the result.
LIMITS: Final = CallLimits(attempts=2)
# No item ever reaches this version; every program in between represents the number exactly.
IMPOSSIBLE: Final = 2**53 - 1

_FORMS: Final = {
    "RETRAIN_BUS": Form(
        expected="the name or the ARN of an event bus",
        pattern=re.compile(r"(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}"),
    ),
    "RETRAIN_LEDGER": Form(
        expected="the name or the ARN of a DynamoDB table",
        pattern=re.compile(r"(arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/)?[A-Za-z0-9._-]{3,255}"),
    ),
    "RETRAIN_DEAD_LETTERS": Form(
        expected="the URL of an SQS queue",
        pattern=re.compile(r"https?://\S+/\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?"),
        unset="a rejected event is raised, so it goes to the function's own dead-letter queue",
    ),
    "RETRAIN_ROLE_ARN": Form(
        expected="the ARN of a role",
        pattern=re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"),
        unset="triggers are emitted with the function's own permissions",
    ),
}
_NO_QUEUE: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress")
# The service's code for a pipeline that does not exist, and moto's.
_NO_PIPELINE: Final = ("ResourceNotFound", "ValidationException")


def checks(setting: Setting) -> list[Check]:
    """Return the checks for AWS, in the order in which to fix them."""
    account = _Account(setting)
    role = setting.variables.get("RETRAIN_ROLE_ARN")
    models = setting.config.models if setting.config else ()
    channels = setting.config.channel_places() if setting.config else {}
    return [
        Check(name="credentials", about="AWS accepts the credentials", run=account.identity),
        *form_checks(setting, _FORMS),
        *([Check(name="role", about=f"the role {role} can be assumed", run=account.role)] if role else ()),
        Check(name="event bus", about="the event bus exists", run=account.bus),
        *account.rules().checks(),
        *account.native(models),
        *ledger_checks("table", account.read, account.write),
        account.index(),
        Check(
            name="dead letters",
            about="the queue for rejected events exists; nothing was sent",
            run=account.dead_letters,
        ),
        *(check for model in models for check in account.target(model)),
        *(account.topic(channel) for channel in channels if channel.startswith("arn:")),
    ]


def secret_stores(_setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on AWS."""
    clients = Clients(limits=LIMITS)
    return {SecretStore.AWS: lambda arn: read_secret(clients.factory("secretsmanager", region_of(arn)), arn)}


def _explain_rules(permission: str) -> AbstractContextManager[None]:
    missing = CheckSkippedError("not checked: the event bus does not exist")
    return explain(missing, "ResourceNotFoundException", permission=permission)


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
        with explained(codes_of, NO_CREDENTIALS), translated("STS", "get the caller's identity"):
            # Unlike the other services, STS has an endpoint without a region, too.
            self._own.factory("dynamodb")()
            self._own.factory("sts")().get_caller_identity()

    def role(self) -> None:
        arn, external_id = self._setting.needed("RETRAIN_ROLE_ARN"), self._setting.variables.get("RETRAIN_EXTERNAL_ID")
        given = {"ExternalId": external_id} if external_id else {}
        hint = (
            " and its external id" if external_id else ", and whether it requires RETRAIN_EXTERNAL_ID, which is not set"
        )
        denied = CheckFailedError(f"the role {arn} cannot be assumed; check its trust policy{hint}")
        with explain(denied, *DENIED), translated("STS", f"assume the role {arn}"):
            self._own.factory("sts")().assume_role(RoleArn=arn, RoleSessionName=SESSION_NAME, **given)

    def bus(self) -> None:
        bus = self._setting.needed("RETRAIN_BUS")
        lost = "EventBridge would accept events for it and drop them"
        failed = CheckFailedError(f"there is no event bus {bus}, and {lost}; deploy the stack, or correct RETRAIN_BUS")
        with (
            explain(failed, "ResourceNotFoundException", permission="events:DescribeEventBus"),
            translated("EventBridge", f"look up {bus}"),
        ):
            self._events().describe_event_bus(Name=bus)

    def rules(self) -> Rules:
        bus = lambda: self._setting.needed("RETRAIN_BUS")  # noqa: E731 - read when a check runs
        return Rules(EventRules(self._events, bus, _explain_rules), self._setting.source)

    def native(self, models: Sequence[Model]) -> list[Check]:
        return native_checks(EventRules(self._own.factory("events"), lambda: DEFAULT_BUS, _explain_rules), models)

    def read(self) -> None:
        table = self._setting.needed("RETRAIN_LEDGER")
        missing = f"there is no DynamoDB table {table} in this region; deploy the stack, or correct RETRAIN_LEDGER"
        key = (
            f"the DynamoDB table {table} has another key than a ledger; use a table whose only key is the string"
            " model_id"
        )
        meanings = {
            "ResourceNotFoundException": CheckFailedError(missing),
            "ValidationException": CheckFailedError(key),
        }
        with explained(codes_of, skip_reasons("") | meanings | missing_permission("dynamodb:GetItem", table)):
            DynamoLedger(self._own.factory("dynamodb"), table).load(PROBE)

    def write(self) -> None:
        """Write under a condition that can never hold: DynamoDB checks the permission first."""
        table = self._setting.needed("RETRAIN_LEDGER")
        unreadable = CheckSkippedError("not checked: the table does not exist, or is not a ledger")
        meanings = dict.fromkeys(("ResourceNotFoundException", "ValidationException"), unreadable)
        with explained(codes_of, skip_reasons("") | meanings | missing_permission("dynamodb:PutItem", table)):
            DynamoLedger(self._own.factory("dynamodb"), table).save(PROBE, "{}", IMPOSSIBLE)

    def index(self) -> Check:
        return index_check(self._own.factory("dynamodb"), self._setting)

    def dead_letters(self) -> None:
        self._queue(self._setting.needed("RETRAIN_DEAD_LETTERS"), "RETRAIN_DEAD_LETTERS")

    def target(self, model: Model) -> list[Check]:
        match model.targets.get("aws"):
            case SageMakerTarget(pipeline=pipeline):
                client = self._own.factory("sagemaker", region_of(pipeline))
                permission = "sagemaker:DescribePipeline"
                return Pipeline(
                    client, model, pipeline, lambda missing: explain(missing, *_NO_PIPELINE, permission=permission)
                ).checks()
            case SqsTarget(queue_url=url):
                place = f'models."{model.name}".target.aws.queue_url'
                about = "the queue that receives the trainings exists; nothing was sent"
                return [Check(name=f"queue of {model.name}", about=about, run=lambda: self._queue(url, place))]
        return []

    def topic(self, arn: str) -> Check:
        def run() -> None:
            missing = CheckFailedError(
                f"there is no SNS topic {arn}; create it, or correct the channel in retrain.toml"
            )
            with explain(missing, "NotFound", permission="sns:GetTopicAttributes"), translated("SNS", f"look up {arn}"):
                self._own.factory("sns", region_of(arn))().get_topic_attributes(TopicArn=arn)

        return Check(name=f"topic {arn.rpartition(':')[2]}", about="the SNS topic exists; nothing was sent", run=run)

    def _queue(self, url: str, place: str) -> None:
        missing = CheckFailedError(f"there is no SQS queue {url}; create it, or correct {place}")
        with (
            explain(missing, *_NO_QUEUE, permission="sqs:GetQueueAttributes"),
            translated("SQS", f"look up the queue {url}"),
        ):
            self._own.factory("sqs", region_of(url))().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
