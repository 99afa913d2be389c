"""Puts the parts together on AWS: reads the environment and makes everything once, on first use, kept while warm."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.aws.bus import EventBridgeBus
from functions.aws.clients import AssumedRole, Clients, region_of
from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.launcher import SageMakerLauncher
from functions.aws.ledger import DynamoLedger
from functions.aws.notifier import SnsNotifier
from functions.aws.queue_launcher import SqsLauncher
from functions.aws.secrets import read_secret
from functions.github.token import SecretStore
from functions.github.wiring import GitHubParts, github_parts
from functions.machine import new_id, now
from functions.notify.wiring import channel_notifiers
from shared.config.environment import Environment, read_environment
from shared.config.targets import GitHubTarget, SageMakerTarget, SqsTarget, Target
from shared.decision.state import Decided
from shared.errors import UnknownModelError
from shared.parts import EmitterParts, ReceiverParts
from shared.ports import Launcher

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

CLOUD: Final = "aws"
ROOT: Final = Path(__file__).parents[2]
NAMESPACE: Final = "Retrain"


@cache
def emitter() -> EmitterParts:
    """Return the parts for asking.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    logger()
    environment = _environment("RETRAIN_BUS", "RETRAIN_LEDGER")
    clients = Clients()
    events = _emitting_clients(environment, clients).factory("events", region_of(environment.bus))
    return EmitterParts(
        cloud=CLOUD,
        config=environment.config,
        ledger=DynamoLedger(clients.factory("dynamodb"), environment.ledger),
        bus=EventBridgeBus(events, environment.bus, environment.source),
        clock=now,
        new_id=new_id,
        observe=_count,
    )


@cache
def receiver() -> ReceiverParts:
    """Return the parts for deciding and launching.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    logger()
    environment = _environment("RETRAIN_LEDGER")
    clients = Clients()
    letters = environment.dead_letters
    github = github_parts(environment, cloud=CLOUD, stores={SecretStore.AWS: lambda arn: _read_secret(clients, arn)})
    return ReceiverParts(
        cloud=CLOUD,
        source=environment.source,
        config=environment.config,
        ledger=DynamoLedger(clients.factory("dynamodb"), environment.ledger),
        launcher=lambda target: _launcher(clients, target, github),
        dead_letters=SqsDeadLetters(clients.factory("sqs", region_of(letters)), letters) if letters else None,
        clock=now,
        new_id=new_id,
        observe=_count,
        notifier=channel_notifiers(environment.config.channels, sns=lambda arn: _topic(clients, arn)),
        dispatcher=github.dispatcher,
    )


@cache
def logger() -> "Logger":
    """Set up JSON logs for the core's logger, which has this service's name."""
    from aws_lambda_powertools import Logger

    return Logger(service="retrain")


def _environment(*needed: str) -> Environment:
    return read_environment(os.environ, root=ROOT, needed=needed)


def _emitting_clients(environment: Environment, own: Clients) -> Clients:
    if not environment.role_arn:
        return own
    return Clients(role=AssumedRole(arn=environment.role_arn, external_id=environment.external_id))


def _read_secret(clients: Clients, arn: str) -> str:
    return read_secret(clients.factory("secretsmanager", region_of(arn)), arn)


def _topic(clients: Clients, arn: str) -> SnsNotifier:
    return SnsNotifier(clients.factory("sns", region_of(arn)), arn)


def _launcher(clients: Clients, target: Target, github: GitHubParts) -> Launcher:
    match target:
        case SageMakerTarget(pipeline=pipeline):
            return SageMakerLauncher(clients.factory("sagemaker", region_of(pipeline)), target)
        case GitHubTarget():
            return github.launcher(target)
        case SqsTarget(queue_url=queue_url):
            return SqsLauncher(clients.factory("sqs", region_of(queue_url)), target)
    raise UnknownModelError(f"target.{CLOUD}.kind: {target.kind!r} cannot be launched by this bundle")


def _count(model_id: str, decided: Decided) -> None:
    """Count a decision as a CloudWatch metric, written to the log: no call is made."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name="Decisions", unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as metric:
        metric.add_dimension(name="decision", value=decided.decision)
        metric.add_dimension(name="reason", value=decided.reason)
        metric.add_metadata(key="model_id", value=model_id)
