"""The tables of the pages equal the code: nothing is missing from them, and nothing else is in them."""

import json
import logging
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from functions.local.metrics import Metrics
from shared import errors
from shared.api import ROUTES
from shared.config.drift import DriftCheck
from shared.config.file import SIGNALS, parse_configuration
from shared.config.follow_ups import NOTIFY_ON
from shared.config.quality import QualityCheck
from shared.config.targets import Target
from shared.decision.policy import ARRIVAL
from shared.decision.reasons import Reason
from shared.decision.state import ModelState
from shared.errors import ConfigError, RetrainError
from shared.http.views import details
from shared.notice import EVENTS, MONITOR_EVENTS, Notice, notice_title
from shared.trigger import FIELDS
from tests.core.deployment import Deployment
from tests.deploy.template import read_template
from tests.docs.pages import NAMES, ROOT, page_of, table_with

# The codes are in the code as the reason of a verdict, or of a line in the history.
REASON = re.compile(r'reason="([a-z_]+)"')
LOGGED = re.compile(r'\blog\.(info|warning|error|exception)\(\s*"([a-z]+\.[a-z_]+)"')
VARIABLE = re.compile(r"RETRAIN_[A-Z_]+[A-Z]")
MINIMAL = '[models."m"]\ntarget.local = { kind = "command", command = ["x"] }'


def code(*folders: str) -> str:
    """Return all Python code in *folders*."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    # The files that the command line writes for its users do not count.
    files = [file for file in files if "templates" not in file.parts]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def default_of(cell: str) -> str | None:
    """Return what a cell says of a default; none where the value is required."""
    return None if cell == "required" else "" if cell == "empty" else cell.strip("`")


def test_the_keys_of_a_model_and_their_defaults() -> None:
    """The table has every key of a model, with the default that a model without the key has."""
    table = table_with('key of models."NAME"', "default", "meaning")
    with pytest.raises(ConfigError) as caught:
        parse_configuration('[models."m"]\nnone = 1', source="x", folder=ROOT)
    known = next(problem for problem in caught.value.problems if ".none: " in problem).rpartition("valid keys: ")[2]
    assert set(table.column()) == {*known.split(", "), "target"}
    given = [
        f"{key} = {row[1].strip('`')}" for key, row in zip(table.column(), table.rows, strict=True) if "`" in row[1]
    ]
    first, rest = MINIMAL.split("\n")
    spelt = parse_configuration("\n".join([first, *given, rest]), source="x", folder=ROOT)
    assert spelt.models == parse_configuration(MINIMAL, source="x", folder=ROOT).models
    assert len(given) == 13


def test_the_keys_of_the_targets() -> None:
    """The table has every kind of target, and its keys."""
    table = table_with("key of a target", "kind", "on", "meaning")
    assert {*zip(table.column(), table.column(1), strict=True)} == {
        (field.name, f'"{target.kind}"') for target in get_args(Target) for field in fields(target)
    }


def test_the_default_notices() -> None:
    """The table says which notices are sent where the configuration does not."""
    table = table_with("key", "default", "meaning", page="docs/configuration.md")
    defaults = dict(zip(table.column(), table.column(1), strict=True))
    assert json.loads(defaults["notify.on"]) == list(NOTIFY_ON)


def test_the_keys_of_a_drift_check() -> None:
    """The table has every key of a model's `drift` table."""
    table = table_with("key", "meaning", "default", page="docs/monitor.md")
    assert set(table.codes()) == {field.name for field in fields(DriftCheck)}


def test_the_keys_of_a_quality_check() -> None:
    """The table has every key of a model's `quality` table."""
    table = table_with("quality key", "meaning", "default", page="docs/monitor.md")
    assert set(table.codes()) == {field.name for field in fields(QualityCheck)}


def test_the_environment_variables() -> None:
    """The table has every variable that the code reads, and no other."""
    read = set(re.findall(r'(?:variables|environ)\.get\("(RETRAIN_[A-Z_]+)"', code("shared", "functions")))
    assert set(table_with("name", "meaning", "default").column()) == read


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_a_page_names_is_in_the_code(name: str) -> None:
    """No page names a variable of ours that nothing reads or sets."""
    known = set(VARIABLE.findall(code("shared", "functions", "examples")))
    named = {found for found in VARIABLE.findall(page_of(name).text) if not found.startswith("RETRAIN_PARAM")}
    assert named <= known


def test_the_fields_of_a_trigger() -> None:
    """The table has all fields, in their order."""
    assert table_with("field", "rule").column() == list(FIELDS)


def test_the_signals() -> None:
    """The table has every kind of signal that a configuration may name, in the same order."""
    assert [entry.partition(":")[0] for entry in table_with("signal", "means", "counts as").column()] == list(SIGNALS)


def test_the_requests_of_the_api() -> None:
    """The table has every route with its method, and no other."""
    named = {request.partition("?")[0] for request in table_with("request", "response").column()}
    assert named == {f"{method} {path}" for path, methods in ROUTES.items() for method in methods}


def test_what_the_api_shows_of_a_model() -> None:
    """The table has every name of the object, in its order."""
    (model,) = parse_configuration(MINIMAL, source="x", folder=ROOT).models
    assert table_with("name", "meaning").column() == list(details("m", model, "local", ModelState(), datetime.now(UTC)))


def test_the_reason_codes() -> None:
    """The three tables of decisions have every code that the core has, and no other."""
    arriving, later = table_with("decision", "reason", "when"), table_with("later decision", "reason", "when")
    steering = [
        name for row in table_with("steering", "reason", "when").rows for name in row[1].strip("`").split("`, `")
    ]
    assert {*arriving.column(1), *later.column(1), *steering} == set(get_args(Reason))


def test_the_decisions_are_in_the_order_of_the_rules() -> None:
    """The table goes through the rules as they are tried."""
    rules = (ROOT / "shared" / "decision" / "policy.py").read_text(encoding="utf-8")
    order = [
        reason
        for rule in ARRIVAL
        for reason in REASON.findall(rules.partition(f"def {rule.__name__}(")[2].partition("\n\n\n")[0])
    ]
    assert table_with("decision", "reason", "when").column(1) == ["ignored", "rejected", *order, "launched"]


def test_the_log_events() -> None:
    """The table has every event that is logged, with its level, and no other."""
    table = table_with("event", "level", "means", "do")
    levels = {"exception": "error"}
    logged = {(name, levels.get(level, level)) for level, name in LOGGED.findall(code("shared", "functions"))}
    assert {(name, row[1]) for name, row in zip(table.column(), table.rows, strict=True)} == logged


def test_the_errors() -> None:
    """The table has every kind of error that the core raises."""
    defined = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RetrainError)]
    assert set(table_with("error", "means", "the event").column()) == {
        kind.__name__ for kind in defined if not kind.__subclasses__() or kind.__name__ in ("ConfigError", "BusError")
    }


def test_the_messages() -> None:
    """The table has every message to people, word for word."""
    at = datetime.now(UTC)
    table = table_with("message", "event", "do")
    shown = {(row[0], event) for row, event in zip(table.rows, table.column(1), strict=True)}
    ends = {"ended": ["succeeded"], "failed": ["failed", "stopped", "gone"]}
    assert shown == {
        (notice_title(Notice(event=event, cloud="", at=at, model_id="NAME", result=result)), event)
        for event in (*EVENTS, *MONITOR_EVENTS)
        for result in ends.get(event, [""])
    }


def test_the_parameters_of_the_aws_template() -> None:
    """The table has every parameter of the template with its default."""
    table = table_with("parameter", "default", "meaning", page="docs/aws.md")
    declared = read_template({"PipelineArns": ""}).parameters
    assert {name: default_of(row[1]) for name, row in zip(table.column(), table.rows, strict=True)} == {
        name: None if "Default" not in entry else str(entry["Default"]) for name, entry in declared.items()
    }


def test_the_parameters_of_the_monitor_on_aws() -> None:
    """The table has every parameter that only the monitor's template has, with its default."""
    table = table_with("parameter of the monitor", "default", "meaning", page="docs/aws.md")
    connected = ("EventBusArn", "LedgerTable", "UndeliveredQueueArn")
    given = dict.fromkeys((*connected, "MonitorImageUri", "MonitorSiteBucket"), "")
    declared = read_template(given, ROOT / "deploy" / "aws" / "monitor.yaml").parameters
    own = set(declared) - set(read_template({}).parameters) - set(connected)
    assert {name: default_of(row[1]) for name, row in zip(table.column(), table.rows, strict=True)} == {
        name: None if "Default" not in declared[name] else str(declared[name]["Default"]) for name in own
    }


def test_the_variables_of_the_google_deployment() -> None:
    """The table has every variable of Terraform with its default."""
    table = table_with("variable", "default", "meaning", page="docs/gcp.md")
    text = (ROOT / "deploy" / "gcp" / "variables.tf").read_text(encoding="utf-8")
    declared = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE)
    defaults = {name: re.search(r"^  default +=(.*)$", body, re.MULTILINE) for name, body in declared}
    assert {name: default_of(row[1]) for name, row in zip(table.column(), table.rows, strict=True)} == {
        name: found and found[1].strip().strip('"').replace("[]", "") for name, found in defaults.items()
    }


def test_the_parameters_of_the_azure_template() -> None:
    """The table has every parameter of the template, with its default where that is a value."""
    table = table_with("parameter", "default", "meaning", page="docs/azure.md")
    declared = json.loads((ROOT / "deploy" / "azure" / "azuredeploy.json").read_text(encoding="utf-8"))["parameters"]
    shown = {name: default_of(row[1]) for name, row in zip(table.column(), table.rows, strict=True)}
    assert set(shown) == set(declared)
    values = {name: entry["defaultValue"] for name, entry in declared.items() if "defaultValue" in entry}
    assert {name for name, default in shown.items() if default is None} == set(declared) - set(values)
    for name, value in values.items():
        if not str(value).startswith("["):
            assert shown[name] == ("" if value in ("", {}) else json.dumps(value).strip(chr(34))), name


def test_the_alarms() -> None:
    """The table has every alarm of the three deployments, and no other."""
    table = table_with("alarm", "on", "means", "do")
    shown = {
        cloud: {row[0].strip("`") for row in table.rows if row[1] == cloud} for cloud in {row[1] for row in table.rows}
    }
    google = re.findall(
        r"^    (\w+) += \"Events", (ROOT / "deploy/gcp/bus.tf").read_text(encoding="utf-8"), re.MULTILINE
    )
    azure = json.loads((ROOT / "deploy" / "azure" / "azuredeploy.json").read_text(encoding="utf-8"))["resources"]
    metrics = [resource["copy"]["name"] for resource in azure if resource["type"] == "Microsoft.Insights/metricAlerts"]
    alerts = (ROOT / "deploy/gcp/metrics.tf").read_text(encoding="utf-8")
    trainings = re.findall(r'display_name += "retrain \$\{var.environment\}: (.+)"', alerts)
    rules = [
        resource["name"].partition("{0}-")[2].partition("'")[0]
        for resource in azure
        if resource["type"] == "Microsoft.Insights/scheduledQueryRules"
    ]
    assert shown == {
        "AWS": set(read_template({"PipelineArns": ""}).of_type("AWS::CloudWatch::Alarm")),
        "Google Cloud": {*(f"{name} triggers" for name in google), *trainings},
        "Azure": {*metrics, *rules},
    }


def test_the_metrics() -> None:
    """The table has every metric with its dimensions on each cloud, and all have the same ones."""
    table = table_with("metric", "dimensions", "AWS", "Google Cloud", "Azure", "this machine")
    cells = [[re.findall(r"`([^`]+)`", cell) for cell in row[1:]] for row in table.rows]
    columns: dict[str, dict[str, set[str]]] = {
        cloud: {row[place][0].removeprefix("retrain-ENV/"): set(row[0]) for row in cells}
        for place, cloud in enumerate(("aws", "gcp", "azure", "local"), start=1)
    }
    words = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in columns["aws"]]
    assert words == list(columns["gcp"]) == [name.removeprefix("retrain_") for name in columns["azure"]]
    assert words == [name.removeprefix("retrain_").removesuffix("_total") for name in columns["local"]]
    assert columns == {"aws": _metrics_of_aws(), "gcp": _metrics_of_google(), "azure": _metrics_of_azure(), **_local()}


def _metrics_of_aws() -> dict[str, set[str]]:
    template = read_template({"PipelineArns": ""})
    made = [each["MetricTransformations"][0] for each in template.of_type("AWS::Logs::MetricFilter").values()]
    functions = template.of_type("AWS::Serverless::Function").values()
    names = {each["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] for each in functions}
    assert names == {each["MetricNamespace"] for each in made}
    counted = (ROOT / "functions/aws/wiring.py").read_text(encoding="utf-8")
    (decisions,) = re.findall(r'single_metric\(name="(\w+)"', counted)
    found = {each["MetricName"]: {one["Key"] for one in each.get("Dimensions", ())} for each in made}
    assert found.pop("FailedTrainings") == set()
    return found | {decisions: set(re.findall(r'add_dimension\(name="(\w+)"', counted))}


def _metrics_of_google() -> dict[str, set[str]]:
    text = (ROOT / "deploy/gcp/metrics.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'^resource "google_logging_metric".*?^}', text, re.DOTALL | re.MULTILINE)
    names = [re.findall(r'name += "retrain-\$\{var.environment\}/(\w+)"', block)[0] for block in blocks]
    return {name: set(re.findall(r'key += "(\w+)"', block)) for name, block in zip(names, blocks, strict=True)}


def _metrics_of_azure() -> dict[str, set[str]]:
    resources = json.loads((ROOT / "deploy/azure/azuredeploy.json").read_text(encoding="utf-8"))["resources"]
    (workbook,) = (each for each in resources if each["type"] == "Microsoft.Insights/workbooks")
    items = json.loads(workbook["properties"]["serializedData"])["items"]
    queries = [item["content"]["query"].partition("summarize ")[2] for item in items]
    return {query.partition(" =")[0]: set(re.findall(r"tostring\(line\.(\w+)\)", query)) for query in queries}


def _local() -> dict[str, dict[str, set[str]]]:
    metrics = Metrics()
    log = logging.getLogger("retrain.test_tables")
    log.setLevel(logging.INFO)
    log.addHandler(metrics)
    log.info("retrain.decided", extra={"decision": "launch", "reason": "launched"})
    log.info("retrain.ended", extra={"result": "failed", "seconds": 1.0})
    log.info("retrain.schedules_evaluated")
    lines = metrics.text(Deployment().emitter).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    samples = {line for line in lines if not line.startswith("#")}
    return {
        "local": {
            name: {label for line in samples if line.startswith(name) for label in re.findall(r'(\w+)="', line)}
            for name in names
        }
    }


def test_the_rooms_of_the_code() -> None:
    """The table has every folder of the core and of the functions, and nothing that is not there."""
    shown = set(table_with("room", "holds").codes())
    rooms = {
        path.parent.relative_to(ROOT).as_posix()
        for folder in ("shared", "functions")
        for path in (ROOT / folder).glob("*/__init__.py")
    }
    assert rooms <= shown
    assert [room for room in shown if not Path(ROOT / room).exists()] == []


def test_the_pattern_of_the_rule() -> None:
    """The pattern that is shown is that of the rule for triggers with the default parameters."""
    shown = [json.loads(block.text) for block in page_of("docs/events.md").blocks("json")]
    rule = read_template({"PipelineArns": ""}).sources("EventBridgeRule")["ReceiveFunctionTriggers"]
    assert rule.properties["Pattern"] in shown
