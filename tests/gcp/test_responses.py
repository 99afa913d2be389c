"""Responses to Pub/Sub and to people: never a stack, and a 2xx only for completed work."""

import json
import logging
from collections.abc import Callable
from typing import NoReturn

import pytest

from functions.gcp.responses import acknowledged, answered
from shared.errors import ConfigError, RetrainError, TargetRefusedError, UnavailableError
from shared.http.messages import Response

ERRORS = [
    UnavailableError("Firestore", "read"),
    TargetRefusedError("no"),
    ConfigError("environment", ["RETRAIN_BUS: is not set"]),
]


def failing(error: Exception) -> Callable[[], NoReturn]:
    """Return a function that raises *error*."""

    def fail() -> NoReturn:
        raise error

    return fail


def test_completed_work_is_acknowledged() -> None:
    """The outcome is the answer."""
    response = acknowledged(lambda: {"decision": "launch"})
    assert (response.status, json.loads(response.body)) == (200, {"decision": "launch"})


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_not_acknowledged(error: RetrainError, caplog: pytest.LogCaptureFixture) -> None:
    """The response is a 500 with the error's name and text, and the log has one line: Pub/Sub redelivers."""
    with caplog.at_level(logging.INFO, logger="retrain"):
        response = acknowledged(failing(error))
    text = f"{type(error).__name__}: {error}"
    assert (response.status, json.loads(response.body)["detail"]) == (500, text)
    assert response.headers["content-type"] == "application/problem+json"
    assert [(record.message, vars(record)["error"]) for record in caplog.records] == [
        ("retrain.not_acknowledged", text)
    ]


@pytest.mark.parametrize("answer", [acknowledged, answered])
def test_unexpected_errors_are_not_shown(
    answer: Callable[[Callable[[], Response]], Response], caplog: pytest.LogCaptureFixture
) -> None:
    """The text of a bug is in the log only, with the stack."""
    with caplog.at_level(logging.INFO, logger="retrain"):
        response = answer(failing(KeyError("hunter2")))
    assert response.status == 500
    assert "hunter2" not in response.body
    (record,) = caplog.records
    assert record.exc_info is not None
    assert (record.levelname, record.message, record.exc_info[0]) == ("ERROR", "retrain.failed", KeyError)


def test_a_wrong_configuration_is_shown_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP response says that the configuration is wrong, and not what is in it."""
    with caplog.at_level(logging.INFO, logger="retrain"):
        response = answered(failing(ERRORS[2]))
    assert json.loads(response.body)["detail"] == "ConfigError; see the log"
    (record,) = caplog.records
    assert "RETRAIN_BUS: is not set" in vars(record)["error"]


def test_an_answer_goes_through() -> None:
    """Whatever its status."""
    response = Response(status=404, body="{}", headers={})
    assert answered(lambda: response) is response
