"""Reads and checks what the launcher hands to one training: its parameters and its names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

PREFIX = "RETRAIN_PARAM_"

# Eight weeks: fewer days do not show a model each kind of weekday often enough to learn from.
MINIMUM_TRAINING_DAYS = 56

LONGEST_VALUE_SHOWN = 60

Number = TypeVar("Number", int, float)


class ParameterError(Exception):
    """A parameter has a value that no training can use."""

    def __init__(self, name: str, rule: str, value: str) -> None:
        """Say that *name* must be as in *rule*, and what it was instead."""
        super().__init__(f"parameter {name} must be {rule}, not {value[:LONGEST_VALUE_SHOWN]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule(Generic[Number]):
    """What a parameter that is a number may be.

    Attributes:
        name: As a trigger spells it.
        kind: Makes the number of its text, or raises `ValueError`.
        low: Smallest value allowed.
        high: Largest value allowed.
        default: Value when the parameter is absent or empty.
    """

    name: str
    kind: Callable[[str], Number]
    low: Number
    high: Number
    default: Number

    def read(self, environment: Mapping[str, str]) -> Number:
        """Return the parameter's value in *environment*.

        Raises:
            ParameterError: It is no such number, or out of range.
        """
        text = _text(environment, self.name)
        if not text:
            return self.default
        rule = f"a {'whole ' if self.kind is int else ''}number from {self.low} to {self.high}"
        try:
            value = self.kind(text)
        except ValueError as exc:
            raise ParameterError(self.name, rule, text) from exc
        # "nan" compares false with everything, so it is refused here too.
        if not self.low <= value <= self.high:
            raise ParameterError(self.name, rule, text)
        return value


RECENT_DAYS = NumberRule(name="recent_days", kind=int, low=1, high=180, default=28)
# The defaults are scikit-learn's own: nothing was tuned on the days on which errors are measured.
MAX_ITER = NumberRule(name="max_iter", kind=int, low=1, high=2000, default=100)
LEARNING_RATE = NumberRule(name="learning_rate", kind=float, low=0.001, high=1.0, default=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one training is asked to do.

    Attributes:
        model_id: The model's name, as the launcher gives it; none when a person runs the script.
        trigger_id: The trigger that asked for this training, or none.
        run_id: The launcher's name for this run, or none.
        until: The first day that counts as not known yet, "today".
        recent_days: Length in days of the window before `until` on which models are measured.
        max_iter: Number of trees.
        learning_rate: Share of each tree's correction that is kept.
    """

    model_id: str | None
    trigger_id: str | None
    run_id: str | None
    until: date
    recent_days: int
    max_iter: int
    learning_rate: float

    @property
    def window_start(self) -> date:
        """The first day of the recent window: models are trained on the days before it."""
        return self.until - timedelta(days=self.recent_days)


def read(environment: Mapping[str, str], first_day: date, last_day: date) -> Settings:
    """Return the settings that *environment* holds, for data from *first_day* to *last_day*.

    A parameter that is absent or empty takes its default; `until` is then the day after the last.

    Raises:
        ParameterError: A value is not of its kind or not in its range.
    """
    recent_days = RECENT_DAYS.read(environment)
    earliest = first_day + timedelta(days=MINIMUM_TRAINING_DAYS + recent_days)
    return Settings(
        model_id=environment.get("RETRAIN_MODEL_ID"),
        trigger_id=environment.get("RETRAIN_TRIGGER_ID"),
        run_id=environment.get("RETRAIN_RUN_ID"),
        until=_until(environment, earliest, last_day + timedelta(days=1)),
        recent_days=recent_days,
        max_iter=MAX_ITER.read(environment),
        learning_rate=LEARNING_RATE.read(environment),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    return environment.get(PREFIX + name.upper(), "").strip()


def _until(environment: Mapping[str, str], earliest: date, latest: date) -> date:
    text = _text(environment, "until")
    if not text:
        return latest
    rule = f"an ISO date from {earliest} to {latest}"
    try:
        until = date.fromisoformat(text)
    except ValueError as exc:
        raise ParameterError("until", rule, text) from exc
    if not earliest <= until <= latest:
        raise ParameterError("until", rule, text)
    return until
