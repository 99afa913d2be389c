"""Reading one table of a configuration file, noting every problem with its place instead of stopping at the first."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final, TypeVar

T = TypeVar("T")

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")


class Table:
    """A table of the file at *place*; what is wrong with it goes to *problems*."""

    def __init__(self, content: Mapping[str, object], place: str, problems: list[str]) -> None:
        """Read *content*, which stands at *place* in the file."""
        self._content = content
        self._place = place
        self._problems = problems
        self._known: set[str] = set()

    def problem(self, key: str, what: str) -> None:
        """Note that *key* is wrong and *what* would be right."""
        self._problems.append(f"{self.place_of(key)}: {what}")

    def place_of(self, key: str) -> str:
        """Return where *key* stands, as in `models."churn".cooldown`; the table's own place for an empty one."""
        return ".".join(part for part in (self._place, key) if part)

    def __contains__(self, key: str) -> bool:
        """Tell whether the table has *key*."""
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        """Go through all keys in the order of the file."""
        return iter(self._content)

    def value(
        self, key: str, default: T, check: Callable[[object], T | None], wanted: str, *, secret: bool = False
    ) -> T:
        """Return what *check* makes of *key*, or *default* where it is absent or wrong (then it is a problem)."""
        self._known.add(key)
        if key not in self._content:
            return default
        found = check(self._content[key])
        if found is None:
            self.problem(key, f"must be {wanted}" if secret else f"must be {wanted}, not {self._content[key]!r}")
            return default
        return found

    def text(self, key: str, default: str = "") -> str:
        """Return a string that is not empty."""
        return self.value(key, default, lambda v: v if isinstance(v, str) and v else None, "a text that is not empty")

    def required(self, key: str) -> str:
        """Return a string that must be there."""
        if key not in self._content:
            self.problem(key, "is missing")
        return self.text(key)

    def texts(self, key: str, default: tuple[str, ...] = (), *, secret: bool = False) -> tuple[str, ...]:
        """Return a list of strings that are not empty; a *secret* one is not shown in a problem."""
        wanted = "a list of texts that are not empty"

        def check(value: object) -> tuple[str, ...] | None:
            return tuple(value) if isinstance(value, list) and all(map(_is_text, value)) else None

        return self.value(key, default, check, wanted, secret=secret)

    def flag(self, key: str) -> bool:
        """Return true or false; absent means false."""
        return self.value(
            key, default=False, check=lambda v: v if isinstance(v, bool) else None, wanted="true or false"
        )

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of *choices*."""
        wanted = f"one of {', '.join(choices)}"
        return self.value(key, default, lambda v: v if isinstance(v, str) and v in choices else None, wanted)

    def count(self, key: str, default: int) -> int:
        """Return a whole number from 1 on."""
        # bool is an int to Python, not to the person who wrote the file.
        return self.value(key, default, lambda v: v if type(v) is int and v > 0 else None, "a whole number from 1 on")

    def duration(self, key: str, default: timedelta) -> timedelta:
        """Return a duration such as `30s`, `15m`, `6h`, `7d`; one that is not zero where the default is not."""

        def check(value: object) -> timedelta | None:
            found = _duration(value)
            return found if found or not default else None

        some = "a duration over zero" if default else "a duration"
        return self.value(key, default, check, f'{some} such as "30s", "15m", "6h" or "7d"')

    def table(self, key: str, *, secret: bool = False) -> "Table":
        """Return the table under *key*, an empty one where it is absent or wrong; a *secret* is not shown."""
        none: Mapping[str, object] = {}
        content = self.value(key, none, lambda v: v if isinstance(v, dict) else None, "a table", secret=secret)
        return Table(content, self.place_of(key), self._problems)

    def quoted_tables(self) -> Iterator[tuple[str, "Table"]]:
        """Go through all tables by name; names stand in quotes in their places, as they may hold dots."""
        for name, content in self._content.items():
            quoted = f'"{name}"'
            if isinstance(content, dict):
                yield name, Table(content, self.place_of(quoted), self._problems)
            else:
                self.problem(quoted, f"must be a table, not {content!r}")

    def expect(self, *keys: str) -> None:
        """Count *keys* as known, whether they are read or not."""
        self._known.update(keys)

    def raw(self, key: str) -> object:
        """Return what stands under *key*, unchecked."""
        self._known.add(key)
        return self._content[key]

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._content:
            if key not in self._known:
                known = ", ".join(sorted(self._known)) or "none"
                self.problem(key, f"is not a key of this table; it knows {known}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _duration(value: object) -> timedelta | None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def format_duration(duration: timedelta) -> str:
    """Write *duration* as the file would, e.g. `6h`."""
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
