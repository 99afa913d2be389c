"""Table formats: which of the files in a folder are the table, by its log."""

import fnmatch
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from functions.monitor.data.storage import FoundFile, Storage
from functions.monitor.errors import UnusableDataError

_DELTA_LOG: Final = "_delta_log"
_HUDI: Final = ".hoodie"
_ICEBERG_FOLDER: Final = "metadata"
_ICEBERG_FILES: Final = "*.metadata.json"
_EXPORT: Final = "export the rows that are to be compared to Parquet files in a folder of their own, and name that"


def table_files(address: str, storage: Storage) -> tuple[FoundFile, ...] | None:
    """Return the current files of the Delta table at *address*; none where there is no table but plain files.

    Only the log is read here, by the storage itself: deltalake has a client of its own for object stores, which would
    need credentials and endpoints of its own. A folder or pattern inside a table selects from its current files.

    Raises:
        UnusableDataError: the table cannot be read by its files alone, or is one of Iceberg or Hudi.
        UnavailableError: the storage is away.

    """
    found = storage.enclosing(address, _DELTA_LOG)
    if found is not None:
        return _delta_files(address, *found, storage)
    if storage.enclosing(address, _HUDI):
        raise UnusableDataError(f"{address}: is a Hudi table, whose folder also holds rows that are gone; {_EXPORT}")
    found = storage.enclosing(address, _ICEBERG_FOLDER)
    if found is not None and storage.has_file(address, f"{found[0]}/{_ICEBERG_FOLDER}", _ICEBERG_FILES):
        raise UnusableDataError(
            f"{address}: is an Iceberg table, whose folder also holds rows that are gone; {_EXPORT}"
        )
    return None


def _delta_files(address: str, folder: str, rest: str, storage: Storage) -> tuple[FoundFile, ...]:
    files = [_file(address, folder, row) for row in _current_rows(address, folder, storage)]
    chosen = tuple(file for file in files if _is_chosen("/".join(file.below), rest))
    if not chosen:
        raise UnusableDataError(f"{address}: no such file exists in the current version of the Delta table")
    return tuple(sorted(chosen, key=lambda file: file.path))


def _current_rows(address: str, folder: str, storage: Storage) -> list[Mapping[str, Any]]:
    # Not at the top: few data are tables.
    import deltalake
    import pyarrow as pa

    with tempfile.TemporaryDirectory() as copy:
        log = Path(copy, _DELTA_LOG)
        log.mkdir()
        storage.copy(address, f"{folder}/{_DELTA_LOG}", log)
        try:
            table = deltalake.DeltaTable(copy)
            refusal = _refusal(table)
            rows: list[Mapping[str, Any]] = pa.table(table.get_add_actions(flatten=False)).to_pylist()
        except (deltalake.exceptions.DeltaError, pa.ArrowException, OSError, ValueError) as error:
            first = str(error).partition("\n")[0].replace(copy, folder)
            raise UnusableDataError(f"{address}: the log of the Delta table cannot be read: {first}") from error
    if refusal:
        raise UnusableDataError(f"{address}: is a Delta table with {refusal}")
    return rows


def _refusal(table: Any) -> str:  # noqa: ANN401 - deltalake's own
    features = table.protocol().reader_features or ()
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        return f"column mapping, which is not supported; {_EXPORT}"
    if "deletionVectors" in features and _has_deletions(table):
        return f"deletion vectors, which are not supported; run REORG TABLE ... APPLY (PURGE), or {_EXPORT}"
    return ""


def _has_deletions(table: Any) -> bool:  # noqa: ANN401 - deltalake's own
    try:
        return bool(table.deletion_vectors().read_all().num_rows)
    except Exception:  # noqa: BLE001 - a vector in a file of its own, which is not in the copy of the log
        return True


def _file(address: str, folder: str, row: Mapping[str, Any]) -> FoundFile:
    # Paths in the log are encoded as in an address.
    path = unquote(row["path"])
    if "://" in path or path.startswith("/"):
        raise UnusableDataError(f"{address}: is a shallow clone, whose files belong to another Delta table; {_EXPORT}")
    return FoundFile(
        path=f"{folder}/{path}",
        size=row["size_bytes"],
        # A file of a table is never changed.
        identity=str(row["modification_time"]),
        below=tuple(path.split("/")),
        # Typed in the log, and texts in the names of folders.
        partitions={
            name: None if value is None else str(value) for name, value in (row.get("partition") or {}).items()
        },
    )


def _is_chosen(path: str, rest: str) -> bool:
    return not rest or path.startswith(f"{rest}/") or fnmatch.fnmatchcase(path, rest)
