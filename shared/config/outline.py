"""Facts about all models that a cold start or any event needs, so that no model must be read for them."""

from collections.abc import Mapping
from typing import Any

from shared.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Facts about the models of a configuration; a model is given by its place among them.

    Attributes:
        names: the names and patterns.
        default: the model that receives the events that do not name one.
        scheduled: the models for which every cron tick emits a trigger.
        own_schedules: the models with a schedule of their own.
        own_notify: the models with notifications of their own.
        signals: the entries of `signals` of the models that have any.
        clouds: the models that train on each cloud.
        github: the clouds on which GitHub trains a model, or follows up on a training.

    """

    names: tuple[str, ...]
    default: str | None
    scheduled: tuple[int, ...]
    own_schedules: tuple[int, ...]
    own_notify: tuple[int, ...]
    signals: Mapping[int, tuple[str, ...]]
    clouds: Mapping[str, tuple[int, ...]]
    github: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the outline as a JSON object."""
        facts = {name: getattr(self, name) for name in (*_LISTS, "default", "clouds")}
        return facts | {"signals": [[place, *entries] for place, entries in self.signals.items()]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Outline":
        """Return the outline in a JSON object that `to_json` returned."""
        return cls(
            **{name: tuple(content[name]) for name in _LISTS},
            default=content["default"],
            signals={place: tuple(entries) for place, *entries in content["signals"]},
            clouds={cloud: tuple(places) for cloud, places in content["clouds"].items()},
        )


_LISTS = ("names", "scheduled", "own_schedules", "own_notify", "github")
