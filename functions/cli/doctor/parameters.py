"""The parameters of the configuration against those that a pipeline declares."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from functions.cli.doctor.check import CheckFailedError
from shared.config.model import Model
from shared.fields import Parameter, brief
from shared.training.start import parameters_of
from shared.trigger import RetrainTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A parameter as a pipeline declares it.

    Attributes:
        kind: one of `KINDS`; any other takes no value at all, and is told as it is.
        optional: a run without a value for it may start.

    """

    kind: str
    optional: bool


def _is_integer(value: Parameter) -> bool:
    # To Python true is a number.
    return not isinstance(value, bool) and str(value).strip().lstrip("+-").isdecimal()


def _is_number(value: Parameter) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return not isinstance(value, bool)


def _is_flag(value: Parameter) -> bool:
    return str(value).lower() in ("true", "false")


# All values travel as texts, so a text that spells one is as good.
KINDS: Final[Mapping[str, tuple[Callable[[Parameter], bool], str]]] = {
    "text": (lambda _: True, "a text"),
    "integer": (_is_integer, "an integer"),
    "number": (_is_number, "a number"),
    "boolean": (_is_flag, "true or false"),
}


def filled(model: Model) -> Mapping[str, Parameter]:
    """Return what the pipeline of *model* gets for a trigger in which every field is set."""
    trigger = dataclasses.replace(_trigger(model), reason="a reason", severity="high", requested_by="a person")
    return parameters_of(model, trigger)


def sparse(model: Model) -> Mapping[str, Parameter]:
    """Return what the pipeline of *model* gets for a trigger with nothing but what every trigger has."""
    return parameters_of(model, _trigger(model))


def compare(model: Model, declared: Mapping[str, Declared]) -> None:
    """Check that the pipeline of *model* takes what it will get.

    Raises:
        CheckFailedError: it does not; every difference is told.

    """
    problems = [*_unknown(model, declared), *_unfit(model, declared), *_missing(model, declared)]
    if problems:
        raise CheckFailedError("; ".join(problems))


def place_of(model: Model, name: str) -> str:
    """Return where a parameter stands in the configuration."""
    return f'models."{model.name}".parameters.{name}'


def _unknown(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    known = ", ".join(declared) or "none"
    for name in model.parameters:
        if name not in declared:
            yield f"{place_of(model, name)}: the pipeline has no such parameter, it has {known}: remove or rename it"


def _unfit(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    for name, value in filled(model).items():
        if name not in declared or value == "":
            continue
        kind = declared[name].kind
        if kind not in KINDS:
            yield f"{place_of(model, name)}: the pipeline takes {kind} there, which cannot be set"
        elif not KINDS[kind][0](value):
            yield f"{place_of(model, name)}: the pipeline wants {KINDS[kind][1]}, not {brief(value)}"


def _missing(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    # An empty one is left to the pipeline's default.
    given = {name for name, value in sparse(model).items() if value != ""}
    for name, parameter in declared.items():
        if not parameter.optional and name not in given:
            why = "may be empty" if name in model.parameters else "is missing"
            yield f"{place_of(model, name)}: {why}, and the pipeline has no default for it"


def _trigger(model: Model) -> RetrainTrigger:
    return RetrainTrigger(
        model_id=model.name, trigger_id="doctor", origin="manual", requested_at=datetime.now(UTC).replace(microsecond=0)
    )
