"""Wires the core to Google Cloud: reads the environment and makes everything once, on first use."""

import os
import re
from functools import partial
from pathlib import Path
from typing import Final

from functions.assembly import Deployment, emitter_parts, receiver_parts
from functions.gcp import dead_letters, ledger
from functions.gcp.dead_letters import PubSubDeadLetters
from functions.gcp.ledger import FirestoreLedger
from functions.gcp.logs import log_to_cloud
from functions.gcp.parameter_check import check_parameters
from functions.gcp.sessions import Sessions
from functions.machine import once
from shared.config.environment import Environment, read_environment
from shared.config.targets import Target, VertexTarget
from shared.decision.state import Decided
from shared.errors import ConfigError
from shared.http.parts import EmitterParts
from shared.ports import Launcher
from shared.training.parts import ReceiverParts

# Anything that only some functions or configurations need is imported where it is used: imports cost a cold start.
CLOUD: Final = "gcp"
ROOT: Final = Path(__file__).parents[2]

_TOPIC: Final = ("projects/P/topics/T", re.compile(r"projects/[^/]+/topics/[^/]+"))
_COLLECTION: Final = (
    "projects/P/databases/D/documents/COLLECTION",
    re.compile(r"projects/[^/]+/databases/[^/]+/documents/[^/]+(/[^/]+/[^/]+)*"),
)
_FORMS: Final = {"RETRAIN_BUS": _TOPIC, "RETRAIN_LEDGER": _COLLECTION, "RETRAIN_DEAD_LETTERS": _TOPIC}


@once
def emitter() -> EmitterParts:
    """Return the parts for emitting triggers.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    from functions.gcp.bus import ALONE, PubSubBus, publisher

    log_to_cloud(_project())
    environment = _environment("RETRAIN_BUS", "RETRAIN_LEDGER")
    alone = once(partial(publisher, latency=ALONE))
    bus = PubSubBus(once(publisher), environment.bus, environment.source, alone=alone)
    return emitter_parts(_deployment(environment), bus)


@once
def receiver() -> ReceiverParts:
    """Return the parts for deciding and launching.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    log_to_cloud(_project())
    environment = _environment("RETRAIN_LEDGER")
    return receiver_parts(
        _deployment(environment),
        launcher=lambda target: _launcher(target, environment),
        dead_letters=_dead_letters(environment),
        read_secret=_read_secret,
    )


def _project() -> str:
    """Return the project of the deployment; empty if the environment is wrong."""
    named = re.match(r"projects/([^/]+)/", os.environ.get("RETRAIN_LEDGER", ""))
    return named[1] if named else ""


def _environment(*needed: str) -> Environment:
    environment = read_environment(os.environ, root=ROOT, needed=needed)
    problems = [
        f"{name}: must have the form {form}, not {os.environ[name]!r}"
        for name, (form, pattern) in _FORMS.items()
        if os.environ.get(name) and not pattern.fullmatch(os.environ[name])
    ]
    if problems:
        raise ConfigError("environment", problems)
    return environment


def _deployment(environment: Environment) -> Deployment:
    session, emulator = _sessions().emulated("FIRESTORE_EMULATOR_HOST")
    firestore = FirestoreLedger(session, environment.ledger, emulator or ledger.ENDPOINT)
    return Deployment(
        cloud=CLOUD,
        environment=environment,
        ledger=firestore,
        observe=_count,
        check=check_parameters(environment.config.folder),
    )


def _dead_letters(environment: Environment) -> PubSubDeadLetters | None:
    if not environment.dead_letters:
        return None
    session, emulator = _sessions().emulated("PUBSUB_EMULATOR_HOST")
    return PubSubDeadLetters(session, environment.dead_letters, emulator or dead_letters.ENDPOINT)


def _read_secret(name: str) -> str:
    from functions.gcp.secrets import read_secret

    return read_secret(_sessions().at(""), name)


def _launcher(target: Target, environment: Environment) -> Launcher | None:
    if not isinstance(target, VertexTarget):
        return None
    from functions.gcp.launcher import VertexLauncher

    endpoint = environment.vertex_endpoint
    return VertexLauncher(_sessions().at(endpoint), target, environment.config.folder, endpoint)


@once
def _sessions() -> Sessions:
    return Sessions(os.environ)


def _count(model_id: str, decided: Decided) -> None:
    """Count nothing: every decision is a log line already, and a log-based metric counts those by their fields."""
