"""Events of Azure Machine Learning about runs, sent through Event Grid."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.fields import MAX_MODEL_ID
from shared.ports import RunResult
from shared.trigger import RUN_PREFIX
from shared.wire.incoming import RunEnded
from shared.wire.reading import text

COMPLETED: Final = "Microsoft.MachineLearningServices.RunCompleted"
STATUS_CHANGED: Final = "Microsoft.MachineLearningServices.RunStatusChanged"
# The tag of a job, started by this project, with the id of its model.
MODEL_TAG: Final = "retrain-model-id"

# The steps of a pipeline are runs, too; only whole jobs that this project started have such a name.
_OURS: Final = re.escape(RUN_PREFIX) + "[0-9a-f]{40}"
# Every other status may still change: a job that does not respond may come back (REST API, JobStatus.NotResponding).
# In lower case, as events spell statuses differently; Microsoft's sample of RunStatusChanged has "failed".
_RESULTS: Final = {
    "completed": RunResult.SUCCEEDED,
    "finished": RunResult.SUCCEEDED,
    "failed": RunResult.FAILED,
    "canceled": RunResult.STOPPED,
}


def run_result(status: str) -> RunResult:
    """Return the result for the *status* of a job, in any case; statuses that Azure adds later count as running."""
    return _RESULTS.get(status.lower(), RunResult.RUNNING)


def ended(kind: str, workspace: str, subject: str, data: object, sent_at: datetime | None) -> RunEnded | None:
    """Read an event about a run.

    The letter case of the keys differs between the documentation and real events, even within one event.

    Args:
        kind: the event's type.
        workspace: the id of the workspace: the event's topic or source.
        subject: `experiments/{id}/runs/{id}`.
        data: the event's data about the run.
        sent_at: the event's time.

    Returns:
        The news; none if the event is not about a run that we started.

    """
    kind = kind.lower()
    if kind not in (COMPLETED.lower(), STATUS_CHANGED.lower()):
        return None
    fields: Mapping[str, Any] = _by_small_name(data)
    name = text(fields.get("runid")) or subject.rpartition("/runs/")[2]
    if not re.fullmatch(_OURS, name):
        return None
    result = RunResult.SUCCEEDED if kind == COMPLETED.lower() else run_result(text(fields.get("runstatus")))
    return RunEnded(
        # The same id as the launcher returns.
        run_id=f"{workspace}/jobs/{name}",
        name=name,
        model_id=_model(fields.get("runtags")),
        result=result,
        ended_at=None if result is RunResult.RUNNING else sent_at,
    )


def _by_small_name(data: object) -> Mapping[str, Any]:
    return {str(name).lower(): value for name, value in data.items()} if isinstance(data, Mapping) else {}


def _model(tags: object) -> str | None:
    model_id = text(_by_small_name(tags).get(MODEL_TAG))
    return model_id if 0 < len(model_id) <= MAX_MODEL_ID else None
