"""The terms of a training, which are stored with its claim: later changes of the configuration do not affect it."""

import json
from collections.abc import Mapping
from datetime import timedelta

from shared.config.model import Configuration, Model, Policy
from shared.config.targets import Target
from shared.errors import UnknownModelError
from shared.fields import Parameter
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms on which a claimed training is started, also when the start is repeated.

    Attributes:
        target: where it trains.
        parameters: the parameters of the pipeline, including defaults.
        max_run: after this time it counts as gone.
        cooldown: how long after its start no other may start; only used while the configuration lacks the model.

    """

    target: Target
    parameters: Mapping[str, Parameter]
    max_run: timedelta
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The current configuration of one model on one cloud.

    Attributes:
        model: the model, or the pattern that matches it.
        target: its target on that cloud.

    """

    model: Model
    target: Target

    @property
    def policy(self) -> Policy:
        """The keys that decide when the model may train."""
        return self.model.policy

    def terms(self, trigger: RetrainTrigger) -> Terms:
        """Return the current terms of a training for *trigger*."""
        return Terms(
            target=self.target,
            parameters=filled_parameters(self.model, trigger),
            max_run=self.policy.max_run,
            cooldown=self.policy.cooldown,
        )


def rules_of(config: Configuration, cloud: str, model_id: str) -> Rules | None:
    """Return the rules of *model_id* on *cloud*; None if *config* does not have the model or a target there."""
    try:
        model = config.find(model_id)
        return Rules(model=model, target=model.target(cloud))
    except UnknownModelError:
        return None


def filled_parameters(model: Model, trigger: RetrainTrigger) -> Mapping[str, Parameter]:
    """Return the parameters of the pipeline: those of *trigger* over the defaults of *model*, `$field` replaced."""
    return {name: trigger.parameters.get(name, _fill(default, trigger)) for name, default in model.parameters.items()}


def _fill(default: Parameter, trigger: RetrainTrigger) -> Parameter:
    if not isinstance(default, str) or not default.startswith("$"):
        return default
    if default.startswith("$$"):
        return default[1:]
    name = default[1:]
    value = trigger.to_fields().get(name, trigger.force if name == "force" else "")
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)
