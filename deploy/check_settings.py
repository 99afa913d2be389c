"""`python deploy/check_settings.py [ROOT]`: checks the settings of all environments that are there, in a second.

The tests of this project never look at an environment's values; this is what does. Every problem is one line,
`FILE: NAME: what is wrong`, and the exit code is 1 if there is one.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2

sys.path.insert(0, str(Path(__file__).parents[1]))

from functions.cli.deployment.aws.settings import ENVIRONMENTS, read_settings
from functions.cli.deployment.errors import SettingsError

# A parameter of template.yaml or monitor.yaml: its name, and all that is declared of it.
AWS_PARAMETER = re.compile(r"^  (\w+):\n((?:    .*\n|  +#.*\n)+)", re.MULTILINE)


def problems(root: Path) -> Iterator[str]:
    """Yield what is wrong with the settings below `root/deploy/CLOUD/environments`, one line each."""
    for check, folder, suffix in (
        (_aws, "aws", ".toml"),
        (_google, "gcp", ".tfvars"),
        (_azure, "azure", ".parameters.json"),
    ):
        for environment in ENVIRONMENTS:
            path = root / "deploy" / folder / "environments" / f"{environment}{suffix}"
            if path.is_file():
                name = path.relative_to(root)
                yield from (f"{name}: {problem}" for problem in check(root, path, environment))


def _aws(root: Path, path: Path, environment: str) -> Iterator[str]:
    try:
        # Values that the environment gives are judged when it is deployed.
        settings = read_settings(environment, path.parent, {})
    except SettingsError as error:
        yield from error.problems
        return
    main, monitor = _aws_parameters(root / "template.yaml"), _aws_parameters(root / "deploy" / "aws" / "monitor.yaml")
    for values, declared in ((settings.parameters, main), (settings.monitor, monitor)):
        for name, value in values.items():
            if name not in declared:
                yield f"{name}: the template has no such parameter"
            elif "NoEcho: true" in declared[name]:
                yield f"{name}: is secret and must not be in a file: set the variable PARAMETER_{name}"
            elif not _matches(declared[name], value):
                yield f"{name}: {value!r} does not match what the template allows"
    yield from (f"keep: {name}: the template has no such parameter" for name in sorted(settings.keep - set(main)))
    if environment == "prod" and settings.parameters and not settings.parameters.get("AlarmTopicArn"):
        yield "AlarmTopicArn: prod needs an SNS topic that people read, or dead letters go unnoticed"
    yield from _configuration(root, settings.parameters.get("Configuration", "retrain.toml"))


def _aws_parameters(template: Path) -> dict[str, str]:
    declared = re.search(r"^Parameters:\n(.*?)^\w", template.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return dict(AWS_PARAMETER.findall(declared[1] if declared else ""))


def _matches(declared: str, value: str) -> bool:
    pattern = re.search(r"^    AllowedPattern: (.+)$", declared, re.MULTILINE)
    # Of a list, CloudFormation checks each item.
    items = value.split(",") if "Type: CommaDelimitedList" in declared else [value]
    return pattern is None or all(re.fullmatch(pattern[1], item) for item in items)


def _google(root: Path, path: Path, environment: str) -> Iterator[str]:
    try:
        given = plain(hcl2.loads(path.read_text(encoding="utf-8")))
    except Exception as error:  # noqa: BLE001 - the parser raises errors of several libraries
        yield f"cannot be read: {str(error).splitlines()[0]}"
        return
    text = (root / "deploy" / "gcp" / "variables.tf").read_text(encoding="utf-8")
    declared = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE))
    needed = [name for name, body in declared.items() if not re.search(r"^  default +=", body, re.MULTILINE)]
    yield from _named(given, declared, needed, environment)
    if environment == "prod" and not (given.get("alert_emails") or given.get("notification_channels")):
        yield "alert_emails: prod needs an address or notification_channels, or dead letters go unnoticed"
    yield from _configuration(root, given.get("configuration", "retrain.toml"))


def _azure(root: Path, path: Path, environment: str) -> Iterator[str]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        given = {name: entry.get("value", entry.get("reference")) for name, entry in document["parameters"].items()}
    except (ValueError, KeyError, AttributeError, TypeError):
        yield "is not a parameters file: it needs `parameters`, with a `value` each"
        return
    declared = json.loads((root / "deploy" / "azure" / "azuredeploy.json").read_text(encoding="utf-8"))["parameters"]
    needed = [name for name, entry in declared.items() if "defaultValue" not in entry]
    yield from _named(given, declared, needed, environment)
    for name, entry in declared.items():
        allowed = entry.get("allowedValues")
        if name in given and allowed and given[name] not in allowed:
            yield f"{name}: {given[name]!r} is not allowed; allowed are {', '.join(map(str, allowed))}"
    if environment == "prod" and not given.get("alertGroup"):
        yield "alertGroup: prod needs an action group that people read, or dead letters go unnoticed"
    yield from _configuration(root, given.get("configuration", "retrain.toml"))


def _named(given: Mapping[str, Any], declared: Mapping[str, Any], needed: list[str], environment: str) -> Iterator[str]:
    yield from (f"{name}: there is no such setting" for name in given if name not in declared)
    yield from (f"{name}: must be given, it has no default" for name in needed if name not in given)
    if given.get("environment", environment) != environment:
        yield f"environment: {given['environment']!r} must be {environment!r}, as the file is called"


def _configuration(root: Path, name: str) -> Iterator[str]:
    if not re.fullmatch(r"retrain(\.[A-Za-z0-9_-]+)?\.toml", name) or not (root / name).is_file():
        yield f"configuration: {name!r} must be a file retrain.toml or retrain.NAME.toml beside the Makefile"


def plain(value: Any) -> Any:  # noqa: ANN401 - values of Terraform may be anything
    """Return *value* without what the parser adds to it: quotation marks, and keys of its own."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if not re.fullmatch(r"__\w+__", str(key))}
    if isinstance(value, list):
        return [plain(item) for item in value]
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])))
    sys.stderr.write("".join(f"{problem}{os.linesep}" for problem in found))
    sys.exit(1 if found else 0)
