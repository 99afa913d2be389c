"""Verdicts beside those of Evidently alone: where they differ, the case says why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet

from tests.monitor.given import check, rows, run
from tests.monitor.test_comparison import evidently_alone

COUNT = 1500
# Of a column that is not compared.
NONE = (None, "", None)
Frames = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Data in a form that people write.

    Attributes:
        write: writes both sides into a folder, and returns them as pandas reads them.
        reference: the address of the reference.
        current: the address of the current data.
        drifted: the columns that drifted here.
        differ: column -> whether it drifted here, whether it did alone (none: not compared), and why that is right.

    """

    write: Callable[[Path], Frames]
    reference: str = "reference.parquet"
    current: str = "current.parquet"
    drifted: tuple[str, ...] = ()
    differ: Mapping[str, tuple[bool | None, bool | None, str]] = field(default_factory=dict)


def in_parquet(change: Callable[[pd.DataFrame, int], pd.DataFrame]) -> Callable[[Path], Frames]:
    """Write rows, each side *change*d, as pandas does."""

    def write(folder: Path) -> Frames:
        for seed, name in enumerate(("reference", "current")):
            change(rows(COUNT, seed=seed), seed).to_parquet(folder / f"{name}.parquet")
        return pd.read_parquet(folder / "reference.parquet"), pd.read_parquet(folder / "current.parquet")

    return write


def in_csv(change: Callable[[pd.DataFrame, int], pd.DataFrame], **options: Any) -> Callable[[Path], Frames]:
    """Write rows, each side *change*d, as CSV with *options* of pandas."""

    def write(folder: Path) -> Frames:
        for seed, name in enumerate(("reference", "current")):
            change(rows(COUNT, seed=seed), seed).to_csv(folder / f"{name}.csv", **options)
        return pd.read_csv(folder / "reference.csv"), pd.read_csv(folder / "current.csv")

    return write


def after_a_filter(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give the rows the labels that a filter leaves."""
    return frame.set_index(np.arange(COUNT) * 2 + 9000 * seed)


def with_blanks(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Put a blank before each name and text; the visits of the current data have doubled."""
    changed = frame.assign(region=" " + frame["region"], visits=frame["visits"] * (1 + seed))
    return changed.rename(columns=lambda name: f" {name}")


def with_currency(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write the price, which has grown, as people do, and `?` for every tenth one."""
    price = [f"${1000 + 300 * price + 200 * seed:,.2f}" for price in frame["price"]]
    return frame.assign(price=pd.Series(price).where(np.arange(COUNT) % 10 != 0, "?"))


def collapsed(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Empty 60 % of the current prices; the others are distributed as before."""
    return frame.assign(price=frame["price"].where((np.arange(COUNT) % 10 < 4) | (seed == 0)))


def waited(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Add a duration, which has grown tenfold."""
    seconds = np.random.default_rng(seed).gamma(2, 60, COUNT).round() * (1 + 9 * seed)
    return frame.assign(waited=pd.to_timedelta(seconds, unit="s").astype("timedelta64[s]"))


def dated(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Add the day of each row as a text."""
    days = pd.date_range("2026-01-01", periods=COUNT, freq="h") + pd.Timedelta(days=90 * seed)
    return frame.assign(day=days.strftime("%Y-%m-%d"))


def with_identifiers(folder: Path) -> Frames:
    """Add UUIDs in Parquet's own type."""
    for seed, name in enumerate(("reference", "current")):
        table = pa.Table.from_pandas(rows(COUNT, seed=seed))
        plain = pa.array([(number + COUNT * seed).to_bytes(16, "big") for number in range(COUNT)], pa.binary(16))
        ids = pa.ExtensionArray.from_storage(pa.uuid(), plain)
        parquet.write_table(table.append_column("id", ids), folder / f"{name}.parquet")
    return pd.read_parquet(folder / "reference.parquet"), pd.read_parquet(folder / "current.parquet")


def overwritten(folder: Path) -> Frames:
    """Write a Delta table whose first version had drifted."""
    write_deltalake(folder / "reference", rows(COUNT, shift=3.0))
    write_deltalake(folder / "reference", rows(COUNT), mode="overwrite")
    rows(COUNT, seed=1).to_parquet(folder / "current.parquet")
    return DeltaTable(folder / "reference").to_pandas(), pd.read_parquet(folder / "current.parquet")


def with_an_empty_part(folder: Path) -> Frames:
    """Write a folder of which one part has no byte."""
    (folder / "current").mkdir()
    (folder / "current" / "part-0.csv").touch()
    rows(COUNT, seed=1).to_csv(folder / "current" / "part-1.csv", index=False)
    rows(COUNT).to_csv(folder / "reference.csv", index=False)
    return pd.read_csv(folder / "reference.csv"), pd.read_csv(folder / "current" / "part-1.csv")


def partitioned(folder: Path) -> Frames:
    """Write a folder for each region; the share of one has fallen from a half to a twentieth."""
    for name, count, seed in (("reference", COUNT, 0), ("current", COUNT // 19, 1)):
        for region, size in (("eu", count), ("us", COUNT)):
            (folder / name / f"region={region}").mkdir(parents=True)
            part = rows(size, seed=seed).drop(columns="region")
            part.to_parquet(folder / name / f"region={region}" / "0.parquet")
    return pd.read_parquet(folder / "reference"), pd.read_parquet(folder / "current")


CSV = ("reference.csv", "current.csv")
AS_TEXTS = (
    "Pandas reads texts, which Evidently tells apart with a classifier that finds nothing; as numbers they have grown"
)
CASES = {
    "the index of a data frame": Case(write=in_parquet(after_a_filter)),
    "row numbers": Case(
        write=in_csv(after_a_filter),
        differ={"Unnamed: 0": (None, True, "The numbers of other rows are other numbers, whatever the data are")},
        reference=CSV[0],
        current=CSV[1],
    ),
    "blanks behind commas": Case(
        write=in_csv(with_blanks, index=False), drifted=("visits",), reference=CSV[0], current=CSV[1]
    ),
    "a currency, and marks for missing values": Case(
        write=in_csv(with_currency, index=False),
        drifted=("price",),
        differ={"price": (True, False, AS_TEXTS)},
        reference=CSV[0],
        current=CSV[1],
    ),
    "more missing values": Case(
        write=in_parquet(collapsed),
        drifted=("price",),
        differ={"price": (True, False, "Evidently drops missing values; the distance of the others is the same")},
    ),
    "a Delta table": Case(write=overwritten, reference="reference"),
    "identifiers": Case(write=with_identifiers),
    "an empty part": Case(write=with_an_empty_part, reference="reference.csv", current="current"),
    "a duration": Case(
        write=in_parquet(waited),
        drifted=("waited",),
        differ={"waited": (True, None, "Evidently passes over durations, which are compared here as seconds")},
    ),
    "a date": Case(
        write=in_csv(dated, index=False),
        differ={"day": (None, True, "Evidently takes the days for categories, and a new day is a new one each time")},
        reference=CSV[0],
        current=CSV[1],
    ),
    "partitions": Case(write=partitioned, reference="reference", current="current", drifted=("region",)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_verdict_differs_from_that_of_evidently_alone_only_for_a_reason(tmp_path: Path, case: Case) -> None:
    """Evidently gets the frames that pandas reads: method, value and verdict of all other columns are equal."""
    frames = case.write(tmp_path)
    result = run(tmp_path, check(reference=case.reference, current=case.current))
    here = {column.name: (column.drifted, column.method, column.value) for column in result.columns}
    # Pandas keeps the blanks around names.
    alone = {
        name.strip(): (drifted, method, value) for name, (value, method, drifted) in evidently_alone(*frames).items()
    }
    drifted = {name: (here.get(name, NONE)[0], alone.get(name, NONE)[0]) for name in {**here, **alone}}
    differ = {name: verdicts for name, verdicts in drifted.items() if verdicts[0] != verdicts[1]}
    assert differ == {name: (ours, theirs) for name, (ours, theirs, _) in case.differ.items()}
    for name in here.keys() - differ.keys():
        assert here[name][:2] == alone[name][:2], name
        assert here[name][2] == pytest.approx(alone[name][2]), name
    assert {name for name, (found, *_) in here.items() if found} == set(case.drifted)
