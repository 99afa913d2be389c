"""Wires the core to this machine: reads the environment and makes everything."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from functions.assembly import Deployment, emitter_parts, receiver_parts
from functions.local.bus import SqliteBus
from functions.local.consumer import Consumer, Delivering
from functions.local.dead_letters import FolderDeadLetters
from functions.local.events import decode
from functions.local.launcher import CommandLauncher
from functions.local.ledger import SqliteLedger
from functions.machine import new_id, now
from shared.backoff import Backoff
from shared.config.environment import Environment, read_environment
from shared.config.targets import CommandTarget, Target
from shared.decision.state import Decided
from shared.frozen import dataclass
from shared.http.parts import EmitterParts
from shared.ports import Launcher
from shared.receive import receive
from shared.training.arrivals import Outcome
from shared.training.parts import ReceiverParts

CLOUD: Final = "local"
ROOT: Final = Path(__file__).parents[2]
# Where data is kept unless the environment names other places, relative to the folder of the configuration.
FOLDER: Final = ".local"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloud:
    """This machine as a cloud.

    Attributes:
        emitter: the parts for emitting triggers.
        receiver: the parts for deciding and launching.
        bus: the event bus.
        database: the file of the bus, and of the ledger unless the environment names another one.
        act: handles one event of the bus, as a function would.
        consumer: takes events off the bus and passes them to `act`.

    """

    emitter: EmitterParts
    receiver: ReceiverParts
    bus: SqliteBus
    database: Path
    act: Callable[[object], Outcome]
    consumer: Consumer


def local_cloud(
    variables: Mapping[str, str],
    *,
    root: Path = ROOT,
    observe: Callable[[str, Decided], None] = lambda _model_id, _decided: None,
) -> LocalCloud:
    """Return the local cloud.

    Args:
        variables: the environment variables; trainings inherit them.
        root: where `retrain.toml` is unless `RETRAIN_CONFIG` says otherwise.
        observe: gets every decision, to count it.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    environment = read_environment(variables, root=root, needed=())
    home = environment.config.folder / FOLDER
    database = Path(environment.bus or home / "retrain.db")
    bus = SqliteBus(database, now, new_id, environment.source)
    letters = FolderDeadLetters(Path(environment.dead_letters or home / "dead-letters"), new_id)
    ledger = SqliteLedger(Path(environment.ledger or home / "retrain.db"))
    deployment = Deployment(cloud=CLOUD, environment=environment, ledger=ledger, observe=observe)
    emitter = emitter_parts(deployment, bus)
    receiver = receiver_parts(
        deployment,
        launcher=lambda target: _launcher(target, environment, database, variables),
        dead_letters=letters,
    )

    def act(event: object) -> Outcome:
        return receive(receiver, event, lambda event: decode(event, receiver.source))

    consumer = Consumer(bus, act, letters, now, backoff=Backoff(base=1.0), settings=Delivering())
    return LocalCloud(emitter=emitter, receiver=receiver, bus=bus, database=database, act=act, consumer=consumer)


def _launcher(target: Target, environment: Environment, bus: Path, variables: Mapping[str, str]) -> Launcher | None:
    if not isinstance(target, CommandTarget):
        return None
    folder = environment.config.folder
    runs = folder / FOLDER / "runs"
    return CommandLauncher(target, folder=folder, runs=runs, bus=bus, environment=variables, clock=now)
