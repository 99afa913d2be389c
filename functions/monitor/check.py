"""One check of one model: data in, comparison, verdict."""

from dataclasses import dataclass, field
from datetime import datetime

from functions.monitor.banner import with_banner
from functions.monitor.columns import choose, narrow
from functions.monitor.comparison import compare
from functions.monitor.dataset import DataSet, Sample
from functions.monitor.result import Result, Side, trigger_id_of
from functions.monitor.storage import Storage
from functions.monitor.untyped import Frame
from shared.drift import DriftCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A result and the report that shows it.

    Attributes:
        result: what was found.
        page: Evidently's report as HTML, under a banner of ours.

    """

    result: Result
    page: str = field(repr=False)


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
    chosen = choose(check, reference, current)
    samples = {data.side: data.sample(chosen.names, check.max_rows) for data in (reference, current)}
    chosen = narrow(chosen, samples["reference"], samples["current"])
    compared = compare(
        _frame(samples["reference"], chosen.names),
        _frame(samples["current"], chosen.names),
        drift_share=check.drift_share,
        named=(*check.columns, *filter(None, (check.target, check.prediction))),
    )
    drift = check.is_drift(compared.share)
    result = Result(
        model_id=model_id,
        at=at,
        drift=drift,
        severity=check.severity_of(compared.share) if drift else None,
        share=compared.share,
        drift_share=check.drift_share,
        columns=compared.columns,
        left_out={**chosen.left_out, **compared.left_out},
        roles={name: role for role, name in (("target", check.target), ("prediction", check.prediction)) if name},
        reference=_side(reference, samples["reference"]),
        current=_side(current, samples["current"]),
        trigger_id=trigger_id_of(model_id, reference.identity, current.identity),
    )
    return Finding(result=result, page=with_banner(compared.page, result))


def _frame(sample: Sample, names: tuple[str, ...]) -> Frame:
    return sample.table.select(list(names)).to_pandas()


def _side(data: DataSet, sample: Sample) -> Side:
    return Side(address=data.address, rows=sample.rows, sampled=sample.taken)
