"""`doctor` runs every check, whatever happens in one, and tells each in a line; a failure is an exit code of 1."""

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
        (ConfigError("retrain.toml", ["a: b", "c: d"]), FAILED, "retrain.toml: 2 problems: a: b; c: d"),
        (
            ValueError("token T0PS3CRET"),
            FAILED,
            "the check itself broke (ValueError); nothing is known about this",
        ),
    ],
)
def test_whatever_a_check_raises_is_told(error: Exception, status: str, detail: str) -> None:
    """A check fails with any error of the project; one that breaks tells no text, which may quote anything."""
    finding = examine(raising(error))
    assert (finding.status, finding.detail) == (status, detail)


def test_what_holds_is_told() -> None:
    """A check that raises nothing passes, whatever it returns."""
    finding = examine(Check(name="that", about="that holds", run=lambda: "anything"))
    assert (finding.status, finding.detail) == (OK, "that holds")


def test_one_failure_stops_nothing() -> None:
    """The checks behind one that fails run, the last line counts, and the whole has failed."""
    out = io.StringIO()
    checks = [raising(KeyError()), raising(CheckSkippedError("not here"), "there"), PASSING]
    assert not report(checks, out)
    assert out.getvalue().splitlines() == [
        "FAILED   it: the check itself broke (KeyError); nothing is known about this",
        "skipped  there: not here",
        "ok       that: that holds",
        "1 ok, 1 failed, 1 skipped",
    ]


def test_a_skipped_check_is_no_failure() -> None:
    """What cannot be checked does not fail the whole."""
    assert report([raising(CheckSkippedError("not here")), PASSING], io.StringIO())


def test_programs_get_json() -> None:
    """As JSON it is one object, with the cloud and every check."""
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
