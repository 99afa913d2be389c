"""Parquet files: what their footers say of each column."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.monitor.data.engine import Engine

_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TIMEDELTA: Final = re.compile(r"timedelta64\[(s|ms|us|ns)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetColumn:
    """A column of a file.

    Attributes:
        name: as in the file, without surrounding blanks.
        key: how DuckDB calls it: names that differ in case only get a number.
        kind: DuckDB's type.
        per_second: for a duration, how many of its units are a second; else 0.
        is_index: whether it is the index of a data frame, which pandas wrote beside the data.

    """

    name: str
    key: str
    kind: str
    per_second: int
    is_index: bool


def read_parquet_header(engine: Engine, source: str) -> list[ParquetColumn]:
    """Return the columns of the file *source*, a literal of SQL; raises what `Engine.rows` does."""
    described = engine.rows(f"DESCRIBE SELECT * FROM {parquet_rows(source)}")
    names = _top_names(engine.rows(f"SELECT name, num_children FROM parquet_schema({source})"))
    keys = [row[0] for row in described]
    if len(names) != len(keys):
        names = keys
    metadata = {bytes(key): bytes(value) for key, value in _metadata(engine, source)}
    pandas = _json(metadata.get(b"pandas", b""))
    durations = {**_pandas_durations(pandas), **_arrow_durations(metadata.get(b"ARROW:schema", b""))}
    index = {name for name in pandas.get("index_columns") or () if isinstance(name, str)}
    return [
        ParquetColumn(
            name=name.strip(),
            key=row[0],
            kind=row[1],
            per_second=durations.get(name, 0) if row[1] == "BIGINT" else 0,
            is_index=name in index,
        )
        for name, row in zip(names, described, strict=True)
    ]


def parquet_values(engine: Engine, source: str) -> dict[str, tuple[int, int]]:
    """Return column -> how many values and rows it has by the footer, for columns other than lists and structures.

    Columns whose nulls the writer did not count are left out. Raises what `Engine.rows` does.
    """
    found = engine.rows(
        f"SELECT path_in_schema, sum(num_values - stats_null_count)::BIGINT, sum(num_values)::BIGINT "
        f"FROM parquet_metadata({source}) GROUP BY path_in_schema HAVING count(stats_null_count) = count(*)"
    )
    return {name.strip(): (values, rows) for name, values, rows in found}


def parquet_rows(source: str) -> str:
    """Return the rows of the file *source* as a table expression of SQL."""
    return f"read_parquet({source}, hive_partitioning = false)"


def _metadata(engine: Engine, source: str) -> list[tuple[Any, ...]]:
    return engine.rows(
        f"SELECT key, value FROM parquet_kv_metadata({source}) WHERE key IS NOT NULL AND value IS NOT NULL"
    )


def _top_names(schema: list[tuple[Any, ...]]) -> list[str]:
    # The tree of columns, flattened depth first; the first row is its root.
    names: list[str] = []
    place = 1
    while place < len(schema):
        names.append(str(schema[place][0]))
        place = _after(schema, place)
    return names


def _after(schema: list[tuple[Any, ...]], place: int) -> int:
    following = place + 1
    for _ in range(schema[place][1] or 0):
        following = _after(schema, following)
    return following


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pandas_durations(pandas: Mapping[str, Any]) -> dict[str, int]:
    columns = [column for column in pandas.get("columns") or () if isinstance(column, dict)]
    units = {str(column.get("name")): _TIMEDELTA.fullmatch(str(column.get("numpy_type"))) for column in columns}
    return {name: _UNITS[unit[1]] for name, unit in units.items() if unit}


def _arrow_durations(content: bytes) -> dict[str, int]:
    if not content:
        return {}
    import pyarrow as pa
    from pyarrow import types

    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(content)))
    except (pa.ArrowException, binascii.Error, ValueError, KeyError, OSError):
        # It only adds to what Parquet says itself.
        return {}
    return {field.name: _UNITS[field.type.unit] for field in schema if types.is_duration(field.type)}
