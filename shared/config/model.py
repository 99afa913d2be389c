"""The configuration as values: the models, when they train and where."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.config.follow_ups import NOTIFY_ON, FollowUps, Notify
from shared.config.lookup import Lookup, is_pattern
from shared.config.outline import Outline
from shared.config.schedule import OwnSchedule
from shared.config.targets import GitHubTarget, Target
from shared.errors import PermanentError, UnknownModelError
from shared.fields import MAX_MODEL_ID, Parameter, brief, read_model_id
from shared.frozen import dataclass

if TYPE_CHECKING:
    from shared.config.drift import DriftCheck
    from shared.config.quality import QualityCheck

# The ledger stores the times of so many starts.
MAX_STARTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The largest number of trainings that may start within a period: `max_trainings`."""

    number: int
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The keys of a model that decide when it may train; `docs/configuration.md` explains each."""

    cooldown: timedelta = timedelta()
    cooldown_after: str = "start"
    on_cooldown: str = "skip"
    on_busy: str = "queue"
    max_trainings: Budget | None = None
    retries: int = 0
    retry_delay: timedelta = timedelta(minutes=30)
    max_run: timedelta = timedelta(hours=24)
    min_severity: str | None = None
    consecutive: int = 1
    window: timedelta = timedelta(days=7)
    approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The configuration of a model, or of all models that match a pattern.

    Attributes:
        name: the name or the pattern.
        default: whether events that do not name a model are for this one.
        schedule: whether every cron tick emits a trigger for this model.
        signals: the native events of the platform that trigger this model.
        policy: when it may train.
        parameters: the parameters that a trigger may set, with their defaults.
        targets: where it trains, by cloud.
        after: the actions that follow a training, by its result.
        drift: its drift check; None if it has none.
        quality: how its predictions are judged; None if they are not.
        own_schedule: a schedule for this model alone; None if it has none.
        max_age: people are notified when no training has succeeded for this long; None: never.
        notify: its notifications; None: those of `[notify]`.

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
    quality: "QualityCheck | None" = None
    own_schedule: OwnSchedule | None = None
    max_age: timedelta | None = None
    notify: Notify | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether the name is a pattern, which matches many models."""
        return is_pattern(self.name)

    def target(self, cloud: str) -> Target:
        """Return the target of the model on *cloud*.

        Raises:
            UnknownModelError: it has no target there.

        """
        if cloud not in self.targets:
            raise UnknownModelError(f'model_id: models."{self.name}" has no target.{cloud} in the configuration')
        return self.targets[cloud]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The whole configuration file.

    Attributes:
        models: the models, in the order of the file.
        channels: the addresses for notifications, from `[notify]`.
        repositories: the repositories that may be dispatched to, from `[github]`.
        folder: the folder of the file, to which its paths are relative.
        notify_on: the events that are sent to the channels: `launched`, `ended`, `failed`, `rejected`,
            `awaiting_approval`, `stale`.
        console_url: where people reach the console, without a trailing slash; empty if there is none.
        default_model: the name of the model that receives the events that do not name one.
        outline: facts about all models, for code that would otherwise go through all of them: reading ten thousand
            models takes long.

    """

    models: Sequence[Model]
    # The addresses contain secrets.
    channels: tuple[str, ...] = field(repr=False)
    repositories: tuple[str, ...]
    folder: Path
    notify_on: tuple[str, ...] = NOTIFY_ON
    console_url: str = ""
    default_model: str | None = field(init=False, repr=False, compare=False)
    outline: Outline = field(init=False, repr=False, compare=False)
    _lookup: Lookup = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare `find`, once for all events."""
        outline = getattr(self.models, "outline", None) or _outline_of(self.models)
        object.__setattr__(self, "outline", outline)
        object.__setattr__(self, "default_model", outline.default)
        object.__setattr__(self, "_lookup", Lookup(outline.names))

    @property
    def console_origin(self) -> str:
        """Scheme, host and port of `console_url`, as browsers send them; empty if there is none."""
        return "/".join(self.console_url.split("/")[:3])

    def named(self, cloud: str) -> list[str]:
        """Return the names (no patterns) of the models that train on *cloud*, sorted."""
        names = (self.outline.names[place] for place in self.outline.clouds.get(cloud, ()))
        return sorted(name for name in names if not is_pattern(name))

    def scheduled(self, cloud: str) -> list[str]:
        """Return the names of the models for which a cron tick on *cloud* emits a trigger."""
        here = set(self.outline.clouds.get(cloud, ()))
        return [self.outline.names[place] for place in self.outline.scheduled if place in here]

    def own_schedules(self, cloud: str) -> dict[str, OwnSchedule]:
        """Return the schedules of the models on *cloud* that have one of their own, by name."""
        models = (self.models[place] for place in self.outline.own_schedules)
        return {model.name: model.own_schedule for model in models if model.own_schedule and cloud in model.targets}

    def signals(self, cloud: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the name and the `signals` of each model on *cloud* that has any."""
        here = set(self.outline.clouds.get(cloud, ()))
        for place, entries in self.outline.signals.items():
            if place in here:
                yield self.outline.names[place], entries

    @property
    def has_patterns(self) -> bool:
        """Whether a model is a pattern."""
        return any(is_pattern(name) for name in self.outline.names)

    def aged(self, cloud: str) -> list[Model]:
        """Return the models (no patterns) on *cloud* with `max_age`."""
        return [model for model in self.models if model.max_age and not model.is_pattern and cloud in model.targets]

    def notify_of(self, model: Model | None) -> Notify:
        """Return the notifications of *model*; those of `[notify]` if it has none of its own or is None."""
        own = model.notify if model else None
        return own or Notify(channels=self.channels, on=self.notify_on)

    def channel_places(self) -> dict[str, str]:
        """Return the address of every channel, with its first place in the file, such as `notify.channels[0]`."""
        places: dict[str, str] = {}
        for model in (None, *(self.models[place] for place in self.outline.own_notify)):
            table = f'models."{model.name}".notify' if model else "notify"
            for number, channel in enumerate(self.notify_of(model).channels):
                places.setdefault(channel, f"{table}.channels[{number}]")
        return places

    def knows(self, model_id: str) -> bool:
        """Return whether *model_id* is a valid id that a name or pattern of the configuration matches."""
        try:
            return bool(self.find(read_model_id(model_id)))
        except PermanentError:
            return False

    def find(self, model_id: str) -> Model:
        """Return the model with this name, otherwise the most specific pattern that matches.

        The most specific pattern has the most literal characters, then the most `[...]`, then the most `?`; among
        equals, the first in the file.

        Raises:
            UnknownModelError: nothing matches.

        """
        place = self._lookup.find(model_id)
        if place is None:
            wanted, known = brief(model_id, MAX_MODEL_ID), ", ".join(self.outline.names[:10])
            raise UnknownModelError(f"model_id: the configuration has no model {wanted}; it has {known}")
        return self.models[place]


def _outline_of(models: Sequence[Model]) -> Outline:
    """Return the outline of *models*."""
    clouds: dict[str, list[int]] = {}
    github: set[str] = set()
    for place, model in enumerate(models):
        dispatches = any(action.startswith("github:") for action in (*model.after.succeeded, *model.after.failed))
        for cloud, target in model.targets.items():
            clouds.setdefault(cloud, []).append(place)
            if dispatches or isinstance(target, GitHubTarget):
                github.add(cloud)
    numbered = list(enumerate(models))
    return Outline(
        names=tuple(model.name for model in models),
        default=next((model.name for model in models if model.default), None),
        scheduled=tuple(place for place, model in numbered if model.schedule),
        own_schedules=tuple(place for place, model in numbered if model.own_schedule),
        own_notify=tuple(place for place, model in numbered if model.notify),
        signals={place: model.signals for place, model in numbered if model.signals},
        clouds={cloud: tuple(places) for cloud, places in clouds.items()},
        github=tuple(sorted(github)),
    )
