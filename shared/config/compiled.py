"""A configuration in a form that is read fast, made when a bundle is built, beside the file in the bundle.

Its first line is a JSON object: the digest, the tables of the file other than `models`, and the outline of the models.
Each further line is the table of one model, which is read when that model is first needed.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, overload

from shared.config.model import Configuration, Model
from shared.config.outline import Outline
from shared.errors import ConfigError

# Increase this number when the form changes.
FORM: Final = 1
_SUFFIX: Final = ".compiled"

log = logging.getLogger("retrain")

ReadModel = Callable[[str, Mapping[str, Any]], Model]
"""Returns the model with a name from its table, which was checked before."""


class LazyModels(Sequence[Model]):
    """The models of a compiled configuration, each read when it is first needed."""

    def __init__(self, outline: Outline, tables: list[str], read: ReadModel) -> None:
        """Take the *outline*, the JSON of each table, and the function that reads one."""
        self.outline = outline
        self._tables = tables
        self._read = read
        self._models: dict[int, Model] = {}

    @property
    def number_read(self) -> int:
        """How many models were needed so far."""
        return len(self._models)

    def __len__(self) -> int:
        """Return the number of models."""
        return len(self._tables)

    @overload
    def __getitem__(self, place: int) -> Model: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Model, ...]: ...

    def __getitem__(self, place: int | slice) -> Model | tuple[Model, ...]:
        """Return the model at *place*, or those in a slice."""
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(len(self))))
        if place not in self._models:
            self._models[place] = self._read(self.outline.names[place], json.loads(self._tables[place]))
        return self._models[place]


def compiled_file(path: Path) -> Path:
    """Return the path of the compiled form of the configuration at *path*."""
    return path.with_name(path.name + _SUFFIX)


def write_compiled(path: Path, tables: Mapping[str, Any], outline: Outline) -> bool:
    """Write the compiled form of the configuration at *path*.

    Args:
        path: the configuration file.
        tables: its content.
        outline: that of its models.

    Returns:
        Whether there is one: tables that JSON cannot represent, such as dates, are left to the slow way.

    """
    others = {name: table for name, table in tables.items() if name != "models"}
    head = {"digest": digest_of(path.read_bytes()), "tables": others, "outline": outline.to_json()}
    try:
        lines = [json.dumps(each, allow_nan=False) for each in (head, *tables["models"].values())]
    except (TypeError, ValueError):
        return False
    compiled_file(path).write_text("\n".join(lines), encoding="ascii")
    return True


def load_compiled(
    path: Path, content: bytes, prepare: Callable[[Mapping[str, Any], Callable[[ReadModel], LazyModels]], Configuration]
) -> Configuration | None:
    """Return the configuration of the compiled form beside *path*; None if there is none for this *content*.

    Args:
        path: the configuration file.
        content: its content.
        prepare: makes the configuration of the tables other than `models`, and of a function that makes the models.

    """
    try:
        head, *lines = compiled_file(path).read_text(encoding="ascii").split("\n")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _report_ignored(path, str(error))
        return None
    try:
        found = json.loads(head)
        if found["digest"] != digest_of(content):
            _report_ignored(path, "it was made from another file, or by another version")
            return None
        outline = Outline.from_json(found["outline"])
        return prepare(found["tables"], lambda read: LazyModels(outline, lines, read))
    except (ValueError, LookupError, TypeError, AttributeError, ConfigError) as error:
        _report_ignored(path, f"{type(error).__name__}: {error}")
        return None


def digest_of(content: bytes) -> str:
    """Return the digest of a configuration's *content*, of the form, and of the code that reads both."""
    digest = hashlib.sha256(f"{FORM}\n".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    digest.update(content)
    return digest.hexdigest()


def _report_ignored(path: Path, error: str) -> None:
    log.warning("config.compiled_ignored", extra={"file": compiled_file(path).name, "error": error})
