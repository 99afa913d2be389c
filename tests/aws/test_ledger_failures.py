"""Whatever DynamoDB answers, the ledger reads it right or says that it is away."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from functions.aws.clients import CallLimits, Clients
from functions.aws.ledger import DynamoLedger
from shared.errors import UnavailableError
from tests.aws.adapters import IMPATIENT
from tests.contracts.adapters import Answering


def reported(environment: pytest.MonkeyPatch, url: str, limits: CallLimits = IMPATIENT) -> DynamoLedger:
    """Return a ledger whose service is at *url*."""
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    return DynamoLedger(Clients(limits=limits).factory("dynamodb"), "states")


def test_a_load_reads_consistently(environment: pytest.MonkeyPatch) -> None:
    """DynamoDB reads eventually consistent by default, which could hide a claim that was just saved."""
    asked: list[dict[str, object]] = []

    def respond(request: Request) -> Answer:
        asked.append(json.loads(request.body))
        return Answer(status=200, body=b"{}")

    with LoopbackServer(respond) as server:
        reported(environment, server.url).load("churn")
    assert [call["ConsistentRead"] for call in asked] == [True]


def test_an_empty_page_is_not_the_end(environment: pytest.MonkeyPatch) -> None:
    """DynamoDB may answer with no items and a key to go on from; only a missing key, or enough, means the end."""
    bodies = iter(
        [
            b'{"Items": [], "LastEvaluatedKey": {"model_id": {"S": "a"}}}',
            b'{"Items": [{"model_id": {"S": "b"}}], "LastEvaluatedKey": {"model_id": {"S": "b"}}}',
            b'{"Items": [{"model_id": {"S": "c"}}]}',
        ]
    )
    asked: list[dict[str, object]] = []

    def respond(request: Request) -> Answer:
        asked.append(json.loads(request.body))
        return Answer(status=200, body=next(bodies))

    with LoopbackServer(respond) as server:
        assert reported(environment, server.url).models(None, 10) == ["b", "c"]
    assert [body.get("ExclusiveStartKey") for body in asked] == [
        None,
        {"model_id": {"S": "a"}},
        {"model_id": {"S": "b"}},
    ]
    assert [body["Limit"] for body in asked] == [10, 10, 9]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("ThrottlingException", 400),
        ("RequestLimitExceeded", 400),
        ("InternalServerError", 500),
        ("TransactionConflictException", 400),
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
        ("ValidationException", 400),
    ],
)
def test_whatever_fails_the_ledger_is_away(
    environment: pytest.MonkeyPatch, answering: Answering, code: str, status: int
) -> None:
    """Nothing that the ledger answers is the event's fault, so the event must come again; the table is named."""
    ledger = reported(environment, answering(status, {"__type": f"com.amazonaws#{code}", "message": "as scripted"}))
    expected = f"table states: {code}: as scripted; try again$"
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not read the state of 'churn' from the {expected}"):
        ledger.load("churn")
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not save the state of 'churn' to the {expected}"):
        ledger.save("churn", "{}", None)
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not list the models in the {expected}"):
        ledger.models(None, 10)


def test_a_missing_table_is_named(clients: Clients) -> None:
    """Who forgot to make the table, or to name it, reads its name."""
    with pytest.raises(UnavailableError, match="from the table nowhere: ResourceNotFoundException"):
        DynamoLedger(clients.factory("dynamodb"), "nowhere").load("churn")


def test_a_silent_ledger_is_given_up(environment: pytest.MonkeyPatch) -> None:
    """A service that accepts the connection and says nothing is away once the read timeout has passed, for each try."""
    released, asked = threading.Event(), []

    def hang(request: Request) -> None:
        asked.append(request)
        released.wait(30)

    limits = CallLimits(connect_timeout=1, read_timeout=0.2, attempts=2)
    with LoopbackServer(hang) as server:
        with pytest.raises(UnavailableError, match="ReadTimeoutError"):
            reported(environment, server.url, limits).load("churn")
        released.set()
    assert len(asked) == 2


def test_a_save_whose_answer_got_lost_can_be_recognised(
    environment: pytest.MonkeyPatch, clients: Clients, moto: str
) -> None:
    """Botocore repeats it and gets the answer of a lost race; the stored document is the caller's own."""
    puts: list[Request] = []

    def forward(request: Request) -> Answer | None:
        if request.headers["x-amz-target"].endswith(".PutItem"):
            puts.append(request)
        original = urllib.request.Request(moto, request.body, dict(request.headers))  # noqa: S310 - moto is http
        try:
            with urllib.request.urlopen(original) as answer:  # noqa: S310 - moto is http
                return None if len(puts) == 1 else Answer(status=200, body=answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(status=error.code, body=error.read())

    clients.factory("dynamodb")().create_table(
        TableName="states",
        KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "model_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with LoopbackServer(forward) as proxy:
        ledger = reported(environment, proxy.url, CallLimits(attempts=2))
        assert not ledger.save("churn", "mine", None)
        assert ledger.load("churn").document == "mine"
    assert len(puts) == 2
