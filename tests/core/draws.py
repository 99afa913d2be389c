"""The choices of the stateful machine, weighted by how likely they are to find something."""

from typing import Final

from hypothesis import strategies as st

from shared.config.follow_ups import FollowUps
from shared.config.model import Budget, Policy
from shared.notice import EVENTS
from tests.core.samples import HOUR, SECOND
from tests.core.setting import MODELS
from tests.fakes.faults import Fault

DAY: Final = 24 * HOUR

POLICIES: Final = st.builds(
    Policy,
    cooldown=st.sampled_from([0 * HOUR, HOUR, 6 * HOUR]),
    cooldown_after=st.sampled_from(["start", "start", "success"]),
    on_cooldown=st.sampled_from(["skip", "skip", "queue"]),
    max_trainings=st.sampled_from([None, None, Budget(number=2, period=24 * HOUR), Budget(number=1, period=6 * HOUR)]),
    retries=st.sampled_from([0, 1, 2]),
    retry_delay=st.just(0.5 * HOUR),
    on_busy=st.sampled_from(["queue", "queue", "skip"]),
    max_run=st.sampled_from([12 * HOUR, 2 * HOUR]),
    min_severity=st.sampled_from([None, "medium"]),
    consecutive=st.sampled_from([1, 1, 2, 3]),
    approval=st.sampled_from([False, False, True]),
)
# A service with tokens that shows its runs; a plain queue; a queue that knows tokens for a while.
SERVICES: Final = st.sampled_from([(True, True), (True, True), (False, False), (True, False)])
GITHUB: Final = "github:acme/churn#machinelearningservices-runcompleted"
AFTER: Final = st.sampled_from(
    [
        FollowUps(),
        FollowUps(succeeded=(GITHUB,), failed=("github:acme/churn#training-failed",)),
        FollowUps(succeeded=(GITHUB, "notify", "github:acme/churn#second"), failed=("notify",)),
    ]
)
NOTIFY_ON: Final = st.sampled_from([(), (), ("failed", "rejected", "awaiting_approval"), EVENTS])
MOMENTS: Final = [1 * SECOND, 20 * SECOND, 40 * SECOND, 59 * SECOND, 60 * SECOND]
TIMES: Final = [61 * SECOND, 600 * SECOND, HOUR, 6 * HOUR, 12 * HOUR, 3 * DAY, 15 * DAY]
# How far a process goes, and what meets the call after that, if there is one.
Way = tuple[int, Fault | None]
TO_ITS_END: Final = st.just((99, None))
SOME_STEPS: Final = st.integers(0, 6)
WAYS: Final = st.one_of(
    TO_ITS_END,
    TO_ITS_END,
    st.tuples(SOME_STEPS, st.none()),
    st.tuples(SOME_STEPS, st.none()),
    st.tuples(SOME_STEPS, st.sampled_from(Fault)),
)
# No event of this world, none of ours, no model of ours, and two with a wrong field.
ODD: Final[list[dict[str, object]]] = [
    {"wrong": "text"},
    {"foreign": "news"},
    {"trigger": {"model_id": "absent"}, "id": "odd", "wrong": "model_id"},
    {"trigger": {"severity": "huge"}, "id": "odd", "wrong": "severity"},
    {"trigger": {"model_id": MODELS[0], "trigger_id": ""}, "id": "odd", "wrong": "trigger_id"},
]
# How far back in a list; what is new is the most interesting.
BACK: Final = st.integers(0, 5)
MODEL_IDS: Final = st.sampled_from([MODELS[0], MODELS[0], MODELS[0], MODELS[1]])
