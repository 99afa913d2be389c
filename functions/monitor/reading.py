"""The data of a check: both sides, read and ready to be compared."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from functions.monitor.data.columns import Chosen, choose, narrow
from functions.monitor.data.dataset import DataSet, Sample, most_rows
from functions.monitor.data.engine import Engine
from functions.monitor.data.frames import as_frames
from functions.monitor.data.readings import ReadSample, read_values
from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.missing import Filled, Missing
from functions.monitor.result import Side
from functions.monitor.untyped import Frame
from shared.config.drift import DriftCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckData:
    """The data of a check.

    Attributes:
        chosen: the columns.
        frames: the rows of reference and current data, with these columns.
        missing: column -> the shares of missing values.
        filled: column -> the share of rows that have a value, for every column, the ones left out included.
        sides: which data they are.
        identities: what changes when the data do, for each side.

    """

    chosen: Chosen
    frames: tuple[Frame, Frame] = field(repr=False)
    missing: Mapping[str, Missing]
    filled: Mapping[str, Filled]
    sides: tuple[Side, Side]
    identities: tuple[str, str] = field(repr=False)


def read_data(check: DriftCheck, day: date, storage: Storage) -> CheckData:
    """Read the data of *check* for a *day* (UTC).

    Raises:
        UnusableDataError: the data cannot be compared; the text says why.
        UnavailableError: a storage is away.

    """
    with closing(Engine(storage)) as engine:
        reference = DataSet.at(check.reference, "reference", storage, engine)
        current = DataSet.at(check.current_on(day), "current", storage, engine)
        chosen = choose(check, reference, current)
        limit = most_rows(check.max_rows, len(chosen.names))
        samples = tuple(data.sample(chosen.names, limit, list(chosen.left_out)) for data in (reference, current))
        least = check.least_rows(samples[0].taken)
        for data, sample in zip((reference, current), samples, strict=True):
            _check_rows(data, sample, least)
        named = {*check.columns, *filter(None, (check.target, check.prediction))}
        values = read_values(engine, *samples, named=named)
        chosen = narrow(check, chosen, *values, least)
        return CheckData(
            chosen=chosen,
            frames=as_frames(engine, *values, chosen.names),
            missing=_missing(check, chosen, *values),
            filled=_filled(chosen, samples, values),
            sides=(_side(reference, samples[0]), _side(current, samples[1])),
            identities=(reference.identity, current.identity),
        )


def _missing(check: DriftCheck, chosen: Chosen, reference: ReadSample, current: ReadSample) -> dict[str, Missing]:
    pairs = {name: (reference.values[name], current.values[name]) for name in chosen.names}
    return {name: Missing.of(*sides, check.missing_growth) for name, sides in pairs.items()}


def _filled(chosen: Chosen, samples: Sequence[Sample], values: Sequence[ReadSample]) -> dict[str, Filled]:
    known = [
        {**sample.filled, **{name: found.filled for name, found in read.values.items()}}
        for sample, read in zip(samples, values, strict=True)
    ]
    names = (*chosen.names, *chosen.left_out)
    return {name: Filled(reference=known[0].get(name), current=known[1].get(name)) for name in names}


def _check_rows(data: DataSet, sample: Sample, least: int) -> None:
    if sample.taken < least:
        rows = f"{sample.taken:,} row{'s' if sample.taken > 1 else ''}"
        raise UnusableDataError(f"{data.described()}: {rows}, and a verdict needs {least:,} (min_rows)")


def _side(data: DataSet, sample: Sample) -> Side:
    return Side(address=data.address, rows=sample.rows, sampled=sample.taken)
