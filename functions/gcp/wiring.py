"""Puts the parts together on Google Cloud: reads the environment and makes everything once, on first use."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.gcp import dead_letters, ledger
from functions.gcp.dead_letters import PubSubDeadLetters
from functions.gcp.ledger import FirestoreLedger
from functions.gcp.logs import log_to_cloud
from functions.gcp.sessions import Sessions
from functions.machine import new_id, now, once
from shared.config.environment import Environment, read_environment
from shared.config.targets import GitHubTarget, Target, VertexTarget
from shared.decision.state import Decided
from shared.errors import ConfigError, UnknownModelError
from shared.parts import EmitterParts, ReceiverParts
from shared.ports import Launcher, Notifier

# Below, whatever not every function and every configuration needs is imported where it is used: it costs a cold start.
if TYPE_CHECKING:
    from functions.github.wiring import GitHubParts

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
    """Return the parts for asking.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    from functions.gcp.bus import PubSubBus, publisher

    log_to_cloud()
    environment = _environment("RETRAIN_BUS", "RETRAIN_LEDGER")
    return EmitterParts(
        cloud=CLOUD,
        config=environment.config,
        ledger=_ledger(environment),
        bus=PubSubBus(once(publisher), environment.bus, environment.source),
        clock=now,
        new_id=new_id,
        observe=_count,
    )


@once
def receiver() -> ReceiverParts:
    """Return the parts for deciding and launching.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    log_to_cloud()
    environment = _environment("RETRAIN_LEDGER")
    github = _github(environment)
    return ReceiverParts(
        cloud=CLOUD,
        source=environment.source,
        config=environment.config,
        ledger=_ledger(environment),
        launcher=lambda target: _launcher(target, environment, github),
        dead_letters=_dead_letters(environment),
        clock=now,
        new_id=new_id,
        observe=_count,
        notifier=_notifier(environment),
        dispatcher=github.dispatcher if github else None,
    )


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


def _ledger(environment: Environment) -> FirestoreLedger:
    session, emulator = _sessions().emulated("FIRESTORE_EMULATOR_HOST")
    return FirestoreLedger(session, environment.ledger, emulator or ledger.ENDPOINT)


def _dead_letters(environment: Environment) -> PubSubDeadLetters | None:
    if not environment.dead_letters:
        return None
    session, emulator = _sessions().emulated("PUBSUB_EMULATOR_HOST")
    return PubSubDeadLetters(session, environment.dead_letters, emulator or dead_letters.ENDPOINT)


def _notifier(environment: Environment) -> Callable[[str], Notifier] | None:
    if not environment.config.channels:
        return None
    from functions.notify.wiring import channel_notifiers

    return channel_notifiers(environment.config.channels)


def _github(environment: Environment) -> "GitHubParts | None":
    """Return what GitHub needs; none where nothing may be dispatched to."""
    if not environment.config.repositories:
        return None
    from functions.github.token import SecretStore
    from functions.github.wiring import github_parts

    return github_parts(environment, cloud=CLOUD, stores={SecretStore.GCP: _read_secret})


def _read_secret(name: str) -> str:
    from functions.gcp.secrets import read_secret

    return read_secret(_sessions().at(""), name)


def _launcher(target: Target, environment: Environment, github: "GitHubParts | None") -> Launcher:
    if isinstance(target, GitHubTarget) and github is not None:
        return github.launcher(target)
    if not isinstance(target, VertexTarget):
        raise UnknownModelError(f"target.{CLOUD}.kind: {target.kind!r} cannot be launched by this bundle")
    from functions.gcp.launcher import VertexLauncher

    endpoint = environment.vertex_endpoint
    return VertexLauncher(_sessions().at(endpoint), target, environment.config.folder, endpoint)


@once
def _sessions() -> Sessions:
    return Sessions(os.environ)


def _count(model_id: str, decided: Decided) -> None:
    """Count nothing: every decision is a log line already, and a log-based metric counts those by their fields."""
