"""Compares the parameters in the configuration with those that a pipeline declares."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from functions.cli.doctor.check import CheckFailedError
from shared.config.model import Model
from shared.decision.terms import filled_parameters
from shared.fields import Parameter, brief
from shared.trigger import RetrainTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A parameter as a pipeline declares it.

    Attributes:
        kind: one of `KINDS`. A parameter of any other kind cannot be set; the kind is shown as it is.
        optional: whether a run can start without a value for it.

    """

    kind: str
    optional: bool


def _is_integer(value: Parameter) -> bool:
    # In Python, a boolean is an integer.
    return not isinstance(value, bool) and str(value).strip().lstrip("+-").isdecimal()


def _is_number(value: Parameter) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return not isinstance(value, bool)


def _is_flag(value: Parameter) -> bool:
    return str(value).lower() in ("true", "false")


# All values are sent as strings, so a string that spells a number is one.
KINDS: Final[Mapping[str, tuple[Callable[[Parameter], bool], str]]] = {
    "text": (lambda _: True, "a string"),
    "integer": (_is_integer, "an integer"),
    "number": (_is_number, "a number"),
    "boolean": (_is_flag, "true or false"),
}


def filled(model: Model) -> Mapping[str, Parameter]:
    """Return the parameters that the pipeline of *model* receives for a trigger with every field set."""
    trigger = dataclasses.replace(_trigger(model), reason="a reason", severity="high", requested_by="a person")
    return filled_parameters(model, trigger)


def sparse(model: Model) -> Mapping[str, Parameter]:
    """Return the parameters that the pipeline of *model* receives for a trigger with only the required fields."""
    return filled_parameters(model, _trigger(model))


def compare(model: Model, declared: Mapping[str, Declared]) -> None:
    """Check that the pipeline of *model* accepts the parameters that it will receive.

    Raises:
        CheckFailedError: it does not; every difference is listed.

    """
    problems = [*_unknown(model, declared), *_unfit(model, declared), *_missing(model, declared)]
    if len(problems) > 1:
        raise CheckFailedError("\n".join([f"{len(problems)} problems", *problems]))
    if problems:
        raise CheckFailedError(problems[0])


def place_of(model: Model, name: str) -> str:
    """Return the place of a parameter in the configuration, for messages."""
    return f'models."{model.name}".parameters.{name}'


def _unknown(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    known = ", ".join(declared) or "none"
    for name in model.parameters:
        if name not in declared:
            yield f"{place_of(model, name)}: the pipeline has no such parameter (it has {known}); remove or rename it"


def _unfit(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    for name, value in filled(model).items():
        if name not in declared or value == "":
            continue
        kind = declared[name].kind
        if kind not in KINDS:
            yield f"{place_of(model, name)}: the pipeline expects {kind} here, which a trigger cannot set; remove it"
        elif not KINDS[kind][0](value):
            yield f"{place_of(model, name)}: the pipeline expects {KINDS[kind][1]}, not {brief(value)}"


def _missing(model: Model, declared: Mapping[str, Declared]) -> Iterator[str]:
    # An empty value leaves the parameter to the pipeline's default.
    given = {name for name, value in sparse(model).items() if value != ""}
    for name, parameter in declared.items():
        if not parameter.optional and name not in given:
            why = "may be empty" if name in model.parameters else "is missing"
            yield f"{place_of(model, name)}: {why}, and the pipeline has no default for it; set it"


def _trigger(model: Model) -> RetrainTrigger:
    return RetrainTrigger(
        model_id=model.name, trigger_id="doctor", origin="manual", requested_at=datetime.now(UTC).replace(microsecond=0)
    )
