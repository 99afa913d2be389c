"""Runs commands in the process of the test."""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.cli.__main__ import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a command.

    Attributes:
        code: the exit code.
        out: standard output.
        err: standard error.

    """

    code: int
    out: str
    err: str


def run(*arguments: str, variables: Mapping[str, str] | None = None) -> Answer:
    """Run a command in this process, by default with this process's environment."""
    out, err = io.StringIO(), io.StringIO()
    code = main(arguments, os.environ if variables is None else variables, out, err)
    return Answer(code=code, out=out.getvalue(), err=err.getvalue())


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The result of `doctor`.

    Attributes:
        code: the exit code.
        failed: the detail of each failed check, by its name.
        skipped: the detail of each skipped check, by its name.
        warned: the detail of each check with a warning, by its name.
        passed: the names of the other checks.

    """

    code: int
    failed: Mapping[str, str]
    skipped: Mapping[str, str]
    warned: Mapping[str, str]
    passed: frozenset[str]


def diagnose(cloud: str, *options: str, variables: Mapping[str, str] | None = None) -> Diagnosis:
    """Run `doctor --json` and return its result."""
    answer = run("doctor", "--cloud", cloud, "--json", *options, variables=variables)
    assert not answer.err
    content: dict[str, Any] = json.loads(answer.out)
    by_status: dict[str, dict[str, str]] = {"ok": {}, "FAILED": {}, "skipped": {}, "warning": {}}
    for check in content["checks"]:
        by_status[check["status"]][check["name"]] = check["detail"]
    assert content["ok"] == (answer.code == 0)
    return Diagnosis(
        code=answer.code,
        failed=by_status["FAILED"],
        skipped=by_status["skipped"],
        warned=by_status["warning"],
        passed=frozenset(by_status["ok"]),
    )
