"""The ledger in a SQLite file."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from functions.local.database import Database, Row
from shared.ports import NOT_INDEXED, IndexEntry, Stored

# The index is in tables of its own, because the previous version inserts rows of three values into `ledger`.
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS ledger
    (model_id TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_attention (model_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_attention_at ON ledger_attention (at);
CREATE TABLE IF NOT EXISTS ledger_runs (name TEXT PRIMARY KEY, model_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_runs_model ON ledger_runs (model_id);
"""


class SqliteLedger:
    """Keeps one document a model in a SQLite file; see `shared.ports.Ledger` for the promises."""

    def __init__(self, path: Path) -> None:
        """Use the file at *path*, which may also hold the event bus."""
        self._database = Database(path, _TABLES)

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*.

        Raises:
            UnavailableError: the file is locked for too long, or the disk fails.

        """
        rows = self._database.execute(
            "load a model", "SELECT document, version FROM ledger WHERE model_id = ?", [model_id]
        )
        return Stored(document=rows[0][0], version=rows[0][1]) if rows else Stored(document=None)

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest document of each model, in one statement.

        Raises:
            UnavailableError: as in `load`.

        """
        places = ", ".join("?" for _ in model_ids)
        statement = f"SELECT model_id, document, version FROM ledger WHERE model_id IN ({places})"  # noqa: S608 - ? only
        rows = self._database.execute("load models", statement, list(model_ids))
        found = {row[0]: Stored(document=row[1], version=row[2]) for row in rows}
        return {model_id: found.get(model_id, Stored(document=None)) for model_id in model_ids}

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*, and return what is stored; None if another writer was faster.

        Raises:
            UnavailableError: as in `load`; whether it saved is unknown.

        """

        def work(connection: sqlite3.Connection) -> list[Row]:
            if version is None:
                statement = "INSERT INTO ledger VALUES (?, 1, ?) ON CONFLICT DO NOTHING RETURNING version"
                rows = connection.execute(statement, [model_id, document]).fetchall()
            else:
                statement = "UPDATE ledger SET document = ?, version = version + 1 WHERE model_id = ? AND version = ?"
                rows = connection.execute(f"{statement} RETURNING version", [document, model_id, version]).fetchall()
            if rows:
                _index(connection, model_id, entry)
            return rows

        rows = self._database.in_transaction("save a model", work)
        return Stored(document=document, version=rows[0][0]) if rows else None

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids of stored models after *after*, in the order of their UTF-8 bytes.

        Raises:
            UnavailableError: as in `load`.

        """
        rows = self._database.execute(
            "list models",
            "SELECT model_id FROM ledger WHERE model_id > ? ORDER BY model_id LIMIT ?",
            # Every id has at least one character, so all sort after the empty string.
            [after or "", max(limit, 0)],
        )
        return [row[0] for row in rows]

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*, the longest due first.

        Raises:
            UnavailableError: as in `load`.

        """
        statement = "SELECT model_id FROM ledger_attention WHERE at <= ? ORDER BY at LIMIT ?"
        return [row[0] for row in self._database.execute("list due models", statement, [until.timestamp(), limit])]

    def model_of_run(self, name: str) -> str | None:
        """Return the id of the model of the run *name*; None if the index does not have it.

        Raises:
            UnavailableError: as in `load`.

        """
        rows = self._database.execute("find a run", "SELECT model_id FROM ledger_runs WHERE name = ?", [name])
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()


def _index(connection: sqlite3.Connection, model_id: str, entry: IndexEntry) -> None:
    if entry.attention is None:
        connection.execute("DELETE FROM ledger_attention WHERE model_id = ?", [model_id])
    else:
        statement = "INSERT OR REPLACE INTO ledger_attention VALUES (?, ?)"
        connection.execute(statement, [model_id, entry.attention.timestamp()])
    connection.execute("DELETE FROM ledger_runs WHERE model_id = ?", [model_id])
    runs = [(name, model_id) for name in entry.runs]
    connection.executemany("INSERT OR REPLACE INTO ledger_runs VALUES (?, ?)", runs)
