"""Data, configurations and a monitor to test with."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from functions.monitor.check import check_drift
from functions.monitor.data.storage import Storage
from functions.monitor.messages import People
from functions.monitor.reading import CheckData, read_data
from functions.monitor.result import Result
from functions.monitor.run import Monitor
from shared.config.drift import DriftCheck
from shared.config.file import parse_configuration
from shared.http.parts import EmitterParts
from shared.notice import Notice
from tests.fakes.faults import Gate, perform
from tests.fakes.memory import MemoryBus, MemoryLedger

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STAMP = "2026-11-23T093000Z"
CHANNEL = "slack://secret"


def rows(count: int = 1500, *, shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Return rows with a number, a whole number, a category, a flag and a target; *shift* moves all but the flag."""
    random = np.random.default_rng(seed)
    kinds = ["north", "south", "east"]
    chances = [0.5, 0.3, 0.2] if not shift else [0.1, 0.1, 0.8]
    return pd.DataFrame(
        {
            "price": random.normal(size=count) + shift,
            "visits": random.integers(0, 50, size=count) + int(20 * shift),
            "region": random.choice(kinds, size=count, p=chances),
            "member": random.random(count) < 0.5,
            "target": random.normal(size=count) + shift,
        }
    )


def check(**settings: Any) -> DriftCheck:
    """Return a check of `reference.parquet` and `current.parquet`, with other *settings* where they are given."""
    return DriftCheck(**{"reference": "reference.parquet", "current": "current.parquet", "site": "site", **settings})


def put(folder: Path, **frames: pd.DataFrame) -> None:
    """Write Parquet files into *folder* by their names without the ending."""
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")


def run(folder: Path, configured: DriftCheck | None = None) -> Result:
    """Return what a check of the data in *folder* finds."""
    return check_drift("churn", configured or check(), MONDAY, Storage(folder)).result


def read(folder: Path, configured: DriftCheck | None = None) -> CheckData:
    """Return the data that a check in *folder* would compare."""
    return read_data(configured or check(), MONDAY.date(), Storage(folder))


def values(result: Result) -> dict[str, float | None]:
    """Return the value of each column."""
    return {column.name: column.value for column in result.columns}


def configuration(**models: str) -> str:
    """Return a `retrain.toml` whose models have these drift tables, by name; they train on every cloud."""
    tables = [
        f'[models."{name}".target]\nlocal = {{ kind = "command", command = ["true"] }}\n'
        f'aws = {{ kind = "sagemaker", pipeline = "churn" }}\n[models."{name}".drift]\n{drift}\n'
        for name, drift in models.items()
    ]
    return "\n".join(tables) + f'[notify]\nchannels = ["{CHANNEL}"]\n'


class Mailbox:
    """A `shared.ports.Notifier` that keeps what it is sent.

    Attributes:
        notices: what was sent, oldest first.
        error: raised instead, if there is one.

    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.notices: list[Notice] = []
        self.error: Exception | None = None

    def send(self, notice: Notice) -> None:
        """Keep *notice*."""
        if self.error:
            raise self.error
        self.notices.append(notice)


class World:
    """A monitor on a folder, with a bus and a mailbox in memory.

    Attributes:
        folder: where the configuration stands.
        bus: where triggers go.
        mailbox: where notices go.
        monitor: the parts.

    """

    def __init__(self, folder: Path, toml: str, *, bus_gate: Gate = perform, storage: Storage | None = None) -> None:
        """Use the configuration *toml* in *folder*."""
        self.folder = folder
        self.bus = MemoryBus(bus_gate)
        self.mailbox = Mailbox()
        ids = map(str, itertools.count())
        emitter = EmitterParts(
            cloud="local",
            config=parse_configuration(toml, source="retrain.toml", folder=folder),
            ledger=MemoryLedger(),
            bus=self.bus,
            clock=lambda: MONDAY,
            new_id=lambda: next(ids),
            observe=lambda _model_id, _decided: None,
        )
        people = People(channels=lambda _model_id: emitter.config.channels, notifier=lambda _channel: self.mailbox)
        self.monitor = Monitor(emitter=emitter, people=people, storage=storage or Storage(folder))

    def put(self, **frames: pd.DataFrame) -> None:
        """Write Parquet files by their names without the ending."""
        put(self.folder, **frames)


def links(page: str) -> Iterator[str]:
    """Go through the addresses that *page* links to."""
    for part in page.split('href="')[1:]:
        yield part.partition('"')[0]


def problem_of(lines: Sequence[Mapping[str, object]]) -> str:
    """Return why the only check failed."""
    (line,) = lines
    return str(line["problem"])
