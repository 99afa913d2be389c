"""Files as they come: formats, folders, patterns, and everything that can be wrong with them."""

import gzip
import os
from pathlib import Path

import pytest

from functions.monitor.errors import UnusableDataError
from tests.monitor.given import check, put, rows, run, values


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


def test_a_part_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    """A column that only some of the files have is an error that names the file."""
    put(tmp_path, reference=rows(), part1=rows(300), part2=rows(300).drop(columns="price"))
    with pytest.raises(UnusableDataError, match=r"part2\.parquet: lacks 'price', which .*part1\.parquet has"):
        run(tmp_path, check(current="part*.parquet"))


def test_csv_fields_may_be_quoted(tmp_path: Path) -> None:
    """Commas, line breaks and a byte order mark are read as they should be."""
    for name in ("reference", "current"):
        text = '\ufefftext,x\n"a, b\nc",1.5\n"a, b\nc",2.5\n"a, b\nc",3.5\nd,\nd,4.5\n'
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    result = run(tmp_path, check(reference="reference.csv", current="current.csv", columns=("text", "x"), min_rows=1))
    assert result.current.rows == 5
    assert set(values(result)) == {"text", "x"}


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The address as configured, with its date filled in."""
    put(tmp_path, reference=rows())
    with pytest.raises(UnusableDataError, match=r"^churn/2026-11-23\.parquet: no such file exists$"):
        run(tmp_path, check(current="churn/{date}.parquet"))


CSV = b"price,visits\n" + b"".join(b"%d,%d\n" % (row * 7919 % 1000, row) for row in range(5000))
PACKED = gzip.compress(CSV, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("current.parquet", b"no parquet", r"current\.parquet cannot be read: "),
        ("current.csv", b"", r"current\.csv: holds no data: 1 empty file$"),
        ("current.csv", b"price,visits\n", r"current data \(current\.csv\): have no rows"),
        ("current.csv", b"price,visits\n1,2\n3\n", r"cannot be read: line 3: Expected Number of Columns: 2 Found: 1$"),
        ("current.csv", b"price,region\n1,\xff\xfe\n", r"current\.csv cannot be read: is not UTF-8: line 2 has other"),
        (
            "current.csv",
            "gr\u00f6\u00dfe,x\n1,2\n".encode("latin-1"),
            r"cannot be read: is not UTF-8: line 1 has other",
        ),
        ("current.csv", "price,x\n1,2\n".encode("utf-16"), r"cannot be read: is UTF-16 or UTF-32; convert it"),
        ("current.csv.gz", b"no gzip", r"current\.csv\.gz cannot be read: is not a complete gzip file: Not a gzipped"),
        ("current.csv.gz", PACKED[:2000], r"cannot be read: is not a complete gzip file: Compressed file ended before"),
        (
            "current.csv.gz",
            PACKED[:2000] + bytes(50) + PACKED[2050:],
            r"cannot be read: is not a complete gzip file: Error -3 while decompressing data",
        ),
        ("current.xlsx", b"x", r"is neither \.parquet nor \.csv nor \.csv\.gz"),
    ],
    ids=(
        *("parquet", "empty", "header only", "short row", "bytes", "latin-1", "utf-16", "no gzip", "half a gzip"),
        *("broken gzip", "another form"),
    ),
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    """Data that cannot be read are reported with the file and the reason; a retry would find the same."""
    put(tmp_path, reference=rows())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableDataError, match=problem):
        run(tmp_path, check(current=name))


def test_names_of_files_may_be_in_capitals(tmp_path: Path) -> None:
    """`.CSV.GZ` is packed CSV."""
    put(tmp_path, reference=rows())
    (tmp_path / "CURRENT.CSV.GZ").write_bytes(gzip.compress(rows(seed=1).to_csv(index=False).encode()))
    assert run(tmp_path, check(current="CURRENT.CSV.GZ")).current.rows == 1500


@pytest.mark.parametrize("hidden", [".ipynb_checkpoints", "_spark_metadata", "deeper/.trash/more"])
@pytest.mark.parametrize("address", ["parts", "parts/**/*.parquet"])
def test_hidden_folders_are_skipped(tmp_path: Path, address: str, hidden: str) -> None:
    """Checkpoints of notebooks and logs of streams are skipped with all that is in them."""
    for folder in ("parts", f"parts/{hidden}"):
        (tmp_path / folder).mkdir(parents=True)
        rows().to_parquet(tmp_path / folder / "1.parquet")
    put(tmp_path, reference=rows())
    assert run(tmp_path, check(current=address)).current.rows == 1500


def test_what_is_hidden_may_be_named(tmp_path: Path) -> None:
    """An address leads where it says, also into a folder that begins with an underscore."""
    (tmp_path / "_days").mkdir()
    put(tmp_path, reference=rows())
    rows().to_parquet(tmp_path / "_days" / "_1.parquet")
    assert run(tmp_path, check(current="_days/_1.parquet")).current.rows == 1500


def test_a_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    """Half of a Parquet file is not a valid Parquet file."""
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


def test_equal_data_give_the_same_trigger_id(tmp_path: Path) -> None:
    """The trigger's id follows the data: the same files, the same id; other data on either side, another one."""
    put(tmp_path, reference=rows(), current=rows(seed=1))
    first = run(tmp_path).trigger_id
    assert run(tmp_path).trigger_id == first
    put(tmp_path, current=rows(seed=2, count=1501))
    second = run(tmp_path).trigger_id
    put(tmp_path, reference=rows(seed=3, count=1502))
    assert len({first, second, run(tmp_path).trigger_id}) == 3


def test_a_copy_of_the_same_data_has_the_same_trigger_id(tmp_path: Path) -> None:
    """On this machine a file is known by what is in it, and not by its time."""
    put(tmp_path, reference=rows(), current=rows(seed=1))
    first = run(tmp_path).trigger_id
    os.utime(tmp_path / "current.parquet", (1, 1))
    assert run(tmp_path).trigger_id == first
