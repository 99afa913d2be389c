"""The parameters of a change set: every one that the template declares, by value.

CloudFormation keeps the old value of a parameter that a request leaves out, so a value that was taken out of the
settings would stay in force, and a new default would never arrive. Nothing is left out here, therefore.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict, cast

from functions.cli.deployment.errors import SettingsError

# CloudFormation never shows the value of a NoEcho parameter again. Where the parameter beside it is empty, the secret
# has no use and is emptied, too.
SECRET_OF: Final[Mapping[str, str]] = {
    "EmitterExternalId": "EmitterAccount",
    "ForeignBusExternalId": "ForeignBusRoleArn",
}


class Constraints(TypedDict, total=False):
    """The constraints that GetTemplateSummary shows."""

    AllowedValues: list[str]


class Declared(TypedDict, total=False):
    """A parameter as GetTemplateSummary shows it."""

    ParameterKey: str
    DefaultValue: str
    NoEcho: bool
    ParameterConstraints: Constraints


class Sent(TypedDict, total=False):
    """A parameter as CreateChangeSet takes it."""

    ParameterKey: str
    ParameterValue: str
    UsePreviousValue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where values of parameters come from.

    Attributes:
        source: the name of the settings, for messages.
        values: the values of the settings, by name.
        keep: the secret parameters that keep their values.
        deployed: the names of the parameters that the stack has now; none: there is no stack.

    """

    source: str
    values: Mapping[str, str]
    keep: Collection[str] = ()
    deployed: Collection[str] = ()


def all_parameters(declared: Sequence[Declared], given: Given) -> list[Sent]:
    """Return a value for every declared parameter: the given one, or the default.

    Raises:
        SettingsError: a name is unknown, a value is missing or not allowed, or a secret is neither given nor kept.

    """
    known = {one["ParameterKey"]: one for one in declared}
    problems = [
        f"{name}: the template has no such parameter" for name in sorted({*given.values, *given.keep} - set(known))
    ]
    problems += [
        f"keep: {name} is not a secret parameter; give its value"
        for name in sorted(given.keep)
        if name in known and not known[name].get("NoEcho")
    ]
    sent = [_sent(one, given, problems) for one in declared]
    if problems:
        raise SettingsError(given.source, problems)
    return sent


def _sent(declared: Declared, given: Given, problems: list[str]) -> Sent:
    name = declared["ParameterKey"]
    value = given.values.get(name)
    if value is None and declared.get("NoEcho"):
        if name in given.keep:
            return _kept(name, given, problems)
        if given.deployed and given.values.get(SECRET_OF.get(name, name)):
            problems.append(
                f"{name}: is secret, so its value in the stack cannot be compared: set the variable PARAMETER_{name}, "
                f'or leave the value as it is with keep = ["{name}"]'
            )
    if value is None:
        value = declared.get("DefaultValue")
    if value is None:
        problems.append(f"{name}: must be given, it has no default")
        value = ""
    allowed = declared.get("ParameterConstraints", cast("Constraints", {})).get("AllowedValues")
    if allowed and value not in allowed:
        problems.append(f"{name}: {value!r} is not allowed; allowed are {', '.join(allowed)}")
    return {"ParameterKey": name, "ParameterValue": value}


def _kept(name: str, given: Given, problems: list[str]) -> Sent:
    if name not in given.deployed:
        problems.append(f"keep: the stack has no {name} yet; set the variable PARAMETER_{name} once")
    return {"ParameterKey": name, "UsePreviousValue": True}
