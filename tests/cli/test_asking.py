"""`emit`, `dry-run` and `models`, on this machine: as a program, and what they answer."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.local.bus import SqliteBus
from functions.local.events import decode
from functions.local.wiring import local_cloud
from functions.machine import now
from shared.parts import ReceiverParts
from shared.receive import receive
from tests.cli.given import run
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

[models."store-*"]
[models."store-*".target.local]
kind = "command"
command = ["true"]
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a cloud in a folder of its own."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    return {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": os.environ["PATH"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """That cloud, with a training service in memory.

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
    """Return it."""
    cloud = local_cloud(variables)
    service = TrainingService(now)
    return Machine(bus=cloud.bus, receiver=replace(cloud.receiver, launcher=lambda _: MemoryLauncher(service)))


def test_as_a_program(variables: dict[str, str], machine: Machine) -> None:
    """`python -m functions.cli emit` prints the trigger's id alone, for scripts, and the bus has the trigger."""
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


def test_every_field_can_be_given(variables: dict[str, str], machine: Machine) -> None:
    """Parameters are numbers, true or false where the configuration has no text."""
    options = ["--severity", "high", "--force", "--id", "week-47"]
    for pair in ("epochs=12", "rate=0.5", "full=true", "until=2012"):
        options += ["--param", pair]
    answer = run("emit", "--cloud", "local", "--json", *options, variables=variables)
    assert json.loads(answer.out) == {"trigger_id": "week-47", "model_id": "churn", "status": "accepted"}
    detail = machine.receive()
    assert detail["parameters"] == {"epochs": 12, "rate": 0.5, "full": True, "until": "2012"}
    assert (detail["severity"], detail["force"], detail["trigger_id"]) == ("high", True, "week-47")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--model", "fraud"], "model_id: the configuration has no model 'fraud'; it has churn, store-*\n"),
        (
            ["--param", "layers=2"],
            "parameters.layers: is not a parameter of churn; it allows epochs, rate, full, until\n",
        ),
        (["--id", "x" * 129], "trigger_id: must have 1 to 128 characters, not 129\n"),
    ],
)
@pytest.mark.parametrize("command", ["emit", "dry-run"])
def test_what_is_refused(
    variables: dict[str, str], machine: Machine, command: str, options: list[str], sentence: str
) -> None:
    """A refusal is one sentence and the exit code 1, and nothing is sent."""
    answer = run(command, "--cloud", "local", *options, variables=variables)
    assert (answer.code, answer.out, answer.complaints) == (1, "", sentence)
    assert machine.bus.size() == 0


def test_a_dry_run_sends_nothing(variables: dict[str, str], machine: Machine) -> None:
    """It tells the decision, its reason and what stands behind it."""
    asked = ["dry-run", "--cloud", "local", "--model", "churn"]
    assert run(*asked, variables=variables).out == "launch: launched\n"
    run("emit", "--cloud", "local", "--id", "first", variables=variables)
    machine.receive()
    answer = run(*asked, "--id", "first", variables=variables)
    assert answer.out == "skip: duplicate (this trigger was decided before)\n"
    told = json.loads(run(*asked, "--json", variables=variables).out)
    assert (told["decision"], told["reason"]) == ("skip", "cooldown")
    assert machine.bus.size() == 0


def test_the_list_of_models(variables: dict[str, str], machine: Machine) -> None:
    """A table with a line for each model, those that were seen under a pattern too; the same as JSON."""
    run("emit", "--cloud", "local", "--model", "store-7", "--id", "t-7", variables=variables)
    machine.receive()
    head, churn, store = run("models", "--cloud", "local", variables=variables).out.splitlines()
    assert head.split("  ")[0] == "MODEL"
    assert churn.split() == ["churn", "idle", "-", "-", "-"]
    assert store.split()[:4] == ["store-7", "training", "launch", "launched"]
    assert head.index("STATE") == churn.index("idle") == store.index("training")
    told = json.loads(run("models", "--cloud", "local", "--json", variables=variables).out)
    assert [model["model_id"] for model in told["models"]] == ["churn", "store-7"]


def test_one_model(variables: dict[str, str], machine: Machine) -> None:
    """A page for people, with everything that `GET /models/{model_id}` has; the same as JSON."""
    run("emit", "--cloud", "local", "--id", "first", variables=variables)
    machine.receive()
    answer = run("models", "--cloud", "local", "churn", variables=variables)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["model", "churn"]
    assert lines[1].split() == ["state", "training"]
    assert "by first, since" in lines[2]
    assert {"decisions", "runs", "configuration"} <= set(lines)
    told = json.loads(run("models", "--cloud", "local", "churn", "--json", variables=variables).out)
    assert (told["model_id"], told["running"]["trigger_id"]) == ("churn", "first")


def test_a_model_that_nobody_knows(variables: dict[str, str]) -> None:
    """A model that is not configured is told."""
    answer = run("models", "--cloud", "local", "fraud", variables=variables)
    assert (answer.code, answer.out) == (1, "")
    assert answer.complaints == "model_id: the configuration has no model 'fraud'; it has churn, store-*\n"


def test_what_others_wrote_steers_no_terminal(variables: dict[str, str], machine: Machine) -> None:
    """A trigger's id may hold anything; on the page it is printable."""
    run("emit", "--cloud", "local", "--id", "a\x1b[2Jb", variables=variables)
    machine.receive()
    answer = run("models", "--cloud", "local", "churn", variables=variables)
    assert "\x1b" not in answer.out
    assert "a?[2Jb" in answer.out


def test_a_wrong_environment(variables: dict[str, str]) -> None:
    """All problems are told, without a stack, and the exit code is 1."""
    answer = run("emit", "--cloud", "local", variables=variables | {"RETRAIN_CONFIG": "/nowhere/retrain.toml"})
    assert (answer.code, answer.out) == (1, "")
    assert "/nowhere/retrain.toml: cannot be read" in answer.complaints
    assert "Traceback" not in answer.complaints


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["emit"],
        ["emit", "--cloud", "moon"],
        ["emit", "--cloud", "local", "--severity", "extreme"],
        ["emit", "--cloud", "local", "--param", "epochs"],
        ["teach", "--cloud", "local"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """An option that is wrong or missing is told, and the exit code is 2."""
    answer = run(*arguments, variables={})
    assert (answer.code, answer.out) == (2, "")
    assert "error: " in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Help is an answer: it names every command, and the exit code is 0."""
    assert run("--help").code == 0
    told = capsys.readouterr().out
    assert all(command in told for command in ("emit", "dry-run", "models", "doctor", "trust-policy"))
