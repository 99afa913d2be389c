"""Names and patterns: finds the model of an id in a time that does not grow with the number of models.

Patterns are those of fnmatch: `*`, which also matches `/`, `?` and `[...]`.
"""

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Final

_WILDCARD: Final = r"[*?[]"
# The parts of a pattern as fnmatch reads them: `[...]`, in which a leading `]` is a plain character, or one character.
_PIECES: Final = r"(?s)\[!?]?[^]]*]|."


def is_pattern(name: str) -> bool:
    """Return whether *name* has a wildcard."""
    return re.search(_WILDCARD, name) is not None


def literal_start(pattern: str) -> str:
    """Return *pattern* up to its first wildcard: comparing it needs no compilation, and rules nearly everything out."""
    return re.split(_WILDCARD, pattern, maxsplit=1)[0]


class Lookup:
    """Maps an id to the place of its model among *names*, which are names and patterns.

    Patterns are sorted and compiled on first use, each once: most ids are names, and a pattern takes 0.1 ms to compile.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names and patterns in the order of the file."""
        self._names: dict[str, int] = {}
        self._unsorted: list[tuple[int, str]] = []
        self._patterns: list[_Pattern] | None = None
        for place, name in enumerate(names):
            if is_pattern(name):
                self._unsorted.append((place, name))
            else:
                self._names.setdefault(name, place)

    def find(self, model_id: str) -> int | None:
        """Return the place of that name, else of the most specific pattern that matches, else None.

        The most specific pattern has the most literal characters, then the most `[...]`, then the most `?`; of equally
        specific ones the first counts.
        """
        place = self._names.get(model_id)
        if place is not None:
            return place
        if self._patterns is None:
            by_specificity = sorted(self._unsorted, key=lambda each: _specificity(each[1]), reverse=True)
            self._patterns = [_Pattern(place, pattern) for place, pattern in by_specificity]
        return next((pattern.place for pattern in self._patterns if pattern.matches(model_id)), None)


class _Pattern:
    __slots__ = ("_compiled", "_pattern", "_start", "place")

    def __init__(self, place: int, pattern: str) -> None:
        self.place = place
        self._pattern = pattern
        self._start = literal_start(pattern)
        self._compiled: re.Pattern[str] | None = None

    def matches(self, model_id: str) -> bool:
        # Most patterns of a long list differ in how they start, and comparing that needs no compilation.
        if not model_id.startswith(self._start):
            return False
        if self._compiled is None:
            self._compiled = re.compile(translate(self._pattern))
        return self._compiled.match(model_id) is not None


def _specificity(pattern: str) -> tuple[int, int, int]:
    pieces = re.findall(_PIECES, pattern)
    classes, marks, stars = (sum(piece.startswith(sign) for piece in pieces if piece != "[") for sign in "[?*")
    return len(pieces) - classes - marks - stars, classes, marks
