"""An environment's settings on AWS: the file `deploy/aws/environments/ENV.toml`, and values from the environment.

    region = "eu-west-3"                  # default: AWS_REGION or the profile's
    keep   = ["EmitterExternalId"]        # secret parameters whose values stay as they are

    [parameters]                          # parameters of template.yaml; all others get their defaults
    PipelineArns = ["arn:aws:sagemaker:eu-west-3:123456789012:pipeline/churn-training"]

    [monitor]                             # parameters of deploy/aws/monitor.yaml

A secret is never in the file: the variable `PARAMETER_<Name>` gives it, as it may give every other parameter;
`MONITOR_PARAMETER_<Name>` gives one of the monitor's. An empty variable gives nothing.
"""

import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from functions.cli.deployment.errors import SettingsError
from shared.config.tables import meant
from shared.config.unreadable import reading_problem, syntax_problem

ENVIRONMENTS: Final = ("dev", "staging", "prod")
# Names of variables that give a parameter: PARAMETER_EmitterExternalId.
PREFIX: Final = "PARAMETER_"
MONITOR_PREFIX: Final = "MONITOR_PARAMETER_"
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_TABLES: Final = ("parameters", "monitor", "tags")
_TEXTS: Final = ("region", "stack", "bucket", "role")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an environment.

    Attributes:
        environment: dev, staging or prod.
        stack: the stack's name.
        region: the region; empty: what the AWS SDK finds.
        bucket: the bucket for bundles and templates; empty: `retrain-bundles-ACCOUNT-REGION`.
        role: the role that CloudFormation works with; empty: the rights of the credentials that deploy.
        keep: the secret parameters that keep their values.
        parameters: values for the parameters of template.yaml, by name.
        monitor: values for the parameters of monitor.yaml, by name.
        tags: tags of the stack, beside `application` and `environment`.
        in_file: the names of the parameters whose values are written in the file.

    """

    environment: str
    stack: str
    region: str = ""
    bucket: str = ""
    role: str = ""
    keep: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    monitor: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    in_file: frozenset[str] = frozenset()


def read_settings(environment: str, folder: Path, variables: Mapping[str, str] = os.environ) -> Settings:
    """Read `folder/ENVIRONMENT.toml`, which may be absent, and what *variables* give beside it.

    `PARAMETERS` holds `NAME=value NAME="a value"`, quoted as in a shell; `PARAMETER_<Name>` holds one value. A value in
    a variable wins over the file.

    Raises:
        SettingsError: the file or a variable is wrong; lists every problem.

    """
    path = folder / f"{environment}.toml"
    if environment not in ENVIRONMENTS:
        raise SettingsError(environment, [f"is not a valid environment: {', '.join(ENVIRONMENTS)}"])
    found = _document(path)
    known = (*_TABLES, *_TEXTS, "keep")
    problems = [f"{name}: is not a known key{meant(name, known)}" for name in found if name not in known]
    texts = {name: _text(name, found.get(name, ""), problems) for name in _TEXTS}
    tables = {name: _table(name, found.get(name, {}), problems) for name in _TABLES}
    keep = found.get("keep", [])
    if not (isinstance(keep, list) and all(isinstance(name, str) for name in keep)):
        problems.append("keep: must be a list of names of parameters")
        keep = []
    stack = texts["stack"] or f"retrain-{environment}"
    if not _STACK_NAME.fullmatch(stack):
        problems.append(f"stack: {stack!r} is not a valid name: letters, digits and hyphens, 100 at most")
    given = _from_variables(variables, problems)
    if problems:
        raise SettingsError(str(path), problems)
    return Settings(
        environment=environment,
        stack=stack,
        region=texts["region"],
        bucket=texts["bucket"],
        role=texts["role"],
        keep=frozenset(keep) - set(given),
        parameters={**tables["parameters"], **given},
        monitor={**tables["monitor"], **_prefixed(variables, MONITOR_PREFIX)},
        tags=tables["tags"],
        in_file=frozenset({**tables["parameters"], **tables["monitor"]}),
    )


def _document(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), [reading_problem(path, error)]) from error
    except ValueError as error:
        raise SettingsError(str(path), [syntax_problem(error)]) from error


def _text(place: str, value: object, problems: list[str]) -> str:
    if isinstance(value, str):
        return value
    problems.append(f"{place}: must be a string, not {value!r}")
    return ""


def _table(name: str, value: object, problems: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        problems.append(f"{name}: must be a table")
        return {}
    return {key: _value(f"{name}.{key}", item, problems) for key, item in value.items()}


def _value(place: str, value: object, problems: list[str]) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int():
            return str(value)
        case list() if all(isinstance(item, str) and "," not in item for item in value):
            return ",".join(value)
    problems.append(f"{place}: must be a string, a whole number, a boolean or a list of strings, not {value!r}")
    return ""


def _from_variables(variables: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    try:
        words = shlex.split(variables.get("PARAMETERS", ""))
    except ValueError as error:
        problems.append(f"PARAMETERS: {error}")
        words = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isalnum():
            problems.append(f"PARAMETERS: {word!r} is not of the form NAME=value; quote values with spaces")
        given[name] = value
    return given | _prefixed(variables, PREFIX)


def _prefixed(variables: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in variables.items() if name.startswith(prefix) and value}
