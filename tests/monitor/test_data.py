"""Columns as they come: their types, their names, and everything that can be wrong with them."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from functions.monitor.data.plain import LONGEST
from functions.monitor.errors import UnusableDataError
from tests.monitor.given import check, put, read, rows, run, values


def test_parts_may_differ_in_the_width_of_their_numbers(tmp_path: Path) -> None:
    """Where one part has whole numbers and another broken ones, the column has broken ones."""
    put(tmp_path, reference=rows(), part1=rows(300), part2=rows(300).assign(visits=lambda frame: frame["visits"] + 0.5))
    assert "visits" in values(run(tmp_path, check(current="part*.parquet")))


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    """Columns are matched by name."""
    reference, current = rows(), rows(shift=0.3, seed=1)
    put(tmp_path, reference=reference, current=current, turned=current[current.columns[::-1]])
    assert values(run(tmp_path, check(current="turned.parquet"))) == values(run(tmp_path))


def test_columns_of_one_side_are_left_out(tmp_path: Path) -> None:
    """A column that only one side has is not compared, and it is reported."""
    put(tmp_path, reference=rows().assign(old=1), current=rows().assign(new=1))
    assert run(tmp_path).left_out == {"old": "is not in the current data", "new": "is not in the reference data"}


def test_only_the_configured_columns_are_read(tmp_path: Path) -> None:
    """`columns` limits what is compared; target and prediction come along with their roles."""
    put(tmp_path, reference=rows(), current=rows())
    result = run(tmp_path, check(columns=("price",), target="target", prediction="forecast"))
    assert list(values(result)) == ["price", "target"]
    assert result.statuses()["target"]["role"] == "target"  # type: ignore[index]  # JSON
    assert result.left_out == {"forecast": "is not in the reference data"}


def test_a_configured_column_must_be_there(tmp_path: Path) -> None:
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
    empty = rows().assign(note=np.nan, remark=None)
    put(tmp_path, reference=empty, current=empty)
    found = "has no values in the reference data"
    assert run(tmp_path).left_out == {"note": found, "remark": found}


def test_kinds_that_differ_are_left_out(tmp_path: Path) -> None:
    """Numbers on one side and texts on the other cannot be compared; the report says which side has which."""
    put(tmp_path, reference=rows(), current=rows().assign(visits="many"))
    assert run(tmp_path).left_out == {"visits": "holds numbers in the reference data and texts in the current data"}


def test_one_word_far_down_among_numbers_is_a_missing_value(tmp_path: Path) -> None:
    """It makes neither an error nor a column of texts; it is reported."""
    rows(100_000).to_csv(tmp_path / "reference.csv", index=False)
    mixed = rows(100_000).astype({"visits": object})
    mixed.loc[99_000, "visits"] = "many"
    mixed.to_csv(tmp_path / "current.csv", index=False)
    data = read(tmp_path, check(reference="reference.csv", current="current.csv"))
    assert not data.chosen.left_out
    assert data.missing["visits"].unread == (0, 1)


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


@pytest.mark.parametrize(
    "numbers",
    [
        pa.array([2**64 - 1 - row * 10**15 for row in range(1500)], pa.uint64()),
        pa.array([2**62 + row * 10**12 for row in range(1500)], pa.int64()),
        pa.array(range(1500)).cast(pa.decimal128(38, 10)),
    ],
    ids=["uint64", "int64", "decimal"],
)
def test_large_numbers_are_compared_as_nearly_as_can_be(tmp_path: Path, numbers: pa.Array) -> None:
    """Numbers that a float can hold only approximately do not cause an error."""
    for name in ("reference", "current"):
        parquet.write_table(pa.table({"x": numbers}), tmp_path / f"{name}.parquet")
    assert values(run(tmp_path)) == {"x": 0.0}


@pytest.mark.parametrize("sides", [("reference",), ("current",), ("reference", "current")], ids="+".join)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_flags_may_have_nulls(tmp_path: Path, sides: tuple[str, ...], form: str) -> None:
    """One null among true and false, on either side, changes nothing but a value."""
    for seed, name in enumerate(("reference", "current")):
        frame = rows(seed=seed).astype({"member": "boolean"})
        if name in sides:
            frame.loc[3, "member"] = pd.NA
        path = tmp_path / f"{name}.{form}"
        frame.to_parquet(path) if form == "parquet" else frame.to_csv(path, index=False)
    found = values(run(tmp_path, check(reference=f"reference.{form}", current=f"current.{form}")))
    put(tmp_path, plain0=rows(), plain1=rows(seed=1))
    plain = values(run(tmp_path, check(reference="plain0.parquet", current="plain1.parquet")))
    assert found["member"] == pytest.approx(plain["member"], abs=0.01)
    assert found["price"] == pytest.approx(plain["price"])


def test_categories_of_pandas_are_texts(tmp_path: Path) -> None:
    """A dictionary column is compared by its values."""
    put(tmp_path, reference=rows().astype({"region": "category"}), current=rows(shift=1.0))
    assert "region" in run(tmp_path).drifted


def test_lists_structures_and_bytes_are_left_out(tmp_path: Path) -> None:
    """Columns without a distribution of values are reported, before any of their data is read."""
    columns = {"x": [1.5, 2.5], "tags": [["a"], []], "place": [{"a": 1}, {"a": 2}], "raw": [b"1", b"2"]}
    for name in ("reference", "current"):
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    why = "holds lists or structures"
    assert run(tmp_path, check(min_rows=1)).left_out == {"tags": why, "place": why, "raw": "holds bytes"}


def test_a_column_that_is_left_out_has_its_share_of_values(tmp_path: Path) -> None:
    """Whatever the reason, and whether its values were read or not: every fourth row has one, and it is reported."""
    count = 1500
    kinds: dict[str, list[object]] = {
        "times": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
        "lists": [["a"]],
        "places": [{"a": None}],
        "bytes": [b"1"],
        "notes": [f"free {number}" for number in range(count)],
        "words": ["NA", " ", "?", "word"],
        "old": [1.5],
    }
    given = pa.Table.from_pandas(rows(count))
    for name, some in kinds.items():
        given = given.append_column(
            name, pa.array([some[row // 4 % len(some)] if row % 4 == 3 else None for row in range(count)])
        )
    parquet.write_table(given, tmp_path / "reference.parquet")
    whole = given.drop_columns(["old", "words"]).append_column("words", pa.array(["NA"] * count))
    (tmp_path / "current").mkdir()
    for part, rows_of in enumerate((whole.slice(0, 1000), whole.slice(1000))):
        parquet.write_table(rows_of, tmp_path / f"current/{part}.parquet")
    result = run(tmp_path, check(current="current"))
    quarter = {"reference": 0.25, "current": 0.25}
    others = {"words": {"reference": 0.062, "current": 0}, "old": {"reference": 0.25, "current": None}}
    expected = {**dict.fromkeys(kinds, quarter), **others}
    assert {name: share.document() for name, share in result.left_out_values.items()} == expected
    assert set(result.left_out) == set(kinds)


def test_columns_of_csv_that_are_left_out_have_their_share_of_values(tmp_path: Path) -> None:
    """Marks for missing values count as none; of two columns with one name, each counts."""
    pairs = [("x", "NA"), ("NA", " "), ("x", "y"), ("?", "y")]
    lines = [f"{n % 50};{n % 40};{n % 30};{n % 20},{','.join(pairs[n % 4])},z" for n in range(1500)]
    (tmp_path / "reference.csv").write_text("\n".join(["a;b;c;d,twice,twice,old", *lines]).replace(";", ","))
    (tmp_path / "current.csv").write_text("\n".join(["a;b;c;d", *(line.partition(",")[0] for line in lines)]))
    settings = {"reference": "reference.csv", "current": "current.csv", "prediction": "score"}
    shares = {name: share.document() for name, share in run(tmp_path, check(**settings)).left_out_values.items()}
    assert shares == {
        "twice": {"reference": 0.75, "current": None},
        "old": {"reference": 1, "current": None},
        "score": {"reference": None, "current": None},
    }


def test_names_may_hold_anything(tmp_path: Path) -> None:
    """Dots, which Parquet takes for paths, spaces, quotes and other alphabets."""
    names = {"price": "a.b", "visits": "größe in m²", "region": 'he said "no"', "target": "数"}
    put(tmp_path, reference=rows().rename(columns=names), current=rows(seed=1).rename(columns=names))
    assert set(values(run(tmp_path))) == {*names.values(), "member"}


def test_a_name_that_occurs_twice_is_left_out(tmp_path: Path) -> None:
    """Which of the two columns is meant cannot be known."""
    for name in ("reference", "current"):
        (tmp_path / f"{name}.csv").write_text("x,x,y\n1,2,3.5\n4,5,6.5\n")
    result = run(tmp_path, check(reference="reference.csv", current="current.csv", min_rows=1))
    assert result.left_out == {"x": "is in the data more than once"}


def test_long_texts_are_cut(tmp_path: Path) -> None:
    """Texts that differ only beyond the limit are the same category, plain or as a dictionary."""
    for name in ("reference", "current"):
        long = pa.array(["x" * LONGEST + name, "y"] * 750)
        columns = {"plain": long, "coded": long.dictionary_encode(), "large": long.cast(pa.large_string())}
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    assert run(tmp_path).drifted == ()
