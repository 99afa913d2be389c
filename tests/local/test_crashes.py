"""A kill -9 at every line of the code that starts and supervises trainings."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.given import outputs, program

# Each kills a training at every step.
pytestmark = pytest.mark.deep

Reports = dict[str, list[list[Any]]]
"""Of every crash: the line's number, whether the run was marked as started, executions, result, whether it runs."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Crash launchers and supervisors, side by side."""
    names = ("crash_launcher", "crash_supervisor")
    folders: list[Path] = [tmp_path_factory.mktemp(name) for name in names]
    texts = outputs([program(name, folder) for name, folder in zip(names, folders, strict=True)])
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in zip(names, texts, strict=True)}


def test_a_launcher_that_dies_anywhere(reports: Reports) -> None:
    """After a kill -9 at any line of a launch, the next start makes it one execution, and it succeeds."""
    crashes = reports["crash_launcher"]
    assert len(crashes) > 50
    assert {started for _, started, *_ in crashes} == {False, True}
    assert [crash for crash in crashes if crash[2:] != [1, "succeeded", False]] == []


def test_a_supervisor_that_dies_anywhere(reports: Reports) -> None:
    """After a kill -9 at any line of a supervisor there was at most one execution, nothing runs, and the end is known.

    Before the mark "started" the next start makes it one execution; behind it the training has failed, unless its end
    had been recorded.
    """
    crashes = reports["crash_supervisor"]
    assert len(crashes) > 50
    outcomes = {(started, count, result) for _, started, count, result, _ in crashes}
    assert outcomes == {(False, 1, "succeeded"), (True, 0, "failed"), (True, 1, "failed"), (True, 1, "succeeded")}
    assert not any(alive for *_, alive in crashes)
