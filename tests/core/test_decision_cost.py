"""The cost of reading and deciding one trigger, in function calls, which do not depend on other load."""

import cProfile
import json
from datetime import UTC, datetime

import pytest

from shared.config.model import Configuration
from shared.decision.policy import decide
from shared.decision.state import ModelState
from shared.training.admission import triggers_of
from shared.wire.eventbridge import decode
from tests.core.samples import configured, model_text

NOW = datetime(2026, 11, 23, 9, 31, tzinfo=UTC)
# With 230 calls one core reads and judges 30,000 triggers a second; it takes 190 calls now.
MOST_CALLS = 230


def judged(config: Configuration, event: str) -> None:
    """Read and judge *event* as `receive` does."""
    for trigger in triggers_of(config, "local", decode(json.loads(event), "ml3_platform"), NOW):
        decide(ModelState(), trigger, config.find(trigger.model_id).policy, NOW)


@pytest.mark.parametrize("models", [100, 10_000])
def test_reading_and_judging_a_trigger_takes_few_calls(models: int) -> None:
    """Calls stay within what a rate of 30,000 triggers a second allows, however many models there are."""
    config = configured("".join(model_text(f"model-{number}") for number in range(models)))
    detail = {
        "schema": 1,
        "model_id": "model-42",
        "trigger_id": "t-1",
        "origin": "drift",
        "severity": "high",
        "reason": "the input drifted",
        "requested_at": "2026-11-23T09:30:00Z",
        "evidence": {"report_url": "https://example.com/r/1"},
    }
    event = json.dumps(
        {
            "id": "e-1",
            "source": "ml3_platform",
            "detail-type": "retrain_trigger",
            "time": "2026-11-23T09:30:00Z",
            "detail": detail,
        }
    )
    # The first objects of a class are made without a compiled `__init__` (`shared.frozen`).
    for _ in range(12):
        judged(config, event)
    profile = cProfile.Profile()
    profile.runcall(judged, config, event)
    assert sum(entry.callcount for entry in profile.getstats()) <= MOST_CALLS
