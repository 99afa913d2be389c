"""The ledger in a SQLite file."""

from pathlib import Path
from typing import Final

from functions.local.database import Database
from shared.ports import Stored

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS ledger"
    " (model_id TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID"
)


class SqliteLedger:
    """Keeps one document a model in a SQLite file; see `shared.ports.Ledger` for the promises."""

    def __init__(self, path: Path) -> None:
        """Use the file at *path*, which may also hold the event bus."""
        self._database = Database(path, _TABLE)

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*.

        Raises:
            UnavailableError: the file is locked for too long, or the disk fails.

        """
        rows = self._database.execute(
            "load a model", "SELECT document, version FROM ledger WHERE model_id = ?", [model_id]
        )
        return Stored(document=rows[0][0], version=rows[0][1]) if rows else Stored(document=None)

    def save(self, model_id: str, document: str, version: object) -> Stored | None:
        """Replace the document if it still has *version*, and return what is stored; None if another writer was faster.

        Raises:
            UnavailableError: as in `load`; whether it saved is unknown.

        """
        if version is None:
            statement = "INSERT INTO ledger VALUES (?2, 1, ?1) ON CONFLICT DO NOTHING RETURNING version"
            rows = self._database.execute("save a model", statement, [document, model_id])
            return Stored(document=document, version=rows[0][0]) if rows else None
        statement = (
            "UPDATE ledger SET document = ?, version = version + 1 WHERE model_id = ? AND version = ? RETURNING version"
        )
        rows = self._database.execute("save a model", statement, [document, model_id, version])
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

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()
