"""`emit`, `dry-run`, `models`, `show`, `approve` and `reject` on this machine."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.cli.__main__ import main
from functions.local.bus import SqliteBus
from functions.local.events import decode
from functions.local.wiring import local_cloud
from functions.machine import now
from shared.receive import receive
from shared.training.parts import ReceiverParts
from shared.trigger import RetrainTrigger
from tests.cli.running import run
from tests.fakes.training import MemoryLauncher, TrainingService

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[models."churn"]
default = true
cooldown = "1d"
[models."churn".parameters]
epochs = 8
rate = 0.1
full = false
until = ""
[models."churn".target.local]
kind = "command"
command = ["true"]

[models."fraud"]
approval = true
[models."fraud".target.local]
kind = "command"
command = ["true"]

[models."store-*"]
[models."store-*".target.local]
kind = "command"
command = ["true"]
"""

APPROVED = "approved t-1 of fraud; it starts as soon as nothing holds it back"
REJECTED = "rejected t-1 of fraud; it starts no training"


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a local cloud in a temporary folder."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    return {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": os.environ["PATH"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """That cloud with a training service in memory.

    Attributes:
        bus: its event bus.
        receiver: the parts for deciding and launching.

    """

    bus: SqliteBus
    receiver: ReceiverParts

    def receive(self) -> Mapping[str, object]:
        """Take the next event off the bus, act on it, and return its detail."""
        delivery = self.bus.lease(now(), timedelta(minutes=1))
        assert delivery is not None
        receive(self.receiver, delivery.event, lambda event: decode(event, self.receiver.source))
        self.bus.acknowledge(delivery)
        assert isinstance(delivery.event, dict)
        detail: Mapping[str, object] = delivery.event["detail"]
        return detail


@pytest.fixture
def machine(variables: dict[str, str]) -> Machine:
    """Return that cloud."""
    cloud = local_cloud(variables)
    service = TrainingService(now)
    return Machine(bus=cloud.bus, receiver=replace(cloud.receiver, launcher=lambda _: MemoryLauncher(service)))


def test_as_a_program(variables: dict[str, str], machine: Machine) -> None:
    """`python -m functions.cli emit` prints only the id of the trigger, which is on the bus."""
    command = [
        sys.executable,
        "-m",
        "functions.cli",
        "emit",
        "--cloud",
        "local",
        "--model",
        "churn",
        "--reason",
        "why not",
    ]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    detail = machine.receive()
    assert done.stdout == f"{detail['trigger_id']}\n"
    assert (detail["model_id"], detail["reason"], detail["origin"]) == ("churn", "why not", "manual")


def test_all_options_of_a_trigger(variables: dict[str, str], machine: Machine) -> None:
    """Every field can be set, and parameters are typed unless the configured default is a string."""
    options = ["--severity", "high", "--force", "--id", "week-47"]
    for pair in ("epochs=12", "rate=0.5", "full=true", "until=2012"):
        options += ["--param", pair]
    answer = run("emit", "--cloud", "local", "--json", *options, variables=variables)
    assert json.loads(answer.out) == {"trigger_id": "week-47", "model_id": "churn", "status": "accepted"}
    detail = machine.receive()
    assert detail["parameters"] == {"epochs": 12, "rate": 0.5, "full": True, "until": "2012"}
    assert (detail["severity"], detail["force"], detail["trigger_id"]) == ("high", True, "week-47")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "spam"], "model_id: the configuration has no model 'spam'; it has churn, fraud, store-*\n"),
        (
            ["--param", "layers=2"],
            "parameters.layers: is not a parameter of churn; it allows epochs, rate, full, until\n",
        ),
        (["--param", "rate=1e400"], "parameters.rate: must be a number, not '1e400'\n"),
        (["--param", "epochs=NaN"], "parameters.epochs: must be a whole number of at most 64 bits, not 'NaN'\n"),
        (["--id", "x" * 129], "trigger_id: must have 1 to 128 characters, not 129\n"),
    ],
)
@pytest.mark.parametrize("command", ["emit", "dry-run"])
def test_a_refused_trigger(
    variables: dict[str, str], machine: Machine, command: str, options: list[str], message: str
) -> None:
    """A refusal is one message and the exit code 1, and nothing is sent."""
    answer = run(command, "--cloud", "local", *options, variables=variables)
    assert (answer.code, answer.out, answer.err) == (1, "", message)
    assert machine.bus.size() == 0


def test_a_dry_run_sends_nothing(variables: dict[str, str], machine: Machine) -> None:
    """`dry-run` prints the decision, its reason and an explanation, and sends nothing."""
    command = ["dry-run", "--cloud", "local", "--model", "churn"]
    assert run(*command, variables=variables).out == "launch: launched\n"
    run("emit", "--cloud", "local", "--id", "first", variables=variables)
    machine.receive()
    answer = run(*command, "--id", "first", variables=variables)
    assert answer.out == "skip: duplicate (this trigger was decided before)\n"
    content = json.loads(run(*command, "--json", variables=variables).out)
    assert (content["decision"], content["reason"]) == ("skip", "cooldown")
    assert machine.bus.size() == 0


def test_the_list_of_models(variables: dict[str, str], machine: Machine) -> None:
    """`models` prints a table with a line for each model, including those seen under a pattern; `--json` works, too."""
    run("emit", "--cloud", "local", "--model", "store-7", "--id", "t-7", variables=variables)
    machine.receive()
    head, churn, _fraud, store = run("models", "--cloud", "local", variables=variables).out.splitlines()
    assert head.split("  ")[0] == "MODEL"
    assert churn.split() == ["churn", "idle", *"----"]
    assert store.split()[:4] == ["store-7", "training", "r", "running"]
    assert head.index("STATE") == churn.index("idle") == store.index("training")
    content = json.loads(run("models", "--cloud", "local", "--json", variables=variables).out)
    assert [model["model_id"] for model in content["models"]] == ["churn", "fraud", "store-7"]


def test_one_model(variables: dict[str, str], machine: Machine) -> None:
    """`show` prints everything that `GET /models/{model_id}` has; `--json` has the same."""
    run("emit", "--cloud", "local", "--id", "first", variables=variables)
    machine.receive()
    answer = run("models", "--cloud", "local", "churn", variables=variables)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["model", "churn"]
    assert lines[1].split() == ["state", "training"]
    assert {"running", "trainings", "decisions", "configuration"} <= set(lines)
    assert lines[lines.index("running") + 1].startswith("  first, since")
    content = json.loads(run("models", "--cloud", "local", "churn", "--json", variables=variables).out)
    assert (content["model_id"], content["running"]["trigger_id"]) == ("churn", "first")


def test_a_model_is_positional_and_shown(variables: dict[str, str], machine: Machine) -> None:
    """`show MODEL` prints the page of a model, and MODEL is positional for `emit`, too."""
    run("emit", "churn", "--id", "first", variables=variables)
    machine.receive()
    page = run("show", "churn", variables=variables)
    assert page.code == 0
    assert page.out == run("models", "churn", variables=variables).out
    assert json.loads(run("show", "--model", "churn", "--json", variables=variables).out)["state"] == "training"


@pytest.mark.parametrize("arguments", [["show"], ["show", "churn", "--model", "fraud"]])
def test_the_model_of_show_is_named_once(variables: dict[str, str], arguments: list[str]) -> None:
    """Without a model, or with two, the exit code is 2."""
    answer = run(*arguments, variables=variables)
    assert (answer.code, answer.out) == (2, "")
    assert "model" in answer.err


@pytest.mark.parametrize(("command", "done", "reason"), [("approve", APPROVED, None), ("reject", REJECTED, "x")])
def test_a_waiting_trigger(
    variables: dict[str, str], machine: Machine, command: str, done: str, reason: str | None
) -> None:
    """`approve` starts the training of a waiting trigger, and `reject` drops the trigger."""
    run("emit", "fraud", "--id", "t-1", variables=variables)
    machine.receive()
    assert json.loads(run("show", "fraud", "--json", variables=variables).out)["state"] == "waiting"
    answer = run(command, "fraud", "t-1", variables=variables)
    assert (answer.code, answer.out) == (0, f"{done}\n")
    if reason is None:
        machine.receive()
    state = json.loads(run("show", "fraud", "--json", variables=variables).out)
    assert (state["waiting"], state["state"]) == (None, "idle" if reason else "training")


def test_a_model_is_steered(variables: dict[str, str], machine: Machine) -> None:
    """Pause, resume, cancel and retry are steps in the ledger, on which the server of the folder acts."""
    answer = run("pause", "churn", "--reason", "labels", "--until", "2999-01-01T00:00:00Z", variables=variables)
    assert (answer.code, answer.out) == (0, "paused churn until 2999-01-01T00:00:00Z\n")
    run("emit", "churn", "--id", "t-1", variables=variables)
    assert [machine.receive()["model_id"] for _ in range(2)] == ["churn", "churn"]
    state = json.loads(run("show", "churn", "--json", variables=variables).out)
    assert (state["state"], state["paused"]["reason"], state["queued"]["trigger_id"]) == ("paused", "labels", "t-1")
    answer = run("cancel", "churn", "t-1", variables=variables)
    assert (answer.code, answer.out) == (
        0,
        "cancelled t-1 of churn: it was not running, and is dropped; the model's state is paused\n",
    )
    answer = run("resume", "churn", variables=variables)
    assert (answer.code, answer.out) == (0, "resumed churn; its state is idle\n")
    answer = run("retry", "churn", "t-1", variables=variables)
    assert (answer.code, answer.err) == (1, "trigger_id: the runs of 'churn' do not list 't-1'\n")
    answer = run("pause", "churn", "--until", "yesterday", variables=variables)
    assert (answer.code, answer.err) == (
        1,
        "until: must be an RFC 3339 time such as 2026-12-01T08:00:00Z, not 'yesterday'\n",
    )


def test_the_trace_of_the_environment_is_that_of_the_trigger(variables: dict[str, str], machine: Machine) -> None:
    """As OpenTelemetry's tools set it; an invalid one is ignored."""
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for name, value in (("t-1", traceparent), ("t-2", "none")):
        run("emit", "churn", "--id", name, variables=variables | {"TRACEPARENT": value, "TRACESTATE": "acme=1"})
    first, second = machine.receive(), machine.receive()
    assert (first["traceparent"], first["tracestate"]) == (traceparent, "acme=1")
    assert not {"traceparent", "tracestate"} & set(second)


def test_a_running_training_is_cancelled_and_its_model_paused(variables: dict[str, str], machine: Machine) -> None:
    """Both answers say that the training still runs: it is not over until the service has stopped it."""
    run("emit", "churn", "--id", "t-1", variables=variables)
    machine.receive()
    answer = run("cancel", "churn", "t-1", variables=variables)
    stopping = "stopping the training of t-1 of churn; `retrain show churn` shows how it ended\n"
    assert (answer.code, answer.out) == (0, stopping)
    answer = run("pause", "churn", variables=variables)
    paused = "paused churn until `retrain resume churn`; the training that runs goes on\n"
    assert (answer.code, answer.out) == (0, paused)


def test_a_pattern_cannot_be_steered(variables: dict[str, str], machine: Machine) -> None:
    """The answer names the models that the pattern matches, of which none is paused."""
    answer = run("pause", "store-*", variables=variables)
    none = "model_id: 'store-*' is a pattern, not a model; no model that matches it has been seen; "
    each = "send one request for each model, with its name\n"
    assert (answer.code, answer.err) == (1, f"{none}{each}")
    run("emit", "store-7", variables=variables)
    machine.receive()
    answer = run("pause", "store-*", variables=variables)
    assert answer.err == f"model_id: 'store-*' is a pattern, not a model; it matches 'store-7'; {each}"
    assert json.loads(run("show", "store-7", "--json", variables=variables).out)["paused"] is None


def test_a_pattern_cannot_be_requested(variables: dict[str, str], machine: Machine) -> None:
    """A pattern on the command line is refused, unless an event has named a model so; so is an empty name."""
    for command in ("emit", "dry-run"):
        answer = run(command, "store-*", variables=variables)
        refused = "model_id: 'store-*' is a pattern, not a model; emit one trigger for each model, with its name\n"
        assert (answer.code, answer.out, answer.err) == (1, "", refused)
        empty = run(command, "", variables=variables)
        assert (empty.code, empty.err.startswith("the name of the model is empty")) == (2, True)
    machine.bus.publish([RetrainTrigger(model_id="store-*", trigger_id="t-1", origin="event", requested_at=now())])
    machine.receive()
    assert run("emit", "store-*", "--id", "t-2", variables=variables).out == "t-2\n"


def test_a_problem_as_json(variables: dict[str, str]) -> None:
    """With `--json` a refusal is the problem document of the API on standard output."""
    answer = run("approve", "fraud", "t-1", "--json", variables=variables)
    assert (answer.code, answer.err) == (1, "")
    assert "t-1" in json.loads(answer.out)["detail"]
    invalid = run("models", "--json", "--config", "/nowhere/retrain.toml", variables=variables)
    assert "/nowhere/retrain.toml" in json.loads(invalid.out)["detail"]


def test_an_unknown_model(variables: dict[str, str]) -> None:
    """A model that is not configured is reported."""
    answer = run("models", "--cloud", "local", "spam", variables=variables)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "model_id: the configuration has no model 'spam'; it has churn, fraud, store-*\n"


def test_control_characters_are_replaced(variables: dict[str, str], machine: Machine) -> None:
    """Unprintable characters in a trigger's id are replaced in the output."""
    run("emit", "--cloud", "local", "--id", "a\x1b[2Jb", variables=variables)
    machine.receive()
    answer = run("models", "--cloud", "local", "churn", variables=variables)
    assert "\x1b" not in answer.out
    assert "a?[2Jb" in answer.out


def test_an_unreadable_configuration(variables: dict[str, str]) -> None:
    """All problems are listed without a stack trace, and the exit code is 1."""
    answer = run("emit", "--cloud", "local", variables=variables | {"RETRAIN_CONFIG": "/nowhere/retrain.toml"})
    assert (answer.code, answer.out) == (1, "")
    assert "/nowhere/retrain.toml: there is no such file; `retrain init` creates one" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["emit", "--cloud", "moon"],
        ["emit", "--cloud", "local", "--severity", "extreme"],
        ["emit", "--cloud", "local", "--param", "epochs"],
        ["teach", "--cloud", "local"],
        ["show", "churn", "fraud"],
        ["letters", "list", "--url", "https://retrain.example"],
        ["serve", "--cron", "30 9 * MON"],
        ["serve", "--sweep", "61 * * * *"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """A wrong or missing option is reported with the usage of its command, and the exit code is 2."""
    answer = run(*arguments, variables={})
    assert (answer.code, answer.out) == (2, "")
    command = "" if arguments[:1] in ([], ["teach"]) else f" {arguments[0]}"
    error = capsys.readouterr().err
    assert error.startswith(f"usage: retrain{command} [-h]")
    assert f"retrain{command}: error: " in error


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names every command, and the exit code is 0."""
    assert run("--help").code == 0
    content = capsys.readouterr().out
    assert all(command in content for command in ("emit", "dry-run", "models", "doctor", "trust-policy"))


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def test_a_trigger_without_a_server(variables: dict[str, str], tmp_path: Path) -> None:
    """On a terminal `emit` says that the trigger waits while no server runs; programs get the id only."""
    out, err = io.StringIO(), Terminal()
    assert main(["emit", "--id", "t-1"], variables, out, err) == 0
    assert (out.getvalue(), "`retrain serve`" in err.getvalue()) == ("t-1\n", True)
    assert run("emit", variables=variables).err == ""
    # No process has the first number: the largest on Linux is 2 to the power of 22.
    for content, served in (('{"pid": 1234567890}', False), (f'{{"pid": {os.getpid()}}}', True), ("{", True)):
        (tmp_path / ".local" / "serve.json").write_text(content)
        err = Terminal()
        main(["emit"], variables, io.StringIO(), err)
        assert ("No server runs" in err.getvalue()) != served


def test_colours_on_a_terminal(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal tables and statuses have colours; elsewhere the output has no control characters."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for command in ("models", "doctor"):
        out = Terminal()
        main([command], variables, out, io.StringIO())
        assert "\x1b[" in out.getvalue()
        assert "\x1b" not in run(command, variables=variables).out
