"""The result of one check of one model, as a value and as `drift.json`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from functions.monitor.evidently_report import ColumnDrift
from functions.monitor.missing import Filled, Missing
from functions.monitor.quality import Quality
from shared.fields import format_time

SCHEMA: Final = 1
DRIFT: Final = "drift"
WORSE: Final = "worse"
NO_DRIFT: Final = "no_drift"
FAILED: Final = "failed"
ID_DIGITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The data that were compared.

    Attributes:
        address: where they are.
        rows: how many rows they have.
        sampled: how many of them were compared.

    """

    address: str
    rows: int
    sampled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check that was completed.

    Attributes:
        model_id: whose data.
        at: the time that the check was made for, UTC.
        drift: whether the rule of the model calls it drift.
        severity: how much, if the model has steps for it: the higher one of drift and loss of quality.
        share: the share of columns that drifted.
        drift_share: the share from which on it is drift.
        columns: every column that was compared, the drifted ones first.
        left_out: column -> why it was not compared.
        left_out_values: column -> the share of rows that have a value, for each column that was not compared.
        roles: column -> `target` or `prediction`.
        reference: the data that were compared with.
        current: the data that may have drifted.
        trigger_id: equal for equal data, so that a repeated request for the same finding counts once.
        quality: the performance of the model, if it is judged.

    """

    model_id: str
    at: datetime
    drift: bool
    severity: str | None
    share: float
    drift_share: float
    columns: tuple[ColumnDrift, ...]
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    left_out_values: Mapping[str, Filled] = field(default_factory=lambda: MappingProxyType({}))
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reference: Side
    current: Side
    trigger_id: str
    quality: Quality | None = None

    @property
    def worse(self) -> bool:
        """Whether the predictions have become worse than is allowed."""
        return self.quality is not None and self.quality.worse

    @property
    def needs_training(self) -> bool:
        """Whether a training is requested: for a drift of the data, or a loss of quality, or both."""
        return self.drift or self.worse

    @property
    def status(self) -> str:
        """`drift`, else `worse`, else `no_drift`."""
        return DRIFT if self.drift else WORSE if self.worse else NO_DRIFT

    @property
    def drifted(self) -> tuple[str, ...]:
        """The names of the columns that drifted."""
        return tuple(column.name for column in self.columns if column.drifted)

    def summary(self) -> str:
        """Return one line for people; what requests a training comes first."""
        if self.quality is None:
            return self._of_drift()
        parts = [self.quality.summary(), self._of_drift()]
        return "; ".join(parts if self.worse else reversed(parts))

    def _of_drift(self) -> str:
        count = f"{len(self.drifted)} of {len(self.columns)} columns drifted"
        rule = f"{self.share:.0%}, drift is {self.drift_share:.0%} and more"
        rows = f"{self.current.sampled:,} rows against {self.reference.sampled:,}"
        rest = f", {len(self.left_out)} not compared" if self.left_out else ""
        growing = self.growing()
        names = [f"{name} ({growing[name]})" if name in growing else name for name in self.drifted]
        return f"{count} ({rule}; {rows}{rest}){': ' if names else ''}{', '.join(names)}"

    def growing(self) -> Mapping[str, str]:
        """Return column -> how its share of missing values grew, for those where that is drift."""
        missing = {column.name: column.missing for column in self.columns}
        return {name: found.described() for name, found in missing.items() if found is not None and found.drifted}

    def unread(self) -> Mapping[str, str]:
        """Return column -> how many of its values could not be read, for those where there are some."""
        counts = {column.name: column.missing.unread for column in self.columns if column.missing}
        return {
            name: f"{reference:,} values of the reference and {current:,} of the current data could not be read"
            for name, (reference, current) in counts.items()
            if reference or current
        }

    def statuses(self) -> dict[str, object]:
        """Return the status of each column, as plain JSON."""
        return {column.name: self._of(column) for column in self.columns}

    def document(self) -> dict[str, object]:
        """Return everything as plain JSON: `drift.json`."""
        sides = {"reference": self.reference, "current": self.current}
        return {
            "schema": SCHEMA,
            "model_id": self.model_id,
            "at": format_time(self.at),
            "status": self.status,
            "severity": self.severity,
            "share": self.share,
            "drift_share": self.drift_share,
            "trigger_id": self.trigger_id,
            **({"quality": self.quality.document()} if self.quality else {}),
            "columns": self.statuses(),
            "left_out": dict(self.left_out),
            "left_out_values": {name: filled.document() for name, filled in self.left_out_values.items()},
            **{
                name: {"address": side.address, "rows": side.rows, "sampled": side.sampled}
                for name, side in sides.items()
            },
        }

    def _of(self, column: ColumnDrift) -> dict[str, object]:
        role = self.roles.get(column.name)
        return {
            "status": DRIFT if column.drifted else NO_DRIFT,
            "method": column.method,
            "value": column.value,
            "threshold": column.threshold,
            **({"missing": _missing(column.missing)} if column.missing else {}),
            **({"role": role} if role else {}),
        }


def _missing(missing: Missing) -> dict[str, object]:
    return {
        "reference": round(missing.reference, 4),
        "current": round(missing.current, 4),
        "threshold": missing.threshold,
        "status": DRIFT if missing.drifted else NO_DRIFT,
        **({"unread": list(missing.unread)} if any(missing.unread) else {}),
    }


def failure_document(model_id: str, at: datetime, problem: str) -> dict[str, object]:
    """Return the `drift.json` of a check that failed because of *problem*."""
    return {"schema": SCHEMA, "model_id": model_id, "at": format_time(at), "status": FAILED, "problem": problem}


def trigger_id_of(*identities: str) -> str:
    """Return the id of the trigger for these data: the same data, the same id."""
    digest = hashlib.sha256("\0\0".join(identities).encode()).hexdigest()
    return f"drift:{digest[:ID_DIGITS]}"
