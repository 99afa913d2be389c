"""The environment of a command, and requests that are refused before anything is started."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from functions.local.run_request import RunRequest, parameter_variables, prepare, resolve
from shared.config.targets import CommandTarget
from shared.errors import TargetRefusedError
from tests.local.given import a_request, a_trigger


def test_parameters_are_variables() -> None:
    """A parameter's name is written in capitals, anything but letters, digits and `_` as `_`; its value as text."""
    assert parameter_variables(
        {
            "epochs": 8,
            "learning-rate": 1e-05,
            "Set 1": "a b\n=ü",
            "warm": True,
            "cold": False,
            "größe": -1,
            "n": 12.0,
        }
    ) == {
        "RETRAIN_PARAM_EPOCHS": "8",
        "RETRAIN_PARAM_LEARNING_RATE": "1e-05",
        "RETRAIN_PARAM_SET_1": "a b\n=ü",
        "RETRAIN_PARAM_WARM": "true",
        "RETRAIN_PARAM_COLD": "false",
        "RETRAIN_PARAM_GR_SSE": "-1",
        "RETRAIN_PARAM_N": "12",
    }


def test_two_parameters_of_one_name() -> None:
    """Parameters that would overwrite each other are refused: the training would run with the wrong one."""
    with pytest.raises(
        TargetRefusedError, match=r"two parameters would be RETRAIN_PARAM_A_B, one of them 'a.b'; rename it"
    ):
        parameter_variables({"a-b": 1, "a.b": 2})


def test_the_whole_request(tmp_path: Path) -> None:
    """The command knows its model, trigger, run and run folder, and the request survives being written and read."""
    bus = tmp_path / "bus.sqlite"
    run = prepare(
        a_request(parameters={"epochs": 8}, max_run=90),
        CommandTarget(command=(sys.executable, "train.py", "--fast")),
        folder=tmp_path,
        runs=tmp_path / "runs",
        bus=bus,
        path=None,
    )
    name = f"retrain-{a_trigger().token[:40]}"
    assert run == RunRequest(
        run_id=name,
        model_id="churn",
        command=(sys.executable, "train.py", "--fast"),
        folder=str(tmp_path),
        environment={
            "RETRAIN_PARAM_EPOCHS": "8",
            "RETRAIN_MODEL_ID": "churn",
            "RETRAIN_TRIGGER_ID": "t-1",
            "RETRAIN_RUN_ID": name,
            "RETRAIN_RUN_DIR": str(tmp_path / "runs" / name),
        },
        max_run=90,
        bus=str(bus),
    )
    assert RunRequest.parse(run.to_json()) == run


def test_programs_are_looked_for(tmp_path: Path) -> None:
    """A bare name is searched on the path, one with a slash from the configuration's folder."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "train.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert resolve(("train.sh", "x"), Path("/"), str(script.parent)) == (str(script), "x")
    assert resolve(("bin/train.sh",), tmp_path, "/nowhere") == (str(script),)
    assert resolve(("./bin/train.sh",), tmp_path, "/nowhere") == (str(script),)
    assert resolve((str(script),), Path("/"), "/nowhere") == (str(script),)


def test_python_is_the_one_of_the_user(tmp_path: Path) -> None:
    """`python` is the one in `.venv` beside the configuration, else the first `python3` on the path, else refused."""
    system = tmp_path / "bin" / "python3"
    system.parent.mkdir()
    system.symlink_to(sys.executable)
    assert resolve(("python", "a.py"), tmp_path, str(system.parent)) == (str(system), "a.py")
    with pytest.raises(TargetRefusedError, match=r"command: 'python' is neither in .*/.venv/bin nor, as python3, on"):
        resolve(("python", "a.py"), tmp_path, "/nowhere")
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    assert resolve(("python", "a.py"), tmp_path, str(system.parent)) == (str(own), "a.py")


@pytest.mark.parametrize("command", [("no-such-program",), ("./plain.txt",), ("bin/none",), ("folder/",), ("",), ()])
def test_what_cannot_be_run_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A program that is missing, a file that is none and a folder are refused permanently, by name."""
    (tmp_path / "plain.txt").write_text("not a program")
    (tmp_path / "folder").mkdir()
    name = command[0] if command else ""
    with pytest.raises(TargetRefusedError, match=f"command: '{name}' is not a program that can be run from "):
        resolve(command, tmp_path, "/usr/bin:/bin")


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    """A value that no environment can hold is refused, and named; its text is not quoted."""
    settings = {"folder": tmp_path, "runs": tmp_path, "bus": None, "path": None}
    target = CommandTarget(command=("python",))
    with pytest.raises(TargetRefusedError, match="command: RETRAIN_PARAM_A has a NUL character"):
        prepare(a_request(parameters={"a": "x\0y", "b": "fine"}), target, **settings)  # type: ignore[arg-type]
    request = replace(a_request(), trigger=a_trigger("a\0b"))
    with pytest.raises(TargetRefusedError, match="RETRAIN_TRIGGER_ID has a NUL"):
        prepare(request, target, **settings)  # type: ignore[arg-type]
