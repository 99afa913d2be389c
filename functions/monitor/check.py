"""One check of one model: data in, comparison, verdict."""

from dataclasses import dataclass, field
from datetime import datetime

from functions.monitor.comparison import compare
from functions.monitor.data.columns import without
from functions.monitor.data.storage import Storage
from functions.monitor.quality import check_quality
from functions.monitor.reading import read_data
from functions.monitor.result import Result, trigger_id_of
from functions.monitor.site.banner import with_banner
from shared.config.drift import DriftCheck
from shared.config.quality import QualityCheck
from shared.trigger import SEVERITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A result and the report that shows it.

    Attributes:
        result: what was found.
        page: Evidently's report as HTML, under a banner of ours.

    """

    result: Result
    page: str = field(repr=False)


def check_drift(
    model_id: str, check: DriftCheck, at: datetime, storage: Storage, quality: QualityCheck | None = None
) -> Finding:
    """Compare the current data of a model with its reference.

    Args:
        model_id: whose data.
        check: what the configuration says.
        at: the time that the check is made for; its day is the `{date}` of the current data.
        storage: reads the data.
        quality: how its performance is judged, if at all.

    Raises:
        UnusableDataError: the data cannot be compared; the text says why.
        UnavailableError: a storage is away.

    """
    data = read_data(check, at.date(), storage)
    comparison = compare(*data.frames, missing=data.missing, drift_share=check.drift_share)
    chosen = without(check, data.chosen, comparison.left_out, comparison.lost)
    judged = check_quality(check, quality, at.date(), storage) if quality else None
    share = comparison.share
    drift = check.is_drift(share)
    severities = (check.severity_of(share) if drift else None, judged.severity if judged else None)
    labels = [judged.identity] if judged and judged.identity else []
    result = Result(
        model_id=model_id,
        at=at,
        drift=drift,
        severity=max(filter(None, severities), key=SEVERITIES.index, default=None),
        share=share,
        drift_share=check.drift_share,
        columns=comparison.columns,
        left_out=chosen.left_out,
        left_out_values={name: data.filled[name] for name in chosen.left_out},
        roles={name: role for role, name in (("target", check.target), ("prediction", check.prediction)) if name},
        reference=data.sides[0],
        current=data.sides[1],
        trigger_id=trigger_id_of(model_id, *data.identities, *labels),
        quality=judged,
    )
    return Finding(result=result, page=with_banner(comparison.page, result))
