"""The promises of the core while the clocks of its processes differ by five minutes, and targets have no tokens."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from shared.config.model import Policy
from tests.core.draws import POLICIES
from tests.core.samples import MINUTE, SECOND
from tests.core.setting import MODELS, Setting
from tests.core.test_promises import ANY_PACE, Promises
from tests.core.witness import Witness
from tests.core.world import World

MOST: timedelta = 5 * MINUTE
# With one of these a claim that has just been made looks almost, or quite, as old as one that was abandoned.
WAITS = [50 * SECOND, 59 * SECOND, 61 * SECOND]


class Skews(Promises):
    """Moves a world as `Promises` does, in which trainings are handed over, and each process has a clock of its own."""

    @initialize(policy=POLICIES, own_letters=st.booleans())
    def set_up(self, policy: Policy, own_letters: bool) -> None:  # noqa: FBT001 - a draw
        """Begin a world in which one training is requested."""
        setting = Setting(policy=policy, honours_tokens=False, shows_runs=False, own_letters=own_letters)
        self.witness = Witness(World(setting))
        self.world.most_skew = MOST
        self.world.emit(MODELS[0])

    @rule(skew=st.sampled_from([0 * MINUTE, 1 * MINUTE, 4 * MINUTE, MOST]))
    def differ(self, skew: timedelta) -> None:
        """Let the processes that begin from now on have a clock that is ahead."""
        self.world.skew = skew

    @rule(time=st.sampled_from(WAITS))
    def wait_for_a_lease(self, time: timedelta) -> None:
        """Let time pass until a clock that is ahead takes a claim for an old one."""
        self.witness.advance(time)

    def teardown(self) -> None:
        """Let everything settle by one clock."""
        self.world.skew = timedelta()
        super().teardown()


TestSkews = Skews.TestCase
TestSkews.settings = settings(ANY_PACE, derandomize=True)
