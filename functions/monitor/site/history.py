"""The last checks of a model, as the site itself holds them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from functions.monitor.data.storage import Storage
from functions.monitor.missing import Filled
from functions.monitor.result import DRIFT, FAILED, NO_DRIFT, WORSE
from functions.monitor.site import layout
from shared.fields import parse_time

# A quarter of a year of weekly checks on the start page, and a year of them on the page of a model.
LENGTH: Final = 13
LENGTH_OF_MODEL: Final = 52
# Larger distances look the same.
_MOST_EXCESS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastColumn:
    """One column of one check.

    Attributes:
        status: `drift` or `no_drift`.
        excess: how far it was from its threshold: drift from 1 on, for distances and p-values alike; at most 2.
        text: its value, for people.

    """

    status: str
    excess: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastQuality:
    """The quality that one check found.

    Attributes:
        status: `worse`, `as_before` or `unknown`.
        text: metric and values, for people.

    """

    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCheck:
    """One check.

    Attributes:
        folder: its folder, from the index on.
        at: the time that it was made for, UTC.
        status: `drift`, `worse`, `no_drift` or `failed`.
        share: the share of drifted columns; 0 for one that failed.
        drift_share: the share from which on it is drift.
        severity: how much, or an empty text.
        drifted: the columns that drifted.
        left_out: column -> why it was not compared, and in which share of rows it has values, for people.
        problem: why it failed, or an empty text.
        trigger_id: the trigger that it sent, or an empty text.
        columns: column -> how it was found.
        quality: the quality, if it was judged.

    """

    folder: str
    at: datetime
    status: str
    share: float = 0.0
    drift_share: float = 0.0
    severity: str = ""
    drifted: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    trigger_id: str = ""
    columns: Mapping[str, PastColumn] = field(default_factory=dict)
    quality: PastQuality | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The last checks of one model, oldest first.

    Attributes:
        model_id: whose.
        checks: at most `LENGTH_OF_MODEL` of them.

    """

    model_id: str
    checks: tuple[PastCheck, ...]

    @property
    def last(self) -> PastCheck | None:
        """The last check, however it ended."""
        return self.checks[-1] if self.checks else None

    @property
    def last_report(self) -> PastCheck | None:
        """The last check that has a report."""
        return next((check for check in reversed(self.checks) if check.status != FAILED), None)


def read_history(storage: Storage, site: str, model_id: str) -> History:
    """Read the last checks of *model_id* from the *site*; what is half-written or damaged is passed over.

    Raises:
        UnusableDataError: the site may not be read.
        UnavailableError: the storage is away.

    """
    folder = layout.model_folder(model_id)
    stamps = [name for name in storage.folders(layout.joined(site, folder)) if layout.is_stamp(name)][-LENGTH_OF_MODEL:]
    addresses = {layout.joined(site, folder, stamp, layout.DOCUMENT): f"{folder}/{stamp}" for stamp in stamps}
    contents = storage.read(list(addresses))
    checks = [_check(addresses[address], contents[address]) for address in addresses if address in contents]
    return History(model_id=model_id, checks=tuple(check for check in checks if check is not None))


def past_check(storage: Storage, site: str, folder: str) -> PastCheck | None:
    """Return the check in the *folder* of the *site*, none where there is none or it is damaged.

    Raises:
        UnusableDataError: as in `read_history`.
        UnavailableError: as in `read_history`.

    """
    content = storage.read([layout.joined(site, folder, layout.DOCUMENT)])
    return next((_check(folder, text) for text in content.values()), None)


def _check(folder: str, content: bytes) -> PastCheck | None:
    try:
        found: Mapping[str, Any] = json.loads(content)
        if found["status"] not in (DRIFT, WORSE, NO_DRIFT, FAILED):
            return None
        columns: Mapping[str, Any] = found.get("columns", {})
        return PastCheck(
            folder=folder,
            at=parse_time(found["at"]),
            status=found["status"],
            share=float(found.get("share", 0)),
            drift_share=float(found.get("drift_share", 0)),
            severity=str(found.get("severity") or ""),
            drifted=tuple(name for name, column in columns.items() if column["status"] == DRIFT),
            left_out=_left_out(found),
            problem=str(found.get("problem", "")),
            trigger_id=str(found.get("trigger_id", "")) if found["status"] in (DRIFT, WORSE) else "",
            columns={name: _column(column) for name, column in columns.items()},
            quality=_quality(found["quality"]) if "quality" in found else None,
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _left_out(found: Mapping[str, Any]) -> dict[str, str]:
    shares: Mapping[str, Any] = found.get("left_out_values", {})
    filled = {name: Filled(reference=share["reference"], current=share["current"]) for name, share in shares.items()}
    # Checks of earlier versions have no shares.
    return {
        name: f"{why}; {filled[name].described()}" if name in filled else str(why)
        for name, why in found.get("left_out", {}).items()
    }


def _column(column: Mapping[str, Any]) -> PastColumn:
    value, threshold, status = column["value"], float(column["threshold"]), column["status"]
    if value is None:
        return PastColumn(status=status, excess=_MOST_EXCESS if status == DRIFT else 0.0, text="no value")
    # A p-value drifts downwards.
    ends = (threshold, float(value)) if "p_value" in column["method"] else (float(value), threshold)
    excess = ends[0] / ends[1] if ends[1] else _MOST_EXCESS
    missing = column.get("missing") or {}
    if missing.get("status") == DRIFT:
        excess = max(excess, float(missing["current"] - missing["reference"]) / float(missing["threshold"]))
    text = f"{float(value):.3g} by {column['method']}, {missing.get('current', 0):.0%} missing"
    return PastColumn(status=status, excess=min(excess, _MOST_EXCESS), text=text)


def _quality(quality: Mapping[str, Any]) -> PastQuality:
    metric, status = str(quality["metric"]), str(quality["status"])
    if "current" not in quality:
        return PastQuality(status=status, text=f"{metric} not known")
    base = quality.get("limit", quality.get("reference"))
    of = "limit" if "limit" in quality else "reference"
    return PastQuality(status=status, text=f"{metric} {float(quality['current']):.4g} ({of} {float(base):.4g})")
