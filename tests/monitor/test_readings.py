"""Values as people write them: each is read as what it stands for, in every form of file."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from functions.monitor.reading import CheckData
from functions.monitor.result import Result
from tests.monitor.given import check, read, rows, run

COUNT = 1500
Column = Sequence[object]


def write(path: Path, frame: pd.DataFrame) -> None:
    """Write *frame* in the form that the name of *path* says."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def given(folder: Path, reference: Column, current: Column, forms: tuple[str, str]) -> dict[str, str]:
    """Write a column x beside a number, and return where both sides are."""
    for name, column, form in zip(("reference", "current"), (reference, current), forms, strict=True):
        frame = pd.DataFrame({"x": pd.Series(column), "price": rows(len(column))["price"]})
        write(folder / f"{name}.{form}", frame)
    return {"reference": f"reference.{forms[0]}", "current": f"current.{forms[1]}"}


def data_of(folder: Path, reference: Column, current: Column, forms: tuple[str, str]) -> CheckData:
    """Return the data that a check of such a column would compare."""
    return read(folder, check(**given(folder, reference, current, forms)))


def compared(folder: Path, reference: Column, current: Column, forms: tuple[str, str], **settings: object) -> Result:
    """Return what a check of such a column finds."""
    return run(folder, check(**given(folder, reference, current, forms), **settings))


def numbers(seed: int, shift: float = 0.0) -> list[float]:
    """Return prices around 5,000, rounded to a hundredth."""
    drawn = np.random.default_rng(seed).normal(5000 + shift, 300, COUNT)
    return [round(float(number), 2) for number in drawn]


def spelled(style: Callable[[float], str], seed: int, shift: float = 0.0) -> list[str]:
    """Return `numbers` as texts."""
    return [style(number) for number in numbers(seed, shift)]


def with_comma(number: float) -> str:
    """Write a number as most of Europe does."""
    return f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


STYLES: dict[str, Callable[[float], str]] = {
    "blanks around": lambda number: f"  {number} ",
    "thousands": lambda number: f"{number:,.2f}",
    "decimal comma": with_comma,
    "blanks between thousands": lambda number: f"{number:,.2f}".replace(",", "\u00a0"),
    "currency before": lambda number: f"${number:,.2f}",
    "currency behind": lambda number: f"{with_comma(number)} \u20ac",
    "percent": lambda number: f"{number} %",
    "brackets for negative": lambda number: f"({number:,.2f})",
}
FORMS = [("csv", "csv"), ("parquet", "parquet"), ("parquet", "csv")]


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("forms", FORMS, ids="+".join)
def test_numbers_with_an_unusual_spelling_are_numbers(
    tmp_path: Path, style: Callable[[float], str], forms: tuple[str, str]
) -> None:
    """Both sides are read as what the texts stand for."""
    sign = -1 if style(1.0).startswith("(") else 1
    data = data_of(tmp_path, spelled(style, 0), spelled(style, 1), forms)
    for seed, frame in enumerate(data.frames):
        assert frame["x"].tolist() == pytest.approx([sign * number for number in numbers(seed)])


def test_a_shift_of_such_numbers_is_drift(tmp_path: Path) -> None:
    """The whole check finds it, in either form."""
    style = STYLES["currency behind"]
    for forms in FORMS[:2]:
        assert compared(tmp_path, spelled(style, 0), spelled(style, 1, 400), forms).drifted == ("x",)


@pytest.mark.parametrize("mark", ["?", "NA", "", " ", "n/a", "\\N"])
@pytest.mark.parametrize("forms", FORMS, ids="+".join)
def test_marks_for_missing_values_are_missing_values(tmp_path: Path, mark: str, forms: tuple[str, str]) -> None:
    """A tenth of the values is a mark: the others are compared as numbers, and nothing counts as unreadable."""
    column = [mark if place % 10 == 0 else str(number) for place, number in enumerate(numbers(0))]
    data = data_of(tmp_path, numbers(1), column, forms)
    assert not data.chosen.left_out
    missing = data.missing["x"]
    assert (missing.reference, round(missing.current, 4), missing.drifted) == (0, 0.1, False)
    assert missing.unread == (0, 0)


@pytest.mark.parametrize("forms", FORMS, ids="+".join)
def test_words_among_numbers_count_as_missing_and_are_reported(tmp_path: Path, forms: tuple[str, str]) -> None:
    """A column that is mostly numbers is compared as numbers; how many values could not be read is reported."""
    column = ["unknown" if place % 3 == 0 else str(number) for place, number in enumerate(numbers(0))]
    found = compared(tmp_path, numbers(1), column, forms)
    assert found.statuses()["x"]["missing"] == {  # type: ignore[index]  # JSON
        "reference": 0,
        "current": 0.3333,
        "threshold": 0.2,
        "status": "drift",
        "unread": [0, 500],
    }
    assert found.unread() == {"x": "0 values of the reference and 500 of the current data could not be read"}


def test_fields_and_missing_fields_may_be_quoted(tmp_path: Path) -> None:
    """Every field in quotes, empty ones for missing values, and blanks behind commas and in the header."""
    lines = ['"price", "visits"', *(f'"{number}", "{place % 40 or ""}"' for place, number in enumerate(numbers(0)))]
    (tmp_path / "current.csv").write_text("\n".join(lines))
    frame = pd.DataFrame({"price": numbers(0), "visits": [place % 40 or None for place in range(COUNT)]})
    write(tmp_path / "reference.parquet", frame)
    data = read(tmp_path, check(current="current.csv"))
    assert not data.chosen.left_out
    assert data.frames[0].equals(data.frames[1])


@pytest.mark.parametrize("separator", [";", "\t", "|"], ids=["semicolons", "tabs", "bars"])
def test_other_separators_are_found_in_the_header(tmp_path: Path, separator: str) -> None:
    """A file with semicolons and decimal commas, as a spreadsheet of most of Europe writes it, is read."""
    write(tmp_path / "reference.csv", rows())
    rows().to_csv(tmp_path / "current.csv", index=False, sep=separator, decimal="," if separator == ";" else ".")
    data = read(tmp_path, check(reference="reference.csv", current="current.csv"))
    assert len(data.chosen.names) == 5
    assert data.frames[0].equals(data.frames[1])


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("separator", [";", ","], ids=["semicolons", "commas"])
def test_a_line_that_names_the_separator_for_excel_is_no_header(tmp_path: Path, separator: str, end: str) -> None:
    """The names are in the line after it, and no row is lost or added."""
    write(tmp_path / "reference.csv", rows())
    text = rows().to_csv(index=False, sep=separator, lineterminator=end)
    (tmp_path / "current.csv").write_bytes(f"\ufeffsep={separator}{end}{text}".encode())
    data = read(tmp_path, check(reference="reference.csv", current="current.csv"))
    assert data.frames[0].equals(data.frames[1])


DATES: dict[str, Callable[[pd.Timestamp], object]] = {
    "ISO": lambda day: day.strftime("%Y-%m-%d"),
    "ISO with a time": lambda day: day.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "digits": lambda day: day.strftime("%Y%m%d"),
    "a number": lambda day: int(day.strftime("%Y%m%d")),
    "a month": lambda day: day.strftime("%Y-%m"),
    "European": lambda day: day.strftime("%d.%m.%Y"),
    "American": lambda day: day.strftime("%m/%d/%Y"),
    "words": lambda day: day.strftime("%b %d, %Y"),
    "a type of its own": lambda day: day,
}


@pytest.mark.parametrize("style", DATES.values(), ids=DATES)
def test_dates_move_on_in_every_spelling_and_form(tmp_path: Path, style: Callable[[pd.Timestamp], object]) -> None:
    """A date is left out for the same reason in CSV and Parquet, as a text, a number or a type of its own."""
    days = pd.date_range("2024-01-01", periods=COUNT, freq="6h")
    for forms in FORMS:
        data = data_of(tmp_path, [style(day) for day in days], [style(day) for day in days], forms)
        assert data.chosen.left_out == {"x": "holds times, which move on by themselves"}


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
@pytest.mark.parametrize("forms", [("parquet", "parquet"), ("parquet", "csv"), ("csv", "csv")], ids="+".join)
def test_durations_are_numbers(tmp_path: Path, unit: str, forms: tuple[str, str]) -> None:
    """A duration does not move on by itself: one that has grown is drift, and one that has not is none."""
    waited = pd.Series(pd.to_timedelta(np.random.default_rng(0).gamma(2, 60, COUNT).round(), unit="s")).astype(
        f"timedelta64[{unit}]"
    )
    same, tenfold = (data_of(tmp_path, waited, waited * factor, forms).frames for factor in (1, 10))
    assert same[0]["x"].tolist() == same[1]["x"].tolist() == waited.dt.total_seconds().tolist()
    assert tenfold[1]["x"].tolist() == pytest.approx((10 * tenfold[0]["x"]).tolist())


def test_durations_of_other_writers_and_times_of_day_are_numbers(tmp_path: Path) -> None:
    """Without pandas, pyarrow keeps the unit of a duration in its schema; clock times are compared, too."""
    seconds = np.random.default_rng(0).integers(0, 86_400, COUNT)
    table = pa.table(
        {
            "waited": pa.array(seconds * 10**6, pa.duration("us")),
            "at": pa.array(seconds.astype("int32")).cast(pa.time32("s")),
        }
    )
    parquet.write_table(table, tmp_path / "reference.parquet")
    clock = [f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in seconds]
    write(tmp_path / "current.csv", pd.DataFrame({"waited": pd.to_timedelta(seconds, unit="s"), "at": clock}))
    frames = read(tmp_path, check(current="current.csv")).frames
    assert frames[0].equals(frames[1])
    assert frames[0]["waited"].tolist() == frames[0]["at"].tolist() == seconds.tolist()


def test_identifiers_of_a_type_of_their_own_are_identifiers(tmp_path: Path) -> None:
    """UUIDs in Parquet's own type, and as texts, are left out as what they are; the other columns are compared."""
    ids = [number.to_bytes(16, "big") for number in range(COUNT)]
    plain = {"id": pa.array(ids, pa.binary(16)), "x": pa.array(numbers(0))}
    typed = pa.ExtensionArray.from_storage(pa.uuid(), plain["id"])
    parquet.write_table(pa.table({**plain, "id": typed}), tmp_path / "reference.parquet")
    texts = [f"00000000-0000-0000-0000-{number:012x}" for number in range(COUNT)]
    write(tmp_path / "current.csv", pd.DataFrame({"id": texts, "x": numbers(0)}))
    chosen = read(tmp_path, check(current="current.csv")).chosen
    assert chosen.names == ("x",)
    assert chosen.left_out["id"].startswith("holds free text or identifiers")


@pytest.mark.parametrize("forms", FORMS, ids="+".join)
def test_json_is_a_structure_in_every_form(tmp_path: Path, forms: tuple[str, str]) -> None:
    """A text that is a JSON object has no distribution of values, as a structure has none."""
    texts = [f'{{"clicks": {place % 7}}}' for place in range(COUNT)]
    assert data_of(tmp_path, texts, texts, forms).chosen.left_out == {"x": "holds lists or structures"}


def test_flags_in_words_are_those_in_a_type_of_their_own(tmp_path: Path) -> None:
    """True and false in CSV, in any case, are the flags of Parquet."""
    flags = [place % 3 == 0 for place in range(COUNT)]
    frames = data_of(tmp_path, flags, [str(flag).upper() for flag in flags], ("parquet", "csv")).frames
    assert frames[0].equals(frames[1])
    assert frames[0]["x"].dtype == bool


def test_the_reference_decides_what_a_column_is(tmp_path: Path) -> None:
    """Codes with letters are categories, also where the current ones happen to be digits only."""
    codes = ["A1", "B2", "17", "18"]
    reference = [codes[place % 4] for place in range(COUNT)]
    found = compared(tmp_path, reference, [codes[2 + place % 2] for place in range(COUNT)], ("csv", "csv"))
    assert found.drifted == ("x",)


def test_a_growing_share_of_missing_values_is_drift(tmp_path: Path) -> None:
    """It is in the summary, in the JSON and in the report; the values that are left are distributed as before."""
    values = numbers(0)
    emptied = [None if place % 10 < 7 else number for place, number in enumerate(values)]
    found = compared(tmp_path, values, emptied, FORMS[1], columns=("x",), min_rows=400)
    assert found.drift
    assert found.summary().endswith(": x (missing values grew from 0% to 70%)")
    missing = read(tmp_path, check(columns=("x",), min_rows=400, missing_growth=0.8)).missing["x"]
    assert not missing.drifted
    given(tmp_path, emptied, emptied, FORMS[1])
    assert not read(tmp_path, check(columns=("x",), min_rows=400)).missing["x"].drifted


def test_few_missing_values_in_few_rows_are_chance(tmp_path: Path) -> None:
    """A growth by a quarter is drift in 60 rows, and chance in 24: within three standard errors of the difference."""
    reference: list[Any] = [None if place % 4 == 0 else number for place, number in enumerate(numbers(0)[:100])]
    current: list[Any] = [None if place % 2 == 0 else number for place, number in enumerate(numbers(1)[:60])]
    found = compared(tmp_path, reference, current, FORMS[1], columns=("x",), min_rows=30)
    missing = found.columns[0].missing
    assert missing is not None
    assert (round(missing.current - missing.reference, 2), missing.drifted) == (0.25, True)
    fewer = compared(tmp_path, reference, current[:24], FORMS[1], columns=("x",), min_rows=10).columns[0].missing
    assert fewer is not None
    assert (round(fewer.current - fewer.reference, 2), fewer.drifted) == (0.25, False)


@pytest.mark.parametrize("index", ["label", None], ids=["named", "unnamed"])
def test_the_index_of_a_data_frame_is_not_compared(tmp_path: Path, index: str | None) -> None:
    """Row labels that pandas kept after a filter drift with every window, and say nothing; who names them gets them."""
    for name, shift in (("reference", 0), ("current", 9000)):
        frame = rows()[["price"]]
        frame.index = pd.Index(np.arange(COUNT) * 2 + shift, name=index)
        frame.to_parquet(tmp_path / f"{name}.parquet")
    label = index or "__index_level_0__"
    why = {label: "is the index of the data frame, which pandas wrote beside the data"}
    assert read(tmp_path).chosen.left_out == why
    assert read(tmp_path, check(columns=("price", label))).chosen.names == ("price", label)


@pytest.mark.parametrize("quoted", [False, True], ids=["by pandas", "by R"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_row_numbers_are_not_compared(tmp_path: Path, form: str, quoted: bool) -> None:  # noqa: FBT001 - a parameter
    """The first column without a name, as pandas and R write it, also when it was read and written once more."""
    for name, first in (("reference", 1), ("current", 7001)):
        labels = [str(label) if quoted else label for label in range(first, first + COUNT)]
        frame = pd.DataFrame({"" if form == "csv" else "Unnamed: 0": labels, "price": numbers(first)})
        write(tmp_path / f"{name}.{form}", frame)
    chosen = read(tmp_path, check(reference=f"reference.{form}", current=f"current.{form}")).chosen
    assert list(chosen.left_out.values()) == ["numbers the rows"]
    assert chosen.names == ("price",)


def test_a_column_without_a_name_that_repeats_its_values_is_compared(tmp_path: Path) -> None:
    """Only what numbers the rows is left out."""
    for name, most in (("reference", 5), ("current", 50)):
        frame = pd.DataFrame({"": np.arange(COUNT) % most, "price": numbers(0)})
        write(tmp_path / f"{name}.csv", frame)
    assert run(tmp_path, check(reference="reference.csv", current="current.csv")).drifted == ("",)


def test_names_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    """SQL does not distinguish such names; the columns are compared all the same."""
    frame = pd.DataFrame({"price": numbers(0), "Price": numbers(1)})
    for form in ("csv", "parquet"):
        write(tmp_path / f"reference.{form}", frame)
        first, _ = read(tmp_path, check(reference=f"reference.{form}", current=f"reference.{form}")).frames
        assert first.equals(frame)


def test_a_buffer_of_csv_is_read_like_a_file(tmp_path: Path) -> None:
    """A byte order mark and Windows line ends change nothing."""
    text = io.StringIO()
    rows().to_csv(text, index=False, lineterminator="\r\n")
    (tmp_path / "current.csv").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    write(tmp_path / "reference.parquet", rows())
    frames = read(tmp_path, check(current="current.csv")).frames
    assert len(frames[0].columns) == 5
    assert frames[0].equals(frames[1])
