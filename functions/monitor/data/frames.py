"""Samples as data frames of pandas, in the types that Evidently knows."""

from collections.abc import Sequence

from functions.monitor.data.categories import gathered
from functions.monitor.data.dataset import ROW
from functions.monitor.data.engine import Engine, listed
from functions.monitor.data.readings import FLAG, ReadSample
from functions.monitor.untyped import Frame


def as_frames(engine: Engine, reference: ReadSample, current: ReadSample, names: Sequence[str]) -> tuple[Frame, Frame]:
    """Return the columns *names* of both samples, whose tables are gone after that."""
    columns: tuple[list[str], list[str]] = ([], [])
    for name in names:
        column = f"c{reference.names.index(name)}"
        sides = reference.values[name], current.values[name]
        found = gathered(engine, column, reference, current, sides[0])
        # With nulls among them pandas has objects in place of flags, which Evidently does not support.
        texts = sides[0].kind == FLAG and any(side.count < side.rows for side in sides)
        for chosen, expression in zip(columns, (column, found), strict=True):
            chosen.append(f"{expression}{'::VARCHAR' if texts else ''} AS {column}")
    pairs = zip((reference, current), columns, strict=True)
    first, second = [_frame(engine, sample, chosen, names) for sample, chosen in pairs]
    return first, second


def _frame(engine: Engine, sample: ReadSample, columns: Sequence[str], names: Sequence[str]) -> Frame:
    frame = engine.frame(f"SELECT {listed(columns)} FROM {sample.table} ORDER BY {ROW}")
    # Not in SQL, where names that differ in case only are the same.
    frame.columns = list(names)
    return frame
