"""The adapters of this machine for the suite: real files, real processes."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from functions.local.events import decode
from functions.local.ledger import SqliteLedger
from functions.local.letters import FolderLetters
from functions.local.wiring import local_cloud
from functions.machine import now
from shared.ports import LaunchRequest
from shared.wire.incoming import Incoming
from tests.contracts.configuration import configuration
from tests.contracts.outlets import Outlets
from tests.contracts.ports import Ports
from tests.contracts.programs import program, won_by_processes
from tests.contracts.training_folder import TrainingFolder, until

# At every write to the ledger: nothing is written, and the error says no more than that.
_FASTER = "CREATE TRIGGER faster_{verb} BEFORE {verb} ON ledger BEGIN SELECT RAISE(IGNORE); END"


class MachinePorts(Ports):
    """The local cloud in a folder of its own."""

    name: ClassVar[str] = "local"

    def __init__(self, folder: Path, outlets: Outlets) -> None:
        """Put everything together in *folder*; what follows trainings goes to *outlets*."""
        self.folder = folder
        self.outlets = outlets
        self.service = TrainingFolder(folder)
        text = configuration(
            "local",
            works='{ kind = "command", command = ["sh", "train.sh"] }',
            broken='{ kind = "command", command = ["no-such-program"] }',
            channel=outlets.channel,
        )
        (folder / "retrain.toml").write_text(text, encoding="utf-8")
        self.variables = outlets.variables | {
            "PATH": os.environ["PATH"],
            "RETRAIN_CONFIG": str(folder / "retrain.toml"),
            "RETRAIN_BUS": str(folder / "bus.sqlite"),
            "RETRAIN_LEDGER": str(folder / "ledger.sqlite"),
            "RETRAIN_DEAD_LETTERS": str(folder / "dead-letters"),
        }
        self.cloud = local_cloud(self.variables)
        receiver = self.cloud.receiver
        self.ledger, self.bus = receiver.ledger, self.cloud.bus
        self.launcher = receiver.launcher(receiver.config.find("churn").target("local"))
        self.refused = receiver.launcher(receiver.config.find("broken").target("local"))
        assert receiver.dead_letters is not None
        self.dead_letters = receiver.dead_letters
        self.letter_box = FolderLetters(folder / "dead-letters")

    def close(self) -> None:
        """End what still trains, and close the files."""
        self.service.close()
        self._close_files()

    def race(self, rounds: int) -> int:
        """See the base."""
        return won_by_processes(self.variables, "local", rounds)

    def traffic(self) -> list[str]:
        """Return which of the two files were opened."""
        return [path.name for path in sorted(self.folder.glob("*.sqlite"))]

    def decode(self, event: object) -> Incoming:
        """See the base."""
        return decode(event, self.cloud.receiver.source)

    def arrived(self) -> list[object]:
        """See the base."""
        events: list[object] = []
        # Those that were given back to come later are taken too.
        while delivery := self.cloud.bus.lease(now() + timedelta(days=1), timedelta()):
            events.append(delivery.event)
            self.cloud.bus.acknowledge(delivery)
        return events

    def letters(self) -> list[str]:
        """See the base."""
        return [path.read_text(encoding="utf-8") for path in sorted((self.folder / "dead-letters").glob("*"))]

    def trainings(self) -> list[str]:
        """See the base."""
        return self.service.started()

    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """See the base."""
        self.service.end(trigger_id, well=well)
        # The end is written down first, and reported a moment later.
        until(self.cloud.bus.size)
        (event,) = self.arrived()
        return event

    def stopped(self, trigger_id: str) -> object:
        """See the base."""
        assert trigger_id in self.service.started()
        until(self.cloud.bus.size)
        (event,) = self.arrived()
        return event

    def forget_tokens(self) -> None:
        """Do nothing: a run folder is not forgotten."""

    def lose_answer(self, request: LaunchRequest) -> None:
        """Kill the starter at the moment when the training has started."""
        self.killed(request.trigger.trigger_id, "start_and_die")

    def killed(self, said: object, *words: str) -> None:
        """Let a program work on *said* until it is killed by its own hand."""
        assert program(self.variables, said, *words, ends=-signal.SIGKILL) == []

    @contextmanager
    def training_away(self) -> Iterator[None]:
        """Let neither the disk play along nor GitHub."""
        with self.service.away(), self.outlets.github_away():
            yield

    def ledger_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._in_the_way("ledger.sqlite")

    def bus_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._in_the_way("bus.sqlite")

    def bus_refuses(self) -> AbstractContextManager[None]:
        """A file refuses nothing permanently."""
        raise NotImplementedError

    @contextmanager
    def dead_letters_away(self) -> Iterator[None]:
        """Put a file where the folder must be."""
        (self.folder / "dead-letters").write_text("in the way", encoding="ascii")
        yield
        (self.folder / "dead-letters").unlink()

    @contextmanager
    def contended(self) -> Iterator[None]:
        """Let the database take no save, as if another process had been faster every time."""
        self.ledger.load("churn")
        self._alter(_FASTER.format(verb=verb) for verb in ("INSERT", "UPDATE"))
        yield
        self._alter(f"DROP TRIGGER faster_{verb}" for verb in ("INSERT", "UPDATE"))

    def _alter(self, statements: Iterator[str]) -> None:
        with closing(sqlite3.connect(self.folder / "ledger.sqlite", isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def _in_the_way(self, name: str) -> Iterator[None]:
        """Put a folder where the file *name* must be."""
        self._close_files()
        path, kept = self.folder / name, self.folder / f"kept-{name}"
        if path.exists():
            path.rename(kept)
        path.mkdir()
        yield
        path.rmdir()
        if kept.exists():
            kept.rename(path)

    def _close_files(self) -> None:
        """Close the connections; the next use opens the files again."""
        self.cloud.bus.close()
        assert isinstance(self.ledger, SqliteLedger)
        self.ledger.close()
