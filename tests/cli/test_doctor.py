"""`doctor` runs every check and reports its result; a failed check means the exit code 1."""

import io
import json

import pytest

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from functions.cli.doctor.report import FAILED, OK, SKIPPED, examine, report, report_json
from shared.errors import ConfigError, UnavailableError


def raising(error: Exception, name: str = "it") -> Check:
    """Return a check that raises *error*."""

    def run() -> None:
        raise error

    return Check(name=name, about="it holds", run=run)


PASSING = Check(name="that", about="that holds", run=lambda: None)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (CheckFailedError("it is broken: repair it"), FAILED, "it is broken: repair it"),
        (CheckSkippedError("not checked: it is far away"), SKIPPED, "not checked: it is far away"),
        (UnavailableError("SQS", "look"), FAILED, "SQS could not look; try again"),
        (ConfigError("retrain.toml", ["a: b", "c: d"]), FAILED, "retrain.toml: 2 problems\na: b\nc: d"),
        (
            ValueError("token T0PS3CRET"),
            FAILED,
            "the check itself failed unexpectedly (ValueError); its precondition is unknown",
        ),
    ],
)
def test_every_error_of_a_check_is_reported(error: Exception, status: str, detail: str) -> None:
    """A check fails with any error; the text of an unexpected one, which may quote a secret, is not shown."""
    finding = examine(raising(error))
    assert (finding.status, finding.detail) == (status, detail)


def test_a_passed_check_is_reported() -> None:
    """A check that raises nothing passes, whatever it returns."""
    finding = examine(Check(name="that", about="that holds", run=lambda: "anything"))
    assert (finding.status, finding.detail) == (OK, "that holds")


def test_a_failed_check_does_not_stop_the_others() -> None:
    """The checks after a failed one run, the last line has the totals, and the command fails."""
    out = io.StringIO()
    checks = [raising(KeyError()), raising(CheckSkippedError("not here"), "there"), PASSING]
    assert not report(checks, out)
    assert out.getvalue().splitlines() == [
        "FAILED   it: the check itself failed unexpectedly (KeyError); its precondition is unknown",
        "skipped  there: not here",
        "ok       that: that holds",
        "1 ok, 1 failed, 1 skipped",
    ]


def test_a_skipped_check_does_not_fail_the_command() -> None:
    """A precondition that cannot be checked does not fail the command."""
    assert report([raising(CheckSkippedError("not here")), PASSING], io.StringIO())


def test_json_output() -> None:
    """The JSON output is one object with the cloud and every check."""
    out = io.StringIO()
    assert not report_json([raising(CheckFailedError("broken")), PASSING], "aws", out)
    assert json.loads(out.getvalue()) == {
        "cloud": "aws",
        "ok": False,
        "checks": [
            {"name": "it", "status": "FAILED", "detail": "broken"},
            {"name": "that", "status": "ok", "detail": "that holds"},
        ],
    }
