"""Reading of one table of a configuration file, which collects every problem instead of stopping at the first."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final, TypeVar

T = TypeVar("T")

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# A key, or the path of one, that needs no quotes.
_BARE: Final = r"[A-Za-z0-9_.\[\]-]*"
_DURATION: Final = r"([0-9]{1,6})([smhd])"


class Table:
    """A table of the file at *place*, such as `models."churn"`; problems are appended to *problems*."""

    def __init__(self, content: Mapping[str, object], place: str, problems: list[str]) -> None:
        """Wrap the parsed *content* of the table."""
        self._content = content
        self._place = place
        self._problems = problems
        self._known: set[str] = set()

    def problem(self, key: str, what: str) -> None:
        """Add a problem with *key*; *what* says what is wrong and what would be valid."""
        self._problems.append(f"{self.place_of(key)}: {what}")

    def place_of(self, key: str) -> str:
        """Return the place of *key*, such as `models."churn".cooldown`; that of the table itself if *key* is empty."""
        return ".".join(part for part in (self._place, _on_one_line(key)) if part)

    def __contains__(self, key: str) -> bool:
        """Return whether the table has *key*."""
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        """Yield all keys in the order of the file."""
        return iter(self._content)

    def value(
        self, key: str, default: T, check: Callable[[object], T | None], wanted: str, *, secret: bool = False
    ) -> T:
        """Return the result of *check* for the value of *key*.

        If the key is missing, or *check* returns None (which adds a problem), return *default*.
        """
        self._known.add(key)
        if key not in self._content:
            return default
        found = check(self._content[key])
        if found is None:
            self.problem(key, f"must be {wanted}" if secret else f"must be {wanted}, not {self._content[key]!r}")
            return default
        return found

    def text(self, key: str, default: str = "") -> str:
        """Return a non-empty string; *default* may be empty."""
        return self.value(key, default, lambda v: v if isinstance(v, str) and v else None, "a non-empty string")

    def required(self, key: str) -> str:
        """Return a non-empty string; a missing key is a problem."""
        if key not in self._content:
            self.problem(key, "is missing")
        return self.text(key)

    def texts(self, key: str, default: tuple[str, ...] = (), *, secret: bool = False) -> tuple[str, ...]:
        """Return a list of non-empty strings; problems do not show a *secret* value."""
        wanted = "a list of non-empty strings"

        def check(value: object) -> tuple[str, ...] | None:
            return tuple(value) if isinstance(value, list) and all(map(_is_text, value)) else None

        return self.value(key, default, check, wanted, secret=secret)

    def flag(self, key: str) -> bool:
        """Return a boolean; false if *key* is missing."""
        return self.value(
            key, default=False, check=lambda v: v if isinstance(v, bool) else None, wanted="true or false"
        )

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of *choices*; *default* need not be one."""
        wanted = f"one of {', '.join(choices)}"
        return self.value(key, default, lambda v: v if isinstance(v, str) and v in choices else None, wanted)

    def count(self, key: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        """Return an integer of at least *least* and at most *most*."""

        def check(value: object) -> int | None:
            # In Python bool is a subclass of int, but true is not a number in the file.
            valid = type(value) is int and value >= least and (most is None or value <= most)
            return value if valid and isinstance(value, int) else None

        wanted = "a positive integer" if most is None else f"an integer from {least} to {most}"
        return self.value(key, default, check, wanted)

    def duration(self, key: str, default: timedelta) -> timedelta:
        """Return a duration such as `30s`, `15m`, `6h`, `7d`; it must be over zero if the default is."""

        def check(value: object) -> timedelta | None:
            found = parse_duration(value)
            return found if found or not default else None

        some = "a duration over zero" if default else "a duration"
        return self.value(key, default, check, f'{some} such as "30s", "15m", "6h" or "7d"')

    def lasting(self, key: str) -> timedelta | None:
        """Return a duration over zero; None if *key* is missing."""
        # Any default over zero will do: it is used only if the value is a problem.
        duration = self.duration(key, timedelta.max)
        return duration if key in self._content else None

    def table(self, key: str, *, secret: bool = False) -> "Table":
        """Return the table under *key*, empty if missing or not a table; problems do not show a *secret* value."""
        none: Mapping[str, object] = {}
        content = self.value(key, none, lambda v: v if isinstance(v, dict) else None, "a table", secret=secret)
        return Table(content, self.place_of(key), self._problems)

    def quoted_tables(self) -> Iterator[tuple[str, "Table"]]:
        """Yield all tables by name; their places have the names in quotes, as these may contain dots."""
        for name, content in self._content.items():
            quoted = f'"{name}"'
            if isinstance(content, dict):
                yield name, Table(content, self.place_of(quoted), self._problems)
            else:
                self.problem(quoted, f"must be a table, not {content!r}")

    def expect(self, *keys: str) -> None:
        """Mark *keys* as valid even if they are not read."""
        self._known.update(keys)

    def raw(self, key: str) -> object:
        """Return the unchecked value of *key*, which must exist."""
        self._known.add(key)
        return self._content[key]

    def done(self) -> None:
        """Add a problem for every key that was neither read nor expected."""
        for key in self._content:
            if key not in self._known:
                known = ", ".join(sorted(self._known)) or "none"
                self.problem(key, f"is not a key of this table{meant(key, self._known)}; valid keys: {known}")


def meant(key: str, known: Iterable[str]) -> str:
    """Return the question whether a valid key was meant; empty if none is similar to *key*."""
    # Not at the top: only a mistake in the file needs it.
    from difflib import get_close_matches

    similar = get_close_matches(key, sorted(known), n=1, cutoff=0.75)
    return f" (did you mean {similar[0]}?)" if similar else ""


def _on_one_line(key: str) -> str:
    """Return *key* as TOML writes it: in quotes if it needs them, its control characters escaped."""
    quoted = key if key.startswith('"') or re.fullmatch(_BARE, key) else f'"{key}"'
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in quoted)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def parse_duration(value: object) -> timedelta | None:
    """Return the duration that *value*, such as `6h`, means; None if it is not valid."""
    match = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def format_duration(duration: timedelta) -> str:
    """Return *duration* in the syntax of the file, e.g. `6h`."""
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
