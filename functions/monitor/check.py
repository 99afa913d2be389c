"""One check of one model: data in, comparison, verdict."""

from dataclasses import dataclass, field
from datetime import datetime

from functions.monitor.comparison import Comparison, compare
from functions.monitor.data.arrow import as_frames
from functions.monitor.data.columns import Chosen, choose, narrow, without
from functions.monitor.data.dataset import DataSet, Sample
from functions.monitor.data.sampling import most_rows
from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.result import Result, Side, trigger_id_of
from functions.monitor.site.banner import with_banner
from shared.config.drift import DriftCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A result and the report that shows it.

    Attributes:
        result: what was found.
        page: Evidently's report as HTML, under a banner of ours.

    """

    result: Result
    page: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What a check has found before its verdict.

    Attributes:
        chosen: the columns.
        comparison: what Evidently says of them.
        sides: reference and current data.

    """

    chosen: Chosen
    comparison: Comparison
    sides: tuple[Side, Side]


def check_drift(model_id: str, check: DriftCheck, at: datetime, storage: Storage) -> Finding:
    """Compare the current data of a model with its reference.

    Args:
        model_id: whose data.
        check: what the configuration says.
        at: the time that the check is made for; its day is the `{date}` of the current data.
        storage: reads the data.

    Raises:
        UnusableDataError: the data cannot be compared; it is told why.
        UnavailableError: a storage is away.

    """
    reference = DataSet.at(check.reference, "reference", storage)
    current = DataSet.at(check.current_on(at.date()), "current", storage)
    found = _compared(check, reference, current)
    share = found.comparison.share
    drift = check.is_drift(share)
    result = Result(
        model_id=model_id,
        at=at,
        drift=drift,
        severity=check.severity_of(share) if drift else None,
        share=share,
        drift_share=check.drift_share,
        columns=found.comparison.columns,
        left_out=found.chosen.left_out,
        roles={name: role for role, name in (("target", check.target), ("prediction", check.prediction)) if name},
        reference=found.sides[0],
        current=found.sides[1],
        trigger_id=trigger_id_of(model_id, reference.identity, current.identity),
    )
    return Finding(result=result, page=with_banner(found.comparison.page, result))


def _compared(check: DriftCheck, reference: DataSet, current: DataSet) -> _Compared:
    chosen = choose(check, reference, current)
    limit = most_rows(check.max_rows, len(chosen.names))
    samples = reference.sample(chosen.names, limit), current.sample(chosen.names, limit)
    sides = _side(reference, samples[0]), _side(current, samples[1])
    least = check.least_rows(samples[0].taken)
    for data, sample in zip((reference, current), samples, strict=True):
        _check_rows(data, sample, least)
    chosen = narrow(check, chosen, *samples)
    tables = [sample.table.select(list(chosen.names)) for sample in samples]
    # What becomes a data frame must not be held twice.
    del samples, sample
    frames = as_frames(*tables)
    del tables
    comparison = compare(*frames, drift_share=check.drift_share)
    chosen = without(check, chosen, comparison.left_out, comparison.lost)
    return _Compared(chosen=chosen, comparison=comparison, sides=sides)


def _check_rows(data: DataSet, sample: Sample, least: int) -> None:
    if sample.taken < least:
        rows = f"{sample.taken:,} row{'s' if sample.taken > 1 else ''}"
        raise UnusableDataError(f"{data.described()}: {rows}, and a verdict needs {least:,} (min_rows)")


def _side(data: DataSet, sample: Sample) -> Side:
    return Side(address=data.address, rows=sample.rows, sampled=sample.taken)
