"""The events of the local bus: those of EventBridge, and the end of a training."""

from collections.abc import Mapping
from typing import Final

from functions.local.exit_record import ExitRecord
from functions.local.run_request import RunRequest
from shared.errors import UnreadableEventError
from shared.fields import brief, format_time, parse_time
from shared.ports import RunResult
from shared.wire import eventbridge
from shared.wire.incoming import Incoming, RunEnded

SOURCE: Final = "retrain.local"
RUN_ENDED: Final = "Training Run Ended"


def ended_event(request: RunRequest, record: ExitRecord) -> dict[str, object]:
    """Return the event that reports the end of a training."""
    ended_at = format_time(record.ended_at)
    return {
        "version": "0",
        # A training ends once, so its name can be the id.
        "id": request.run_id,
        "detail-type": RUN_ENDED,
        "source": SOURCE,
        "time": ended_at,
        "detail": {
            "run_id": request.run_id,
            "name": request.run_id,
            "model_id": request.model_id,
            "result": record.outcome.value,
            "ended_at": ended_at,
            "error": record.error,
        },
    }


def decode(event: object, source: str) -> Incoming:
    """Decode an event of the local bus.

    Args:
        event: the event, parsed from JSON.
        source: the prefix of the sources that are ours.

    Raises:
        UnreadableEventError: it is not a JSON object, or reports the end of a training with a wrong field.
        InvalidTriggerError: it is ours, but its `detail` is not a JSON object.

    """
    if isinstance(event, Mapping) and (event.get("source"), event.get("detail-type")) == (SOURCE, RUN_ENDED):
        return _ended(event.get("detail"))
    return eventbridge.decode(event, source)


def _ended(detail: object) -> RunEnded:
    try:
        if not isinstance(detail, Mapping):
            raise TypeError(f"detail must be an object, not {brief(detail)}")  # noqa: TRY301 - one way to be wrong
        model_id = detail.get("model_id")
        return RunEnded(
            run_id=_text(detail["run_id"]),
            name=_text(detail["name"]),
            model_id=None if model_id is None else _text(model_id),
            result=RunResult(detail["result"]),
            ended_at=parse_time(_text(detail["ended_at"])),
            error=_text(detail.get("error", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEventError(f"the end of a training on this machine: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be a string, not {brief(value)}")
    return value
