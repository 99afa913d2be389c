"""The givens of a world: the models, the follow-ups of their trainings, and the kind of training service."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.config.follow_ups import FollowUps
from shared.config.model import Configuration, Model, Policy
from shared.config.targets import CommandTarget, GitHubTarget, Target
from shared.decision.terms import Rules, rules_of

MODELS: Final = ("churn", "fraud")
CHANNELS: Final = ("slack://one", "mailto://two")
REPOSITORY: Final = "acme/churn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The givens of a world.

    Attributes:
        policy: of every model.
        honours_tokens: as `TrainingService` has it.
        shows_runs: as `TrainingService` has it.
        own_letters: whether rejected events are put to dead letters of our side, or raised.
        after: what follows a training of every model.
        notify_on: the events that people are notified of.
        target: where every model trains; none: a target that fits to the training service.
        models: those that the configuration knows.

    """

    policy: Policy = field(default_factory=Policy)
    honours_tokens: bool = True
    shows_runs: bool = True
    own_letters: bool = True
    after: FollowUps = field(default_factory=FollowUps)
    notify_on: tuple[str, ...] = ()
    target: Target | None = None
    models: tuple[str, ...] = MODELS


def configuration(setting: Setting) -> Configuration:
    """Return the configuration of a world."""
    models = tuple(_model(name, setting) for name in setting.models)
    return Configuration(
        models=models,
        channels=CHANNELS,
        repositories=(REPOSITORY,),
        folder=Path("/bundle"),
        notify_on=setting.notify_on,
    )


def target_of(setting: Setting) -> Target:
    """Return a target of a kind that honours tokens as the training service of *setting* does."""
    if setting.target is not None:
        return setting.target
    if setting.honours_tokens:
        return CommandTarget(command=("train",))
    return GitHubTarget(repository=REPOSITORY, event_type="train")


def rules(setting: Setting, model_id: str = MODELS[0]) -> Rules:
    """Return what the configuration of a world says of a model."""
    known = dataclasses.replace(setting, models=MODELS)
    found = rules_of(configuration(known), "local", model_id)
    assert found is not None
    return found


def _model(name: str, setting: Setting) -> Model:
    return Model(
        name=name,
        default=name == MODELS[0],
        schedule=False,
        signals=(),
        policy=setting.policy,
        parameters={"epochs": 8, "model": "$model_id"},
        targets={"local": target_of(setting)},
        after=setting.after,
    )
