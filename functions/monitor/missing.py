"""Missing values: a share of them that grows is drift of its own kind, which no distance of the other values shows."""

import math
from dataclasses import dataclass
from typing import Final

from functions.monitor.data.readings import Values

# A growth within three standard errors of the difference is what equal data show by chance.
STANDARD_ERRORS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The share of rows that have a value in a column; none where the column is not in the data.

    Attributes:
        reference: the share in the reference, from 0 to 1.
        current: the share in the current data.

    """

    reference: float | None
    current: float | None

    def described(self) -> str:
        """Return the shares in words."""
        sides = (("reference", self.reference), ("current", self.current))
        shares = [f"{share:.0%} of the {side} rows" for side, share in sides if share is not None]
        return f"values in {' and '.join(shares)}" if shares else "no values on either side"

    def document(self) -> dict[str, object]:
        """Return the shares as plain JSON."""
        sides = {"reference": self.reference, "current": self.current}
        return {side: None if share is None else round(share, 4) for side, share in sides.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The share of missing values of one column.

    Attributes:
        reference: the share in the reference, from 0 to 1.
        current: the share in the current data.
        threshold: the growth from which on it is drift.
        drifted: whether it grew by so much, and by more than chance explains.
        unread: how many values of reference and current data could not be read, e.g. words in a column of numbers; they
            count as missing.

    """

    reference: float
    current: float
    threshold: float
    drifted: bool
    unread: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, reference: Values, current: Values, threshold: float) -> "Missing":
        """Compare the shares of both sides."""
        growth = current.missing - reference.missing
        return cls(
            reference=reference.missing,
            current=current.missing,
            threshold=threshold,
            drifted=growth >= threshold and growth > STANDARD_ERRORS * _standard_error(reference, current),
            unread=(reference.unread, current.unread),
        )

    def described(self) -> str:
        """Return the growth in words."""
        return f"missing values grew from {self.reference:.0%} to {self.current:.0%}"


def _standard_error(reference: Values, current: Values) -> float:
    # Under the assumption that both have the same share, which is estimated from both together.
    rows = reference.rows + current.rows
    share = (reference.missing * reference.rows + current.missing * current.rows) / rows
    return math.sqrt(share * (1 - share) * (1 / reference.rows + 1 / current.rows))
