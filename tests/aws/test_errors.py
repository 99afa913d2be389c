"""Errors of AWS are translated without anything that must not be logged."""

import pytest

from functions.aws.clients import Clients
from functions.aws.errors import RefusalError, translated
from shared.errors import UnavailableError
from tests.aws.adapters import ledger_on
from tests.contracts.adapters import Answering


def test_an_error_shows_no_signed_request(environment: pytest.MonkeyPatch, answering: Answering) -> None:
    """A signature error quotes the request's headers after its first line: only that line is kept, cut to a limit."""
    message = "The signature does not match.\n\nThe Canonical String was 'x-amz-security-token:secret'"
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(403, {"__type": "InvalidSignature", "message": message}))
    with pytest.raises(UnavailableError, match=r"InvalidSignature: The signature does not match\.; try again$"):
        ledger_on().load("churn")
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(400, {"__type": "Odd", "message": "x" * 9999}))
    with pytest.raises(UnavailableError, match=f"Odd: {'x' * 300}; try again$"):
        ledger_on().load("churn")


@pytest.mark.parametrize("body", [b"", b"<html>502 Bad Gateway</html>", b"{"])
def test_an_answer_that_is_none_of_awss_is_transient(
    environment: pytest.MonkeyPatch, answering: Answering, body: bytes
) -> None:
    """A proxy in between may answer anything."""
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(502, body))
    with pytest.raises(UnavailableError, match=r"DynamoDB could not read .*; try again$"):
        ledger_on().load("churn")


def test_what_botocore_finds_wrong_is_reported_without_the_request(clients: Clients) -> None:
    """A request that is not even sent may hold what must not be in a log."""
    with pytest.raises(RefusalError) as raised, translated("SQS", "send", {"ParamValidationError"}):
        clients.factory("sqs")().send_message(QueueUrl="q", MessageBody={"password": "hunter2"})
    assert str(raised.value) == "ParamValidationError"


def test_other_errors_go_through() -> None:
    """A bug is not dressed up as an outage."""
    with pytest.raises(ZeroDivisionError), translated("SQS", "send"):
        _ = 1 / 0
