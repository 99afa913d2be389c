"""What the tests of the command line share: running a command, and reading what `doctor` says."""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.cli.__main__ import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command answers.

    Attributes:
        code: the exit code.
        out: standard output.
        complaints: standard error.

    """

    code: int
    out: str
    complaints: str


def run(*arguments: str, variables: Mapping[str, str] | None = None) -> Answer:
    """Run a command in this process, by default with this process's environment."""
    out, complaints = io.StringIO(), io.StringIO()
    code = main(arguments, os.environ if variables is None else variables, out, complaints)
    return Answer(code=code, out=out.getvalue(), complaints=complaints.getvalue())


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `doctor` finds.

    Attributes:
        code: the exit code.
        failed: the sentence of each check that failed, by its name.
        skipped: the same of each that was skipped.
        passed: the names of the others.

    """

    code: int
    failed: Mapping[str, str]
    skipped: Mapping[str, str]
    passed: frozenset[str]


def diagnose(cloud: str, *options: str, variables: Mapping[str, str] | None = None) -> Diagnosis:
    """Run `doctor`, and read its JSON."""
    answer = run("doctor", "--cloud", cloud, "--json", *options, variables=variables)
    assert not answer.complaints
    content: dict[str, Any] = json.loads(answer.out)
    by_status: dict[str, dict[str, str]] = {"ok": {}, "FAILED": {}, "skipped": {}}
    for check in content["checks"]:
        by_status[check["status"]][check["name"]] = check["detail"]
    assert content["ok"] == (answer.code == 0)
    return Diagnosis(
        code=answer.code,
        failed=by_status["FAILED"],
        skipped=by_status["skipped"],
        passed=frozenset(by_status["ok"]),
    )
