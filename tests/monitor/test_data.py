"""Data as they come: formats, types, folders, and everything that can be wrong with them."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from functions.monitor.check import check_drift
from functions.monitor.errors import UnusableDataError
from functions.monitor.result import Result
from functions.monitor.storage import Storage
from shared.drift import DriftCheck
from tests.monitor.given import MONDAY, check, rows


def run(folder: Path, asked: DriftCheck | None = None) -> Result:
    """Return what a check of the data in *folder* finds."""
    return check_drift("churn", asked or check(), MONDAY, Storage(folder)).result


def put(folder: Path, **frames: pd.DataFrame) -> None:
    """Write Parquet files by their names without the ending."""
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")


def values(result: Result) -> dict[str, float | None]:
    """Return the value of each column."""
    return {column.name: column.value for column in result.columns}


def test_csv_and_parquet_give_the_same_values(tmp_path: Path) -> None:
    """The same rows are the same data in either format, packed or not."""
    reference, current = rows(), rows(shift=0.3, seed=1)
    put(tmp_path, reference=reference, current=current)
    reference.to_csv(tmp_path / "reference.csv", index=False)
    current.to_csv(tmp_path / "current.csv.gz", index=False)
    of_csv = run(tmp_path, check(reference="reference.csv", current="current.csv.gz"))
    assert values(of_csv) == pytest.approx(values(run(tmp_path)))


def test_a_folder_is_one_data_set(tmp_path: Path) -> None:
    """The parts below a folder are read as one table, markers beside them are not data."""
    whole = rows()
    put(tmp_path, reference=whole, current=whole)
    (tmp_path / "parts" / "deeper").mkdir(parents=True)
    whole[:700].to_parquet(tmp_path / "parts" / "1.parquet")
    whole[700:].to_parquet(tmp_path / "parts" / "deeper" / "2.parquet")
    (tmp_path / "parts" / "_SUCCESS").touch()
    result = run(tmp_path, check(current="parts"))
    assert result.current.rows == 1500
    assert values(result) == values(run(tmp_path))


def test_a_pattern_is_one_data_set(tmp_path: Path) -> None:
    """The files that match a pattern are read as one table."""
    put(tmp_path, reference=rows(), day1=rows(300), day2=rows(400, seed=1), other=rows(500, seed=2))
    assert run(tmp_path, check(current="day*.parquet")).current.rows == 700


def test_parts_may_differ_in_the_width_of_their_numbers(tmp_path: Path) -> None:
    """Where one part has whole numbers and another broken ones, the column has broken ones."""
    put(tmp_path, reference=rows(), part1=rows(300), part2=rows(300).assign(visits=lambda frame: frame["visits"] + 0.5))
    assert "visits" in values(run(tmp_path, check(current="part*.parquet")))


def test_a_part_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    """A column that only some of the files have is an error that names the file."""
    put(tmp_path, reference=rows(), part1=rows(300), part2=rows(300).drop(columns="price"))
    with pytest.raises(UnusableDataError, match=r"part2\.parquet: lacks 'price', which .*part1\.parquet has"):
        run(tmp_path, check(current="part*.parquet"))


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    """Columns are matched by name."""
    reference, current = rows(), rows(shift=0.3, seed=1)
    put(tmp_path, reference=reference, current=current, turned=current[current.columns[::-1]])
    assert values(run(tmp_path, check(current="turned.parquet"))) == values(run(tmp_path))


def test_columns_of_one_side_are_left_out(tmp_path: Path) -> None:
    """What only one side has is not compared, and told."""
    put(tmp_path, reference=rows().assign(old=1), current=rows().assign(new=1))
    assert run(tmp_path).left_out == {"old": "is not in the current data", "new": "is not in the reference data"}


def test_only_the_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    """`columns` limits what is compared; target and prediction come along with their roles."""
    put(tmp_path, reference=rows(), current=rows())
    result = run(tmp_path, check(columns=("price",), target="target", prediction="forecast"))
    assert list(values(result)) == ["price", "target"]
    assert result.statuses()["target"]["role"] == "target"  # type: ignore[index]  # JSON
    assert result.left_out == {"forecast": "is not in the reference data"}


def test_a_column_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    """A name in `columns` that one side has not got is an error that shows what it has."""
    put(tmp_path, reference=rows(), current=rows().drop(columns="price"))
    with pytest.raises(UnusableDataError, match=r"columns: 'price' not in the current data .* has visits, region"):
        run(tmp_path, check(columns=("price", "visits")))


def test_no_common_column_is_an_error(tmp_path: Path) -> None:
    """Two tables that share no name cannot be compared; each column is named."""
    put(tmp_path, reference=rows()[["price"]], current=rows()[["visits"]])
    with pytest.raises(UnusableDataError, match="no column can be compared: 'price' is not in the current data"):
        run(tmp_path)


def test_a_column_without_values_is_left_out(tmp_path: Path) -> None:
    """All nulls, or a column of Parquet's null type: Evidently would fail as a whole."""
    put(tmp_path, reference=rows(), current=rows().assign(price=np.nan, region=None))
    found = "has no values in the current data"
    assert run(tmp_path).left_out == {"price": found, "region": found}


def test_kinds_that_differ_are_left_out(tmp_path: Path) -> None:
    """Numbers in one and texts in the other cannot be compared, and it is told which is which."""
    put(tmp_path, reference=rows(), current=rows().assign(visits="many"))
    assert run(tmp_path).left_out == {"visits": "holds numbers in the reference data and texts in the current data"}


def test_numbers_mixed_with_words_are_texts(tmp_path: Path) -> None:
    """One word far down in a CSV column makes no error, but a column that cannot be compared with numbers."""
    rows(100_000).to_csv(tmp_path / "reference.csv", index=False)
    mixed = rows(100_000).astype({"visits": object})
    mixed.loc[99_000, "visits"] = "many"
    mixed.to_csv(tmp_path / "current.csv", index=False)
    result = run(tmp_path, check(reference="reference.csv", current="current.csv"))
    assert result.left_out == {"visits": "holds numbers in the reference data and texts in the current data"}


def test_times_are_left_out(tmp_path: Path) -> None:
    """Dates and times move on by themselves, in Parquet and as ISO texts in CSV."""
    put(tmp_path, reference=rows().assign(at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), current=rows())
    rows().assign(at="2026-01-01").to_csv(tmp_path / "current.csv", index=False)
    why = {"at": "holds times, which move on by themselves"}
    assert run(tmp_path, check(current="reference.parquet")).left_out == why
    assert run(tmp_path, check(reference="current.csv", current="current.csv")).left_out == why


@pytest.mark.parametrize(
    "kind",
    [pa.uint8(), pa.uint64(), pa.int16(), pa.float16(), pa.float32(), pa.decimal128(10, 2), pa.large_string()],
    ids=str,
)
def test_every_type_of_number_and_text_is_compared(tmp_path: Path, kind: pa.DataType) -> None:
    """Types that pandas and Evidently know less well are turned into those that they know."""
    numbers = pa.array(range(100), pa.int64()).cast(pa.string() if kind == pa.large_string() else pa.float32())
    cast = pa.array([value % 7 for value in range(100)]).cast(pa.string()) if kind == pa.large_string() else numbers
    for name in ("reference", "current"):
        parquet.write_table(pa.table({"x": cast.cast(kind)}), tmp_path / f"{name}.parquet")
    assert list(values(run(tmp_path))) == ["x"]


def test_categories_of_pandas_are_texts(tmp_path: Path) -> None:
    """A dictionary column is compared by its values."""
    put(tmp_path, reference=rows().astype({"region": "category"}), current=rows(shift=1.0))
    assert "region" in run(tmp_path).drifted


def test_lists_structures_and_bytes_are_left_out(tmp_path: Path) -> None:
    """What has no distribution of values is told, before any of it is read."""
    columns = {"x": [1.5, 2.5], "tags": [["a"], []], "place": [{"a": 1}, {"a": 2}], "raw": [b"1", b"2"]}
    for name in ("reference", "current"):
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    why = "holds lists or structures"
    assert run(tmp_path).left_out == {"tags": why, "place": why, "raw": "holds bytes"}


def test_names_may_hold_anything(tmp_path: Path) -> None:
    """Dots, which Parquet takes for paths, spaces, quotes and other alphabets."""
    names = {"price": "a.b", "visits": "größe in m²", "region": 'he said "no"', "target": "数"}
    put(tmp_path, reference=rows().rename(columns=names), current=rows(seed=1).rename(columns=names))
    assert set(values(run(tmp_path))) == {*names.values(), "member"}


def test_a_name_that_stands_twice_is_left_out(tmp_path: Path) -> None:
    """Nobody can tell which of the two is meant."""
    for name in ("reference", "current"):
        (tmp_path / f"{name}.csv").write_text("x,x,y\n1,2,3.5\n4,5,6.5\n")
    result = run(tmp_path, check(reference="reference.csv", current="current.csv"))
    assert result.left_out == {"x": "stands more than once in the data"}


def test_csv_fields_may_be_quoted(tmp_path: Path) -> None:
    """Commas, line breaks and a byte order mark are read as they should be."""
    for name in ("reference", "current"):
        text = '\ufefftext,x\n"a, b\nc",1.5\n"a, b\nc",2.5\n"a, b\nc",3.5\nd,\nd,4.5\n'
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    result = run(tmp_path, check(reference="reference.csv", current="current.csv", columns=("text", "x")))
    assert result.current.rows == 5
    assert set(values(result)) == {"text", "x"}


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The address as configured, with its date filled in."""
    put(tmp_path, reference=rows())
    with pytest.raises(UnusableDataError, match=r"^churn/2026-11-23\.parquet: there is no such file$"):
        run(tmp_path, check(current="churn/{date}.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("current.parquet", b"no parquet", r"current\.parquet cannot be read: "),
        ("current.csv", b"", r"current\.csv cannot be read: Empty CSV file"),
        ("current.csv", b"price,visits\n", r"current data \(current\.csv\): have no rows"),
        ("current.csv", b"price,visits\n1,2\n3\n", r"CSV parse error: Row #3: Expected 2 columns, got 1$"),
        ("current.csv", b"price,region\n1,\xff\xfe\n", r"current\.csv cannot be read: "),
        ("current.csv.gz", b"no gzip", r"current\.csv\.gz"),
        ("current.xlsx", b"x", r"is neither \.parquet nor \.csv nor \.csv\.gz"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    """What cannot be read is told with the file and the reason."""
    put(tmp_path, reference=rows())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Exception, match=problem):
        run(tmp_path, check(current=name))


def test_a_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    """Half of a Parquet file is no Parquet file."""
    put(tmp_path, reference=rows(), current=rows())
    whole = (tmp_path / "current.parquet").read_bytes()
    (tmp_path / "current.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableDataError, match=r"current\.parquet cannot be read: "):
        run(tmp_path)


def test_both_formats_in_one_folder_are_an_error(tmp_path: Path) -> None:
    """Which of them is meant must be said."""
    put(tmp_path, reference=rows())
    rows().to_csv(tmp_path / "more.csv", index=False)
    with pytest.raises(UnusableDataError, match="holds both Parquet and CSV"):
        run(tmp_path, check(current="."))


def test_equal_data_ask_with_the_same_id(tmp_path: Path) -> None:
    """The trigger's id follows the data: the same files, the same id; other data on either side, another one."""
    put(tmp_path, reference=rows(), current=rows(seed=1))
    first = run(tmp_path).trigger_id
    assert run(tmp_path).trigger_id == first
    put(tmp_path, current=rows(seed=2, count=1501))
    second = run(tmp_path).trigger_id
    put(tmp_path, reference=rows(seed=3, count=1502))
    assert len({first, second, run(tmp_path).trigger_id}) == 3
