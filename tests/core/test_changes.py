"""The promises of the core while the configuration changes between any two calls, tried by a stateful machine."""

import dataclasses
from datetime import timedelta
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from shared.config.model import Budget
from shared.config.targets import CommandTarget, GitHubTarget, Target
from tests.core.draws import BACK
from tests.core.samples import HOUR, SECOND
from tests.core.setting import MODELS, REPOSITORY
from tests.core.test_promises import ANY_PACE, MOST_PROCESSES, Promises
from tests.fakes.faults import Fault

TARGETS: Final = st.sampled_from(
    [
        None,
        CommandTarget(command=("train",)),
        CommandTarget(command=("elsewhere",)),
        GitHubTarget(repository=REPOSITORY, event_type="train"),
    ]
)


class Changes(Promises):
    """Moves a world as `Promises` does, and deploys another configuration while processes of the old one live."""

    @rule(
        trains_on=TARGETS,
        cooldown=st.sampled_from([0 * HOUR, HOUR, 6 * HOUR]),
        approval=st.sampled_from([False, False, True]),
        retries=st.sampled_from([0, 1, 2]),
        max_trainings=st.sampled_from([None, Budget(number=1, period=6 * HOUR)]),
        models=st.sampled_from([MODELS, MODELS, MODELS, MODELS[1:], MODELS[:1], ()]),
    )
    def change(
        self,
        trains_on: Target | None,
        cooldown: timedelta,
        approval: bool,  # noqa: FBT001 - a draw
        retries: int,
        max_trainings: Budget | None,
        models: tuple[str, ...],
    ) -> None:
        """Deploy another target, other policies, or a configuration without a model; or with it again."""
        if isinstance(trains_on, CommandTarget) and not self.world.setting.honours_tokens:
            trains_on = None  # A command honours tokens, and this service does not.
        policy = dataclasses.replace(
            self.world.setting.policy,
            cooldown=cooldown,
            approval=approval,
            retries=retries,
            max_trainings=max_trainings,
        )
        self.world.deploy(policy, target=trains_on, models=models)

    @precondition(lambda self: self.world.service.running() and len(self.world.processes) < MOST_PROCESSES)
    @rule(back=BACK, fault=st.sampled_from([None, Fault.THROTTLED, Fault.LOST]))
    def overrun(self, back: int, fault: Fault | None) -> None:
        """Let a run last longer than it may, and meet a status service that is away."""
        runs = self.world.service.running()
        run = runs[-1 - back % len(runs)]
        self.witness.advance(max(run.started_at + run.request.max_run - self.world.now, 0 * SECOND))
        process = self.witness.begun(self.world.deliver(self.world.emit(run.request.trigger.model_id)))
        while process.stops_before:
            self.witness.go(process, fault if process.stops_before == "status" else None)

    def teardown(self) -> None:
        """Deploy every model again, and let everything settle."""
        self.world.deploy(self.world.setting.policy, models=MODELS)
        super().teardown()


TestChanges = Changes.TestCase
TestChanges.settings = settings(ANY_PACE)
