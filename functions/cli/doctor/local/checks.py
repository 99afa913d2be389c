"""The preconditions of a training on this machine."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from functions.cli.doctor.check import PROBE, Check, CheckFailedError, CheckSkippedError, Setting
from functions.local.bus import Delivery, SqliteBus
from functions.local.ledger import SqliteLedger
from functions.local.run_request import parameter_variables, resolve
from functions.local.wiring import CLOUD, FOLDER
from functions.machine import new_id, now
from shared.config.model import Configuration, Model
from shared.config.targets import CommandTarget
from shared.errors import TargetRefusedError

# Neither a version of a document nor a number of an event: both begin at 1.
IMPOSSIBLE: Final = -1


def checks(setting: Setting) -> list[Check]:
    """Return the checks for this machine."""
    config = setting.config
    if config is None:
        return [Check(name="places", about="bus, ledger and dead letters can be written to", run=_unknown)]
    home = config.folder / FOLDER
    places = {
        name: Path(setting.variables.get(variable) or home / standard)
        for name, variable, standard in (
            ("event bus", "RETRAIN_BUS", "retrain.db"),
            ("ledger", "RETRAIN_LEDGER", "retrain.db"),
            ("dead letters", "RETRAIN_DEAD_LETTERS", "dead-letters"),
        )
    }
    return [
        _file("event bus", places["event bus"], _write_bus),
        _file("ledger", places["ledger"], _write_ledger),
        _folder("dead letters", places["dead letters"]),
        _folder("runs", home / "runs"),
        *(check for model in config.models for check in _programs(model, config, setting)),
    ]


def _unknown() -> None:
    raise CheckSkippedError("not checked: they are beside the configuration, which is not valid")


def _file(name: str, path: Path, write: Callable[[Path], None]) -> Check:
    def run() -> None:
        if path.is_file():
            write(path)
        else:
            _check_folder(path.parent)

    return Check(name=name, about=f"{path} can be written to, or created", run=run)


def _folder(name: str, path: Path) -> Check:
    return Check(name=name, about=f"{path} can be written to, or created", run=lambda: _check_folder(path))


def _check_folder(path: Path) -> None:
    """Check the folder, or the nearest existing one above it."""
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise CheckFailedError(
            f"{path} cannot be written to: {nearest} is not a folder, or you may not write there; correct the"
            " path or the permissions"
        )


def _write_ledger(path: Path) -> None:
    """Write under a condition that can never hold: SQLite takes its write lock before it looks for a row."""
    ledger = SqliteLedger(path)
    try:
        ledger.load(PROBE)
        ledger.save(PROBE, "{}", IMPOSSIBLE)
    finally:
        ledger.close()


def _write_bus(path: Path) -> None:
    """Acknowledge a delivery that does not exist, for the same reason as in `_write_ledger`."""
    bus = SqliteBus(path, now, new_id)
    try:
        bus.acknowledge(Delivery(number=IMPOSSIBLE, attempt=IMPOSSIBLE, put_at=now(), event=None))
    finally:
        bus.close()


def _programs(model: Model, config: Configuration, setting: Setting) -> list[Check]:
    target = model.targets.get(CLOUD)
    if not isinstance(target, CommandTarget):
        return []

    def run() -> None:
        try:
            resolve(target.command, config.folder.resolve(), setting.variables.get("PATH"))
            parameter_variables(model.parameters)
        except TargetRefusedError as error:
            raise CheckFailedError(f'models."{model.name}".target.local.{error}') from error

    return [Check(name=f"command of {model.name}", about=f"{target.command[0]} can be run", run=run)]
