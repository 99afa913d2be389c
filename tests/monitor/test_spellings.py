"""Rarer spellings of values, one column each: what a column is, and what only looks like it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from functions.monitor.errors import UnusableDataError
from functions.monitor.reading import CheckData
from tests.monitor.given import check, read

COUNT = 1500
DAYS = pd.date_range("2024-01-01 03:04:05", periods=COUNT, freq="7h")
TIMES = "holds times, which move on by themselves"


def data_of(folder: Path, reference: pd.DataFrame, current: pd.DataFrame, form: str = "csv") -> CheckData:
    """Return the data that a check would compare: the reference as CSV, the current data in a *form*."""
    reference.to_csv(folder / "reference.csv", index=False)
    if form == "csv":
        current.to_csv(folder / "current.csv", index=False)
    else:
        current.to_parquet(folder / "current.parquet")
    return read(folder, check(reference="reference.csv", current=f"current.{form}"))


def spelled(*forms: str) -> pd.DataFrame:
    """Return a column of times for each of the *forms* of strftime."""
    return pd.DataFrame({form: DAYS.strftime(form) for form in forms})


def test_times_move_on_in_rarer_spellings(tmp_path: Path) -> None:
    """As logs, spreadsheets and databases write them: months, years of two digits, days of the week, numbers."""
    frame = spelled(
        *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%y-%m-%d", "%Y.%m.%d", "%Y_%m_%d", "%b %Y", "%B %Y", "%m/%Y", "%Y/%m"),
        *("%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S GMT", "%d-%b-%y", "%d%b%Y", "%d. %B %Y", "%A, %B %d, %Y"),
        *("%d/%b/%Y:%H:%M:%S +0000", "%Y-%j", "%Y-%m-%d-%H-%M", "%Y%m%d-%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m"),
    )
    seconds = DAYS.astype("datetime64[ns]").astype(np.int64) / 10**9
    for name, unit in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        frame[name] = (seconds * unit).astype(np.int64)
    frame["float"] = seconds + 0.25
    # A mark for none is a number, too.
    frame["end"] = [99991231 if place % 20 == 0 else int(day.strftime("%Y%m%d")) for place, day in enumerate(DAYS)]
    frame["kept"] = np.random.default_rng(0).normal(size=COUNT)
    for form in ("csv", "parquet"):
        data = data_of(tmp_path, frame, frame, form)
        assert data.chosen.names == ("kept",)
        assert set(data.chosen.left_out.values()) == {TIMES}
    named = check(reference="reference.csv", current="current.csv", columns=("s", "end"))
    assert list(read(tmp_path, named).frames[0].columns) == ["s", "end"]


def test_what_only_looks_like_a_time_is_compared(tmp_path: Path) -> None:
    """Years, amounts in the range of months or seconds, versions, sizes and shares are features."""
    random = np.random.default_rng(0)
    few = {"version": "10.2.1 9.13.0 10.0.12", "size": "1/2 3/4 12/16", "code": "12-340 13-401", "plan": "may june"}
    frame = pd.DataFrame(
        {
            "year": random.integers(1950, 2026, COUNT),
            "amount": random.integers(150_000, 250_000, COUNT),
            "sales": random.normal(1.5e9, 8e8, COUNT).round(2),
            **{name: random.choice(values.split(), COUNT) for name, values in few.items()},
        }
    )
    assert set(data_of(tmp_path, frame, frame).chosen.names) == {*frame.columns}


def test_codes_with_digits_are_no_numbers(tmp_path: Path) -> None:
    """More than half of them are digits, and the rest would be missing; underscores do not join digits."""
    kinds = {"codes": "A1 B2 3 4 5", "joined": "1_2 3_4 10_12", "grades": "1 2 3 -"}
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.choice(values.split(), COUNT) for name, values in kinds.items()})
    frame["ages"] = ["unknown" if place % 9 == 0 else place % 80 for place in range(COUNT)]
    frames = data_of(tmp_path, frame, frame).frames
    assert {name: set(frames[0][name]) for name in kinds} == {name: {*values.split()} for name, values in kinds.items()}
    assert frames[0]["ages"].dtype == float


@pytest.mark.parametrize("words", [("1", "0"), ("yes", "no"), ("T", "F"), ("True", "False")], ids="/".join)
def test_flags_are_flags_in_every_spelling(tmp_path: Path, words: Sequence[str]) -> None:
    """The reference has them in their own type, or as 1 and 0 where the current data have true and false."""
    flags = [place % 3 == 0 for place in range(COUNT)]
    texts = pd.DataFrame({"x": [words[not flag] for flag in flags]})
    frames = data_of(tmp_path, pd.DataFrame({"x": flags}), texts).frames
    assert frames[0].equals(frames[1])
    if words[0] in ("1", "True"):
        frames = data_of(
            tmp_path, pd.DataFrame({"x": [int(flag) for flag in flags]}), pd.DataFrame({"x": flags})
        ).frames
        assert frames[0].equals(frames[1])


def test_both_sides_have_the_same_decimal_sign(tmp_path: Path) -> None:
    """Three digits behind every comma of one side would make thousands of them, which the other side contradicts."""
    numbers = np.random.default_rng(0).normal(100, 10, COUNT)
    sides = [
        pd.DataFrame({"x": [f"{number:{form}}".replace(".", ",") for number in numbers]}) for form in (".3f", ".2f")
    ]
    frames = data_of(tmp_path, *sides).frames
    assert frames[0]["x"].to_numpy() == pytest.approx(frames[1]["x"].to_numpy(), abs=0.006)
    small = pd.DataFrame({"x": [f"0,{place % 900 + 100}" for place in range(COUNT)]})
    assert data_of(tmp_path, small, small).frames[0]["x"].max() < 1


def test_infinite_values_count_as_missing(tmp_path: Path) -> None:
    """Evidently ignores them, so that a third of them would not be noticed."""
    numbers = np.random.default_rng(0).normal(size=COUNT)
    current = pd.DataFrame({"x": [np.inf if place % 3 == 0 else number for place, number in enumerate(numbers)]})
    missing = data_of(tmp_path, pd.DataFrame({"x": numbers}), current).missing["x"]
    assert missing.current == pytest.approx(1 / 3)
    assert (missing.drifted, missing.unread) == (True, (0, 500))


def test_a_minus_behind_a_number_is_its_sign(tmp_path: Path) -> None:
    """As SAP writes it."""
    texts = pd.DataFrame({"x": [f"{place}.50{'-' * (place % 2)}" for place in range(COUNT)]})
    assert data_of(tmp_path, texts, texts).frames[0]["x"].min() == -(COUNT - 0.5)


def test_quotes_may_be_escaped_by_a_backslash(tmp_path: Path) -> None:
    """As Spark and MySQL write them; a backslash at the end of a path escapes nothing."""
    for name, value in (("reference", r'"say \"no\""'), ("current", r'"C:\"')):
        (tmp_path / f"{name}.csv").write_text("note,x\n" + "".join(f"{value},{place}\n" for place in range(COUNT)))
    frames = read(tmp_path, check(reference="reference.csv", current="current.csv")).frames
    assert [frame["note"].iloc[0] for frame in frames] == ['say "no"', "C:\\"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("x,y\n1,2\n".encode("utf-16-le"), "has zero bytes; CSV must be text in UTF-8"),
        (b"\nx,y\n1,2\n", "has no names in its first line"),
        (b"x,y\r\n" + b"1,2\n3,4\r\n" * 900, "is not valid CSV, or has line ends of two kinds"),
    ],
    ids=["zero bytes", "an empty first line", "line ends"],
)
def test_a_file_that_is_not_csv_says_why(tmp_path: Path, content: bytes, problem: str) -> None:
    """The reason says what to change."""
    (tmp_path / "reference.csv").write_bytes(content)
    with pytest.raises(UnusableDataError, match=f"{problem}$"):
        read(tmp_path, check(reference="reference.csv", current="reference.csv"))


def test_no_value_of_the_data_is_in_an_error(tmp_path: Path) -> None:
    """DuckDB repeats a text that is not valid; errors go to logs and people."""
    broken = pa.array([b"secret\xff"] * COUNT).view(pa.string())
    parquet.write_table(pa.table({"x": broken}), tmp_path / "reference.parquet")
    with pytest.raises(UnusableDataError) as caught:
        read(tmp_path, check(current="reference.parquet"))
    assert str(caught.value).endswith("a value is not valid UTF8!")
    assert "secret" not in str(caught.value)


def test_places_are_not_compared_whatever_the_file_says_of_their_form(tmp_path: Path) -> None:
    """The metadata of GeoParquet may be incomplete; the other columns are compared."""
    table = pa.table({"x": np.arange(COUNT) / 7, "place": [bytes(21)] * COUNT})
    columns = '{"version": "1.0.0", "primary_column": "place", "columns": {"place": {"encoding": "WKB"}}}'
    parquet.write_table(table.replace_schema_metadata({"geo": columns}), tmp_path / "reference.parquet")
    chosen = read(tmp_path, check(current="reference.parquet")).chosen
    assert (chosen.names, dict(chosen.left_out)) == (("x",), {"place": "holds bytes"})
