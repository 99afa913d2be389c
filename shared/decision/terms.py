"""The terms of a training: what its claim carries, so that a later change of the configuration does not touch it."""

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
    """What a claimed training is started with, wherever and however often its start is repeated.

    Attributes:
        target: where it trains.
        parameters: what the pipeline gets, defaults filled in.
        max_run: after this long it counts as gone.
        cooldown: how long after its start no other training may start, should the configuration not know the model.

    """

    target: Target
    parameters: Mapping[str, Parameter]
    max_run: timedelta
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the configuration says today of one model on one cloud.

    Attributes:
        model: the model, or the pattern that matches it.
        target: where it trains on that cloud.

    """

    model: Model
    target: Target

    @property
    def policy(self) -> Policy:
        """When the model may train."""
        return self.model.policy

    def terms(self, trigger: RetrainTrigger) -> Terms:
        """Return the terms on which a training for *trigger* is claimed today."""
        return Terms(
            target=self.target,
            parameters=filled_parameters(self.model, trigger),
            max_run=self.policy.max_run,
            cooldown=self.policy.cooldown,
        )


def rules_of(config: Configuration, cloud: str, model_id: str) -> Rules | None:
    """Return what *config* says of *model_id* on *cloud*; none where it does not know the model, or no target there."""
    try:
        model = config.find(model_id)
        return Rules(model=model, target=model.target(cloud))
    except UnknownModelError:
        return None


def filled_parameters(model: Model, trigger: RetrainTrigger) -> Mapping[str, Parameter]:
    """Return what the pipeline gets: the model's defaults, `$field` filled in, under what the trigger sets."""
    return {name: trigger.parameters.get(name, _fill(default, trigger)) for name, default in model.parameters.items()}


def _fill(default: Parameter, trigger: RetrainTrigger) -> Parameter:
    if not isinstance(default, str) or not default.startswith("$"):
        return default
    if default.startswith("$$"):
        return default[1:]
    name = default[1:]
    value = trigger.to_fields().get(name, trigger.force if name == "force" else "")
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)
