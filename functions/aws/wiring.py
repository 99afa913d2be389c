"""Wires the core to AWS: reads the environment and makes everything once, on first use, and keeps it while warm."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.assembly import Deployment, emitter_parts, receiver_parts
from functions.aws.bus import EventBridgeBus
from functions.aws.clients import AssumedRole, Clients, region_of
from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.launcher import SageMakerLauncher
from functions.aws.ledger import DynamoLedger
from functions.aws.notifier import SnsNotifier
from functions.aws.queue_launcher import SqsLauncher
from functions.aws.secrets import read_secret
from shared.config.environment import Environment, read_environment
from shared.config.targets import SageMakerTarget, SqsTarget, Target
from shared.decision.state import Decided
from shared.http.parts import EmitterParts
from shared.ports import Launcher
from shared.training.parts import ReceiverParts

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

CLOUD: Final = "aws"
ROOT: Final = Path(__file__).parents[2]
# The template sets the namespace of the deployment in the variable that Powertools reads.
NAMESPACE: Final = "Retrain"


@cache
def emitter() -> EmitterParts:
    """Return the parts for emitting triggers.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    logger()
    environment = _environment("RETRAIN_BUS", "RETRAIN_LEDGER")
    clients = Clients()
    events = _emitting_clients(environment, clients).factory("events", region_of(environment.bus))
    bus = EventBridgeBus(events, environment.bus, environment.source)
    return emitter_parts(_deployment(environment, clients), bus)


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
    return receiver_parts(
        _deployment(environment, clients),
        launcher=lambda target: _launcher(clients, target),
        dead_letters=SqsDeadLetters(clients.factory("sqs", region_of(letters)), letters) if letters else None,
        read_secret=lambda arn: _read_secret(clients, arn),
        sns=lambda arn: _topic(clients, arn),
    )


@cache
def logger() -> "Logger":
    """Return the logger of this service, which is also the core's, after setting it up for JSON."""
    from aws_lambda_powertools import Logger

    return Logger(service="retrain")


def _environment(*needed: str) -> Environment:
    return read_environment(os.environ, root=ROOT, needed=needed)


def _deployment(environment: Environment, clients: Clients) -> Deployment:
    ledger = DynamoLedger(clients.factory("dynamodb"), environment.ledger)
    return Deployment(cloud=CLOUD, environment=environment, ledger=ledger, observe=_count)


def _emitting_clients(environment: Environment, own: Clients) -> Clients:
    if not environment.role_arn:
        return own
    return Clients(role=AssumedRole(arn=environment.role_arn, external_id=environment.external_id))


def _read_secret(clients: Clients, arn: str) -> str:
    return read_secret(clients.factory("secretsmanager", region_of(arn)), arn)


def _topic(clients: Clients, arn: str) -> SnsNotifier:
    return SnsNotifier(clients.factory("sns", region_of(arn)), arn)


def _launcher(clients: Clients, target: Target) -> Launcher | None:
    match target:
        case SageMakerTarget(pipeline=pipeline):
            return SageMakerLauncher(clients.factory("sagemaker", region_of(pipeline)), target)
        case SqsTarget(queue_url=queue_url):
            # A standard queue takes botocore's own repeat after a lost answer for a second training.
            attempts = 0 if target.honours_tokens else 1
            return SqsLauncher(clients.factory("sqs", region_of(queue_url), attempts=attempts), target)
    return None


def _count(model_id: str, decided: Decided) -> None:
    """Count a decision as a CloudWatch metric, which is written to the log without a call."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
    with single_metric(name="Decisions", unit=MetricUnit.Count, value=1, namespace=namespace) as metric:
        metric.add_dimension(name="decision", value=decided.decision)
        metric.add_dimension(name="reason", value=decided.reason)
        metric.add_metadata(key="model_id", value=model_id)
