"""The events of this machine's bus."""

from typing import Any

import pytest

from functions.local.events import decode, ended_event
from functions.local.exit_record import ExitRecord
from functions.local.run_request import RunRequest
from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.ports import RunResult
from shared.wire.incoming import Foreign, RunEnded, TriggerEvent
from tests.local.given import NOON


def an_end() -> dict[str, Any]:
    """Return the end of a training."""
    request = RunRequest(
        run_id="retrain-1", model_id="churn", command=("true",), folder="/", environment={}, max_run=1, bus=None
    )
    return ended_event(request, ExitRecord(result=RunResult.FAILED, exit_code=3, ended_at=NOON))


def test_the_end_of_a_training() -> None:
    """The event of an end is read as that end."""
    assert decode(an_end(), "ml3_platform") == RunEnded(
        run_id="retrain-1", name="retrain-1", model_id="churn", result=RunResult.FAILED, ended_at=NOON
    )


def test_an_end_without_a_model() -> None:
    """The model is a hint and may be missing."""
    event = an_end()
    del event["detail"]["model_id"]
    incoming = decode(event, "ml3_platform")
    assert isinstance(incoming, RunEnded)
    assert incoming.model_id is None


@pytest.mark.parametrize(
    "detail",
    [
        None,
        [],
        "x",
        {},
        *(an_end()["detail"] | {name: None} for name in ("run_id", "name", "ended_at")),
        *(an_end()["detail"] | {name: [1]} for name in ("run_id", "name", "ended_at")),
        an_end()["detail"] | {"model_id": 1},
        an_end()["detail"] | {"result": "lost"},
        an_end()["detail"] | {"result": []},
        an_end()["detail"] | {"ended_at": "yesterday"},
        an_end()["detail"] | {"ended_at": "2026-11-21T12:00:00"},
    ],
)
def test_an_end_that_makes_no_sense(detail: object) -> None:
    """The end of a training with a wrong field is unreadable, not a crash."""
    with pytest.raises(UnreadableEventError, match="the end of a training on this machine: "):
        decode(an_end() | {"detail": detail}, "ml3_platform")


def test_everything_else_is_the_codecs() -> None:
    """Triggers, foreign events and rubbish are judged by the codec of EventBridge."""
    asked = {"source": "ml3_platform", "detail-type": "retrain_trigger", "detail": {"model_id": "churn"}}
    assert isinstance(decode(asked, "ml3_platform"), TriggerEvent)
    assert isinstance(decode(asked, "other"), Foreign)
    assert isinstance(decode({}, "ml3_platform"), Foreign)
    assert isinstance(decode({"source": ["retrain.local"], "detail-type": {}}, "ml3_platform"), Foreign)
    with pytest.raises(InvalidTriggerError):
        decode(asked | {"detail": 1}, "ml3_platform")
    with pytest.raises(UnreadableEventError):
        decode([asked], "ml3_platform")
