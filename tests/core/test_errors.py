"""Every way to fail says what is wrong and whether trying again may help."""

import inspect
import re

import pytest

from shared import errors
from shared.errors import (
    BusError,
    ConfigError,
    ConflictError,
    ContentionError,
    DamagedStateError,
    InvalidTriggerError,
    LaunchInProgressError,
    PermanentError,
    RetrainError,
    TargetRefusedError,
    TransientError,
    UnavailableError,
    UnknownModelError,
    UnreadableEventError,
)

RETRYABLE = {
    RetrainError: False,
    PermanentError: False,
    UnreadableEventError: False,
    InvalidTriggerError: False,
    UnknownModelError: False,
    TargetRefusedError: False,
    ConflictError: False,
    DamagedStateError: True,
    ConfigError: False,
    BusError: False,
    TransientError: True,
    UnavailableError: True,
    LaunchInProgressError: True,
    ContentionError: True,
}


def classes() -> list[type[Exception]]:
    """Return every error class of the module."""
    return [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def drawn_tree(picture: str) -> dict[str, str | None]:
    """Read the tree that *picture* draws, as class -> its base; each level is indented by four characters."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in picture.splitlines():
        found = re.match(r"(?P<lines>[│├└─ ]*)(?P<name>\w+Error)\b", line)
        if found:
            level = len(found["lines"]) // 4
            path = [*path[:level], found["name"]]
            parents[found["name"]] = path[-2] if level else None
    return parents


def test_the_tree_that_is_drawn_is_the_tree_that_is_there() -> None:
    """The picture at the top of the module shows every class under its base, and no other."""
    there = {cls.__name__: cls.__bases__[0].__name__ for cls in classes()}
    assert drawn_tree(errors.__doc__ or "") == there | {"RetrainError": None}
    assert RetrainError.__bases__ == (Exception,)


def test_every_class_knows_whether_to_try_again() -> None:
    """Only what is transient is retryable, and every class says so."""
    assert {cls: cls.retryable for cls in classes() if issubclass(cls, RetrainError)} == RETRYABLE
    assert set(classes()) == set(RETRYABLE)


@pytest.mark.parametrize("cls", RETRYABLE)
def test_every_class_says_what_it_is_for(cls: type[Exception]) -> None:
    """A class has a sentence of its own."""
    assert cls.__doc__ != cls.__bases__[0].__doc__
    assert (cls.__doc__ or "").partition("\n")[0].endswith(".")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidTriggerError("force", "must be true or false, not 1"), "force: must be true or false, not 1"),
        (ConfigError("retrain.toml", ["models: there is none"]), "retrain.toml: 1 problem\n  models: there is none"),
        (ConfigError("retrain.toml", ["a: is b", "c: is d"]), "retrain.toml: 2 problems\n  a: is b\n  c: is d"),
        (
            BusError("the event bus retraining", {"t-1": "AccessDenied", "t-2": "too large"}),
            "the event bus retraining did not accept 2 trigger(s): t-1: AccessDenied; t-2: too large",
        ),
        (
            BusError("bus", {f"t-{number}": "no" for number in range(12)}),
            "bus did not accept 12 trigger(s): " + "; ".join(f"t-{n}: no" for n in range(10)) + "; and 2 more",
        ),
        (
            BusError("bus", {f"t-{number}": "no" for number in range(10)}),
            "bus did not accept 10 trigger(s): " + "; ".join(f"t-{n}: no" for n in range(10)),
        ),
        (UnavailableError("DynamoDB", "save the state"), "DynamoDB could not save the state; try again"),
        (
            UnavailableError("DynamoDB", "save the state", "ThrottlingException"),
            "DynamoDB could not save the state: ThrottlingException; try again",
        ),
    ],
)
def test_messages_say_what_and_which(error: RetrainError, message: str) -> None:
    """The message names the failure, with the values that matter."""
    assert str(error) == message


def test_errors_carry_what_a_program_needs() -> None:
    """Field, problem, problems and failures are there without reading the message."""
    invalid = InvalidTriggerError("force", "must be true or false")
    config = ConfigError("retrain.toml", ["a", "b"])
    assert (invalid.field, invalid.problem) == ("force", "must be true or false")
    assert (config.source, config.problems) == ("retrain.toml", ("a", "b"))
    assert BusError("bus", {"t-1": "no"}).failures == {"t-1": "no"}
