"""Reads and checks the settings that the launcher passes to a training: its parameters and its names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

PREFIX = "RETRAIN_PARAM_"

# Eight weeks: with fewer days, a model does not see each weekday often enough to learn from it.
MINIMUM_TRAINING_DAYS = 56

LONGEST_VALUE_SHOWN = 60

Number = TypeVar("Number", int, float)


class ParameterError(Exception):
    """A parameter has an invalid value."""

    def __init__(self, name: str, rule: str, value: str) -> None:
        """Report that *name* must follow *rule*, and the value that it had instead."""
        super().__init__(f"parameter {name} must be {rule}, not {value[:LONGEST_VALUE_SHOWN]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule(Generic[Number]):
    """The valid values of a parameter that is a number.

    Attributes:
        name: The name of the parameter in a trigger.
        kind: Converts text to the number, or raises `ValueError`.
        low: Smallest value allowed.
        high: Largest value allowed.
        default: Value if the parameter is absent or empty.
    """

    name: str
    kind: Callable[[str], Number]
    low: Number
    high: Number
    default: Number

    def read(self, environment: Mapping[str, str]) -> Number:
        """Return the parameter's value in *environment*.

        Raises:
            ParameterError: The value is not a number of this kind, or is out of range.
        """
        text = _text(environment, self.name)
        if not text:
            return self.default
        rule = f"a {'whole ' if self.kind is int else ''}number from {self.low} to {self.high}"
        try:
            value = self.kind(text)
        except ValueError as exc:
            raise ParameterError(self.name, rule, text) from exc
        # "nan" compares false with everything, so it is refused here as well.
        if not self.low <= value <= self.high:
            raise ParameterError(self.name, rule, text)
        return value


RECENT_DAYS = NumberRule(name="recent_days", kind=int, low=1, high=180, default=28)
# The defaults are scikit-learn's own: nothing was tuned on the days on which errors are measured.
MAX_ITER = NumberRule(name="max_iter", kind=int, low=1, high=2000, default=100)
LEARNING_RATE = NumberRule(name="learning_rate", kind=float, low=0.001, high=1.0, default=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one training.

    Attributes:
        model_id: The model's name, from the launcher; None if a person runs the script.
        trigger_id: The trigger that started this training, or None.
        run_id: The launcher's name for this run, or None.
        until: "Today": the first day that counts as not known yet.
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
    """Return the settings in *environment*, for data from *first_day* to *last_day*.

    A parameter that is absent or empty takes its default; `until` is then the day after the last.

    Raises:
        ParameterError: A value is of the wrong kind or out of range.
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
