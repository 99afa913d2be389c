"""The configuration as values: which models there are, when they train and where."""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.config.follow_ups import NOTIFY_ON, FollowUps
from shared.config.targets import Target
from shared.errors import PermanentError, UnknownModelError
from shared.fields import MAX_MODEL_ID, Parameter, brief, read_model_id
from shared.frozen import dataclass

if TYPE_CHECKING:
    from shared.config.drift import DriftCheck

_WILDCARDS: Final = "*?["
# What fnmatch sees in a pattern: `[...]`, where a bracket that stands first counts as itself, or one character.
_PIECES: Final = re.compile(r"\[!?]?[^]]*]|.", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a model may train; see the contract's section 3 for every key."""

    cooldown: timedelta = timedelta()
    on_busy: str = "queue"
    max_run: timedelta = timedelta(hours=24)
    min_severity: str | None = None
    consecutive: int = 1
    window: timedelta = timedelta(days=7)
    approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the configuration says of a model, or of all models that a pattern names.

    Attributes:
        name: the name or the pattern.
        default: takes the events that name no model.
        schedule: every cron tick asks for this model.
        signals: native events that mean: retrain this model.
        policy: when it may train.
        parameters: what a trigger may set, with the defaults.
        targets: where it trains, by cloud.
        after: what follows a training, by its result.
        drift: what the drift monitor does for it, if anything.

    """

    name: str
    default: bool
    schedule: bool
    signals: tuple[str, ...]
    policy: Policy
    parameters: Mapping[str, Parameter]
    targets: Mapping[str, Target]
    after: FollowUps
    drift: "DriftCheck | None" = None

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for many models."""
        return any(character in self.name for character in _WILDCARDS)

    def target(self, cloud: str) -> Target:
        """Return where the model trains on *cloud*.

        Raises:
            UnknownModelError: it does not train there.

        """
        if cloud not in self.targets:
            raise UnknownModelError(f'model_id: models."{self.name}" has no target.{cloud} in the configuration')
        return self.targets[cloud]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The whole file.

    Attributes:
        models: in the order of the file.
        channels: where people are told, from `[notify]`.
        repositories: what may be dispatched to, from `[github]`.
        folder: where the file stands; relative paths in it start here.
        notify_on: what is told there for every model: `launched`, `ended`, `failed`, `rejected`, `awaiting_approval`.

    """

    models: tuple[Model, ...]
    # Addresses of channels hold secrets.
    channels: tuple[str, ...] = field(repr=False)
    repositories: tuple[str, ...]
    folder: Path
    notify_on: tuple[str, ...] = NOTIFY_ON

    @property
    def default_model(self) -> str | None:
        """The name of the model that takes the events that name none."""
        return next((model.name for model in self.models if model.default), None)

    def named(self, cloud: str) -> list[str]:
        """Return the names (no patterns) of the models that train on *cloud*, sorted."""
        return sorted(model.name for model in self.models if not model.is_pattern and cloud in model.targets)

    def scheduled(self, cloud: str) -> list[str]:
        """Return the models that a cron tick on *cloud* asks for."""
        return [model.name for model in self.models if model.schedule and cloud in model.targets]

    def knows(self, model_id: str) -> bool:
        """Whether *model_id* may be a model's id, and something of the configuration matches it."""
        try:
            return bool(self.find(read_model_id(model_id)))
        except PermanentError:
            return False

    def find(self, model_id: str) -> Model:
        """Return the model of that name, else of the most specific pattern that matches.

        The most specific pattern has the most characters that stand for themselves, then the most `[...]`, then the
        most `?`; among equals the first of the file.

        Raises:
            UnknownModelError: nothing matches.

        """
        matching = [model for model in self.models if model.is_pattern and fnmatchcase(model_id, model.name)]
        exact = next((model for model in self.models if model.name == model_id and not model.is_pattern), None)
        best = exact or max(matching, key=lambda model: _specificity(model.name), default=None)
        if best is None:
            asked, known = brief(model_id, MAX_MODEL_ID), ", ".join(model.name for model in self.models[:10])
            raise UnknownModelError(f"model_id: the configuration has no model {asked}; it has {known}")
        return best


def _specificity(pattern: str) -> tuple[int, int, int]:
    pieces = _PIECES.findall(pattern)
    classes, marks, stars = (sum(piece.startswith(sign) for piece in pieces if piece != "[") for sign in "[?*")
    return len(pieces) - classes - marks - stars, classes, marks
