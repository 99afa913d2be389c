"""Wires the core to Azure: reads the environment and makes everything once, on first use, and keeps it while warm.

Adapters that not every function needs are imported where they are made.
"""

import logging
import os
from pathlib import Path
from typing import Final

from functions.assembly import Deployment, emitter_parts, receiver_parts
from functions.azure.addresses import place_of, topic_of
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from functions.azure.launcher import PUBLIC, AzureMlLauncher
from functions.azure.ledger import TableLedger
from functions.machine import once
from shared.config.environment import Environment, read_environment
from shared.config.targets import AzureMlTarget, Target
from shared.decision.state import Decided
from shared.http.parts import EmitterParts
from shared.log import JsonFormatter
from shared.ports import DeadLetters, Launcher
from shared.training.parts import ReceiverParts

CLOUD: Final = "azure"
ROOT: Final = Path(__file__).parents[2]


@once
def emitter() -> EmitterParts:
    """Return the parts for emitting triggers.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    from functions.azure.bus import EventGridBus

    _set_up_logs()
    environment = _environment("RETRAIN_BUS", "RETRAIN_LEDGER")
    bus = EventGridBus(clients().topic(topic_of(environment.bus)), environment.bus, environment.source)
    return emitter_parts(_deployment(environment), bus)


@once
def receiver() -> ReceiverParts:
    """Return the parts for deciding and launching.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    _set_up_logs()
    environment = _environment("RETRAIN_LEDGER")
    return receiver_parts(
        _deployment(environment),
        launcher=lambda target: _launcher(target, environment),
        dead_letters=_dead_letters(environment),
        read_secret=_read_secret,
    )


def callers_are_authenticated() -> bool:
    """Whether App Service authentication is on; only then does the platform itself set the headers that name callers.

    If it is off, any caller with the function's key can send these headers.
    """
    return os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


@once
def clients() -> Clients:
    """Return the clients of all services, with the access that the environment gives."""
    environment = _environment()
    access = Access(
        managed_identity=bool(os.environ.get("IDENTITY_ENDPOINT")),
        client_id=os.environ.get("AZURE_CLIENT_ID", ""),
        topic_key=environment.event_grid_key,
        connection_string=os.environ.get("AZURE_STORAGE_CONNECTION_STRING", ""),
    )
    return Clients(access)


def _environment(*needed: str) -> Environment:
    return read_environment(os.environ, root=ROOT, needed=needed)


def _deployment(environment: Environment) -> Deployment:
    place = place_of("RETRAIN_LEDGER", environment.ledger)
    ledger = TableLedger(clients().table(place), place.name)
    return Deployment(cloud=CLOUD, environment=environment, ledger=ledger, observe=_count)


def _dead_letters(environment: Environment) -> DeadLetters | None:
    if not environment.dead_letters:
        return None
    from functions.azure.dead_letters import BlobDeadLetters

    place = place_of("RETRAIN_DEAD_LETTERS", environment.dead_letters)
    return BlobDeadLetters(clients().container(place), place.name)


def _launcher(target: Target, environment: Environment) -> Launcher | None:
    if not isinstance(target, AzureMlTarget):
        return None
    endpoint = environment.arm_endpoint or PUBLIC
    return AzureMlLauncher(clients().resource_manager(endpoint), target, endpoint)


def _read_secret(url: str) -> str:
    from functions.azure.secrets import audience_of, read_secret

    return read_secret(clients().rest(url, audience_of(url)), url)


def _set_up_logs() -> None:
    """Format the core's log records as JSON before the worker's handler, which adds the invocation, gets them."""
    logger = logging.getLogger("retrain")
    logger.setLevel(logging.INFO)
    if not logger.filters:
        logger.addFilter(_as_json)
    # At INFO azure-core logs every request and answer, which costs more to store than our own lines.
    logging.getLogger("azure").setLevel(logging.WARNING)


def _as_json(record: logging.LogRecord) -> bool:
    record.msg, record.args, record.exc_info = JsonFormatter().format(record), (), None
    return True


def _count(_model_id: str, _decided: Decided) -> None:
    """Do nothing: Application Insights counts the log lines `retrain.decided` by their fields."""
