"""Tables in folders: partitions in the names of folders, and formats that keep a log of their files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake

from functions.monitor.errors import UnusableDataError
from tests.monitor.given import check, put, read, rows, run, values


def partitioned(folder: Path, shares: Mapping[str, int], form: str) -> None:
    """Write rows into folders `region=...`, as many as *shares* say."""
    for region, count in shares.items():
        part = folder / f"region={region}"
        part.mkdir(parents=True)
        frame = rows(count)[["price"]]
        if form == "csv":
            frame.to_csv(part / "part-0.csv", index=False)
        else:
            frame.to_parquet(part / "part-0.parquet")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_partitions_in_the_names_of_folders_are_columns(tmp_path: Path, form: str) -> None:
    """The share of a region that only the folders name has collapsed."""
    partitioned(tmp_path / "reference", {"eu": 1000, "us": 1000}, form)
    partitioned(tmp_path / "current", {"eu": 60, "us": 1000}, form)
    found = run(tmp_path, check(reference="reference", current="current", columns=("price", "region")))
    assert found.drifted == ("region",)


def test_partitions_are_read_as_values_of_any_column_are(tmp_path: Path) -> None:
    """Encoded signs, a partition without a value, and numbers, which a plain file holds beside them."""
    for value, count in (("S%C3%A3o Paulo", 700), ("__HIVE_DEFAULT_PARTITION__", 300)):
        part = tmp_path / "parts" / f"city={value}" / "year=2026"
        part.mkdir(parents=True)
        rows(count)[["price"]].to_parquet(part / "0.parquet")
    frame = rows(1000)[["price"]].assign(city=["S\u00e3o Paulo"] * 700 + [None] * 300, year=2026)
    frame.to_csv(tmp_path / "reference.csv", index=False)
    found = run(tmp_path, check(reference="reference.csv", current="parts/*/*/*.parquet", min_rows=100))
    assert values(found).keys() == {"price", "city", "year"}
    assert not found.drifted


def test_a_column_in_the_files_goes_before_the_name_of_a_folder(tmp_path: Path) -> None:
    """Some writers put the partition into both."""
    (tmp_path / "parts" / "region=eu").mkdir(parents=True)
    rows().to_parquet(tmp_path / "parts" / "region=eu" / "0.parquet")
    put(tmp_path, reference=rows())
    assert not run(tmp_path, check(current="parts")).drifted


def overwritten(folder: Path, **options: object) -> None:
    """Write a Delta table whose second version replaces the first, which has drifted."""
    write_deltalake(folder, rows(shift=3.0), **options)
    write_deltalake(folder, rows(), mode="overwrite", **options)


def test_a_delta_table_is_its_newest_version(tmp_path: Path) -> None:
    """Files that the log has removed do not count, though they are still there."""
    put(tmp_path, current=rows())
    overwritten(tmp_path / "reference")
    found = run(tmp_path, check(reference="reference"))
    assert found.reference.rows == 1500
    assert not any(values(found).values())


def test_a_delta_table_may_have_partitions_and_checkpoints(tmp_path: Path) -> None:
    """The values of a partition are in the log; a part of the table may be named by its folder or by a pattern."""
    put(tmp_path, current=rows())
    overwritten(tmp_path / "reference", partition_by=["region"])
    DeltaTable(tmp_path / "reference").create_checkpoint()
    frames = read(tmp_path, check(reference="reference")).frames
    assert sorted(frames[0]["region"]) == sorted(frames[1]["region"])
    north = (rows()["region"] == "north").sum()
    for address in ("reference/region=north", "reference/region=nor*/*.parquet"):
        assert read(tmp_path, check(reference=address, min_rows=30)).sides[0].rows == north


def test_a_delta_table_may_have_partitions_of_every_type(tmp_path: Path) -> None:
    """The log has days and whole numbers as such, and not as texts."""
    day = pd.to_datetime("2026-11-22").date()
    put(tmp_path, reference=rows().assign(shop=[1, 2, 3] * 500))
    frame = rows().assign(shop=[1, 2, 3] * 500, day=day, flag=True)
    write_deltalake(tmp_path / "current", frame, partition_by=["shop", "day", "flag"])
    found = read(tmp_path, check(current="current")).frames[1]
    assert sorted(found["shop"]) == sorted(frame["shop"])


def test_a_column_that_was_added_to_a_delta_table_has_no_values_before(tmp_path: Path) -> None:
    """Older files lack it, whichever is read first; in a plain folder they do not belong together."""
    put(tmp_path, reference=rows().assign(new=1.5))
    write_deltalake(tmp_path / "current", rows(900))
    write_deltalake(tmp_path / "current", rows(900).assign(new=1.5), mode="append", schema_mode="merge")
    data = read(tmp_path, check(current="current"))
    assert (data.missing["new"].current, data.missing["new"].drifted) == (0.5, True)
    plain = tmp_path / "plain"
    plain.mkdir()
    for name, frame in (("0", rows(900)), ("1", rows(900).assign(new=1.5))):
        frame.to_parquet(plain / f"{name}.parquet")
    assert read(tmp_path, check(current="plain")).chosen.left_out["new"] == "is in some of the files only"


def test_equal_versions_of_a_delta_table_give_the_same_trigger_id(tmp_path: Path) -> None:
    """A new version is other data."""
    put(tmp_path, reference=rows())
    overwritten(tmp_path / "current")
    first = read(tmp_path, check(current="current")).identities
    assert read(tmp_path, check(current="current")).identities == first
    write_deltalake(tmp_path / "current", rows(), mode="overwrite")
    assert read(tmp_path, check(current="current")).identities != first


def test_a_delta_table_with_deletion_vectors_is_refused(tmp_path: Path) -> None:
    """Its files hold rows that are deleted, so they are not read; what to do is in the message."""
    put(tmp_path, reference=rows())
    table = tmp_path / "current"
    write_deltalake(table, rows())
    log = table / "_delta_log" / "00000000000000000000.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            features = ["deletionVectors"]
            versions = {"minReaderVersion": 3, "minWriterVersion": 7}
            action["protocol"] = {**versions, "readerFeatures": features, "writerFeatures": features}
        if "add" in action:
            vector = {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4, "sizeInBytes": 40}
            action["add"]["deletionVector"] = {**vector, "cardinality": 6}
    log.write_text("\n".join(map(json.dumps, actions)))
    with pytest.raises(
        UnusableDataError, match=r"^current: is a Delta table with deletion vectors, .* run REORG TABLE"
    ):
        run(tmp_path, check(current="current"))


def test_a_delta_table_whose_log_is_damaged_is_named(tmp_path: Path) -> None:
    """No other run would read it."""
    put(tmp_path, reference=rows())
    overwritten(tmp_path / "current")
    (tmp_path / "current" / "_delta_log" / "00000000000000000001.json").write_text("{")
    with pytest.raises(UnusableDataError, match=r"^current: the log of the Delta table cannot be read: "):
        run(tmp_path, check(current="current"))


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (".hoodie/hoodie.properties", "is a Hudi table"),
        ("metadata/00000-5f.metadata.json", "is an Iceberg table"),
    ],
    ids=["Hudi", "Iceberg"],
)
@pytest.mark.parametrize("address", ["current", "current/*.parquet"])
def test_tables_of_other_formats_are_refused(tmp_path: Path, address: str, file: str, problem: str) -> None:
    """Their folders hold rows that are gone; what to do is in the message."""
    put(tmp_path, reference=rows())
    (tmp_path / "current" / file).parent.mkdir(parents=True)
    (tmp_path / "current" / file).write_text("{}")
    rows().to_parquet(tmp_path / "current" / "0.parquet")
    with pytest.raises(UnusableDataError, match=f"{problem}, .*; export the rows"):
        run(tmp_path, check(current=address))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_empty_files_and_markers_of_folders_are_skipped(tmp_path: Path, form: str) -> None:
    """As Spark and Hadoop leave them: parts without a byte, and objects that stand for a folder."""
    folder = tmp_path / "current" / "w47"
    folder.mkdir(parents=True)
    for name, frame in (("reference", rows()), ("current/w47/part-0", rows(seed=1))):
        path = tmp_path / f"{name}.{form}"
        frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    for marker in (f"part-1.{form}", "../w47_$folder$"):
        (folder / marker).touch()
    assert read(tmp_path, check(reference=f"reference.{form}", current="current")).sides[1].rows == 1500
    (folder / f"part-0.{form}").unlink()
    with pytest.raises(UnusableDataError, match=r"^current: holds no data: 1 empty file$"):
        run(tmp_path, check(reference=f"reference.{form}", current="current"))


def test_a_packed_part_without_rows_is_not_data(tmp_path: Path) -> None:
    """A packed file has some bytes, even if nothing is in it."""
    put(tmp_path, reference=rows())
    (tmp_path / "current").mkdir()
    pd.DataFrame().to_csv(tmp_path / "current" / "0.csv.gz", index=False)
    rows().to_csv(tmp_path / "current" / "1.csv.gz", index=False)
    assert read(tmp_path, check(current="current")).sides[1].rows == 1500
