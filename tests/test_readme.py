"""The README against the project: what it shows parses, what it names exists, what it calls answers so."""

import argparse
import base64
import dataclasses
import json
import re
import shlex
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest

from functions.local.server import serve
from functions.local.wiring import ROOT, local_cloud
from shared.config.file import SIGNALS, parse_configuration
from shared.config.targets import Target
from shared.decision.policy import ARRIVAL
from shared.errors import ConfigError
from shared.http.routes import ROUTES
from shared.trigger import FIELDS
from shared.wire import eventbridge, eventgrid, pubsub
from shared.wire.incoming import TriggerEvent
from tests.deploy.template import read_template

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
# The codes stand in the code as the reason of a verdict, or of a line in the history.
REASON = re.compile(r'reason="([a-z_]+)"')
DEFAULT_PORT = "http://127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    """Return the code blocks in *language*."""
    return [text for kind, text in BLOCKS if kind == language]


def section(title: str) -> str:
    """Return the text under the second-level heading *title*."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def column(text: str, number: int = 0) -> list[str]:
    """Return what stands in backquotes first in a column of the tables in *text*."""
    rows = [row.strip("|").split("|") for row in text.splitlines() if row.startswith("| ")]
    return [found[1] for row in rows if (found := re.match(r"\s*`([^`]+)`", row[number]))]


def sources() -> str:
    """Return all code of the core and of the clouds."""
    files = [file for folder in ("shared", "functions") for file in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def reasons(*files: str) -> set[str]:
    """Return the reason codes that *files* of the core give."""
    return {code for file in files for code in REASON.findall((ROOT / "shared" / file).read_text(encoding="utf-8"))}


@pytest.mark.parametrize("text", blocks("toml"))
def test_every_configuration_that_is_shown_is_valid(text: str) -> None:
    """Whoever copies a configuration out of the README gets no complaint."""
    assert parse_configuration(text, source="README.md", folder=ROOT).models


def test_the_smallest_configuration_has_three_lines() -> None:
    """The first configuration is the one of three lines that the text promises."""
    assert len(blocks("toml")[0].splitlines()) == 3


def test_the_keys_of_a_model_and_their_defaults_are_those_of_the_code() -> None:
    """The table has every key of a model, with the default that a model without the key shows."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ", section("Configuration").partition("`kind`")[0], re.MULTILINE)
    with pytest.raises(ConfigError) as caught:
        parse_configuration('[models."m"]\nnone = 1', source="x", folder=ROOT)
    known = next(problem for problem in caught.value.problems if ".none: " in problem).partition("it knows ")[2]
    assert {key for key, _ in rows} == {*known.split(", "), "target"}
    given = [f"{key} = {value.strip('`')}" for key, value in rows if value.startswith("`")]
    target = "target.local = { kind = 'command', command = ['x'] }"
    spelt, left_out = (
        parse_configuration("\n".join(['[models."m"]', *lines, target]), source="x", folder=ROOT).models
        for lines in (given, [])
    )
    assert spelt == left_out
    assert len(given) == 9


def test_the_targets_are_those_of_the_code() -> None:
    """The table of targets has every kind, and its keys."""
    table = section("Configuration").partition("`kind`")[2].partition("### ")[0]
    rows = re.findall(r'^\| `(\w+)` \| `"(\w+)"` \|', table, re.MULTILINE)
    assert {(key, kind) for key, kind in rows} == {
        (key, target.kind)
        for target in get_args(Target)
        for key in (field.name for field in dataclasses.fields(target))
    }


@pytest.mark.parametrize("text", blocks("json"))
def test_every_json_block_is_a_json_object(text: str) -> None:
    """What is shown as JSON is JSON."""
    assert isinstance(json.loads(text), dict)


def test_the_events_that_are_shown_are_read_as_ours() -> None:
    """Both events come through the codec as requests for a training, with an id that the text explains."""
    events = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", section("Events it reads"), re.DOTALL)]
    asked = [eventbridge.decode(event, "ml3_platform") for event in events]
    assert [type(one) for one in asked] == [TriggerEvent, TriggerEvent]
    assert [one.trigger_id for one in asked if isinstance(one, TriggerEvent)] == [f"ml3_platform:{events[0]['id']}", ""]
    assert set(events[1]["detail"]) <= {*FIELDS, "schema"}


def test_the_fields_of_a_trigger_are_those_of_the_code() -> None:
    """The table of fields has all of them, in their order on the wire or another."""
    assert sorted(column(section("Events it reads").partition("**native signal**")[0])) == sorted(FIELDS)


def test_the_signals_are_those_of_the_code() -> None:
    """The table of signals has every kind that a configuration may name."""
    told = [entry.partition(":")[0] for entry in column(section("Events it reads").partition("**native signal**")[2])]
    assert sorted(told) == sorted(SIGNALS)


def test_the_events_of_the_other_clouds_are_read_as_ours() -> None:
    """The message shown for Pub/Sub and the event shown for Event Grid come through their codecs as requests."""
    (message,) = re.findall(r"```json\n(.*?)```", section("On Google Cloud"), re.DOTALL)
    push = {"message": {"data": base64.b64encode(message.encode()).decode(), "messageId": "1"}, "subscription": "s"}
    (event,) = re.findall(r"```json\n(.*?)```", section("On Azure"), re.DOTALL)
    for asked in (pubsub.decode(push, "ml3_platform"), eventgrid.decode(json.loads(event), "ml3_platform")):
        assert isinstance(asked, TriggerEvent)
        assert asked.fields["model_id"] == "churn"


def test_the_rule_pattern_is_that_of_the_template() -> None:
    """The pattern under "On AWS" is what the rule for triggers has with the default parameters."""
    shown = re.findall(r"```json\n(.*?)```", section("On AWS"), re.DOTALL)
    rule = read_template({"PipelineArns": ""}).sources("EventBridgeRule")["ReceiveFunctionTriggers"]
    assert [json.loads(text) for text in shown] == [rule.properties["Pattern"]]


def test_the_parameters_of_the_template_are_all_there() -> None:
    """The table under "On AWS" has every parameter of the template with its default."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ", section("On AWS"), re.MULTILINE)
    words = {"empty": ""}
    assert {name: words.get(default, default.strip("`")) for name, default in rows} == {
        name: None if default is None else str(default)
        for name, default in (
            (name, declared.get("Default")) for name, declared in read_template({"PipelineArns": ""}).parameters.items()
        )
    }


def test_the_targets_of_make_that_are_named_exist() -> None:
    """Every `make X` of the README is a target of the Makefile, and every target of `make help` is in the README."""
    code = "\n".join([*re.findall(r"`([^`\n]+)`", README), *blocks("sh")])
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    listed = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert named <= listed
    assert listed - {"build-aws"} <= named


def test_the_variables_are_those_that_the_code_reads() -> None:
    """The table of the environment is complete, and names nothing that the code does not read."""
    read = set(re.findall(r'variables\.get\("(RETRAIN_[A-Z_]+)"', sources()))
    assert set(column(section("Environment"))) == read


def test_the_requests_are_the_routes_of_the_api() -> None:
    """The table of the HTTP API has every route with its method, and no other."""
    named = {request.partition("?")[0] for request in column(section("HTTP API"))}
    assert named == {f"{method} {path}" for path, methods in ROUTES.items() for method in methods}


def test_the_reason_codes_are_those_of_the_code() -> None:
    """The table of decisions and the sentence below it have every code that the core gives, and no other."""
    text = section("Decisions")
    later = re.findall(r"`(superseded|not_approved)`", text)
    given = reasons("policy.py", "lifecycle.py", "receive.py")
    assert {*column(text, 1), *later} == given


def test_the_decisions_stand_in_the_order_of_the_rules() -> None:
    """The table goes through the rules as they are tried."""
    in_code = (ROOT / "shared" / "policy.py").read_text(encoding="utf-8")
    order = [
        code
        for rule in ARRIVAL
        for code in REASON.findall(in_code.partition(f"def {rule.__name__}(")[2].partition("\n\n\n")[0])
    ]
    assert column(section("Decisions"), 1) == ["ignored", "rejected", *order, "launched"]


def headings(path: Path) -> set[str]:
    """Return the headings of a page as links spell them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "deploy/README.md", "functions/monitor/README.md"])
def test_the_links_lead_somewhere(page: str) -> None:
    """Every link within the project leads to a file, and to a heading in it where it names one."""
    path = ROOT / page
    links = re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    for link in [link for link in links if "://" not in link]:
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not heading or heading in headings(target), link


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The local cloud with the project's own configuration, on a free port; nothing trains."""
    (tmp_path / "retrain.toml").write_bytes((ROOT / "retrain.toml").read_bytes())
    cloud = local_cloud({"RETRAIN_CONFIG": str(tmp_path / "retrain.toml")})
    server = serve(cloud.emitter, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    # The server closes its sockets in its own thread; if that was awake there is nobody left to wake.
    with suppress(OSError):
        server.trigger.pull_trigger(server.close)
    thread.join()
    server.task_dispatcher.shutdown()
    cloud.bus.close()


def curl(arguments: list[str]) -> tuple[int, Any]:
    """Do what curl does with *arguments*; an option that this does not know is an error."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    parser.add_argument("url")
    options = parser.parse_args(arguments)
    headers = dict(header.split(": ", 1) for header in options.headers)
    data = options.data.encode() if options.data is not None else None
    request = urllib.request.Request(options.url, data=data, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_curl_examples_answer_as_they_say(url: str) -> None:
    """Sent one after the other to a real server, each example gets the status, and the body, of the line above it."""
    examples = re.findall(r"^# (\d{3})([^\n]*)\ncurl ([^\n]+)$", section("HTTP API"), re.MULTILINE)
    assert len(examples) == section("HTTP API").count("\ncurl ") == 4
    for status, told, line in examples:
        answered, body = curl(shlex.split(line.replace(DEFAULT_PORT, url)))
        assert answered == int(status), line
        if told.strip().startswith("{"):
            assert body == json.loads(told), line
