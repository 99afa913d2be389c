"""DynamoDB keeps one document a model, and of many writers at once exactly one wins."""

import threading
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.aws.clients import CallLimits, Clients
from functions.aws.ledger import DynamoLedger
from shared.errors import UnavailableError
from shared.ports import Stored
from tests.aws.conftest import IMPATIENT, Answering
from tests.emulators.loopback import Answer, LoopbackServer, Request


@pytest.fixture
def table(clients: Clients) -> str:
    """Return the name of an empty table."""
    name = f"retrain-{uuid.uuid4()}"
    clients.factory("dynamodb")().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "model_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def ledger(clients: Clients, table: str) -> DynamoLedger:
    """Return a ledger in an empty table."""
    return DynamoLedger(clients.factory("dynamodb"), table)


def told(environment: pytest.MonkeyPatch, url: str, limits: CallLimits = IMPATIENT) -> DynamoLedger:
    """Return a ledger whose service is at *url*."""
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    return DynamoLedger(Clients(limits=limits).factory("dynamodb"), "states")


def test_a_model_that_was_never_written_has_no_document(ledger: DynamoLedger) -> None:
    """Nothing is found, and nothing is made by looking."""
    assert ledger.load("churn") == Stored(document=None)
    assert ledger.models(None, 10) == []


def test_what_was_saved_is_loaded(ledger: DynamoLedger) -> None:
    """A document comes back as it was, with a version that lets its reader replace it."""
    assert ledger.save("churn/ü \U0001f4c9", '{"text": "ü\U0001f4c9"}', None)
    first = ledger.load("churn/ü \U0001f4c9")
    assert first.document == '{"text": "ü\U0001f4c9"}'
    assert ledger.save("churn/ü \U0001f4c9", "second", first.version)
    assert ledger.load("churn/ü \U0001f4c9").document == "second"


def test_a_document_is_replaced_by_who_read_it_last_only(ledger: DynamoLedger) -> None:
    """A save with an outdated version, or as if there were no document, changes nothing."""
    ledger.save("churn", "first", None)
    first = ledger.load("churn")
    assert ledger.save("churn", "second", first.version)
    assert not ledger.save("churn", "outdated", first.version)
    assert not ledger.save("churn", "as if new", None)
    assert ledger.load("churn").document == "second"


def test_a_document_that_is_gone_is_not_replaced(ledger: DynamoLedger) -> None:
    """A version of an item that does not exist any more saves nothing."""
    assert not ledger.save("churn", "text", 3)
    assert ledger.load("churn").document is None


def test_models_do_not_touch_each_other(ledger: DynamoLedger) -> None:
    """Each model has its own document and its own version."""
    assert ledger.save("churn", "c", None)
    assert ledger.save("fraud", "f", None)
    assert (ledger.load("churn").document, ledger.load("fraud").document) == ("c", "f")


@pytest.mark.parametrize("known", [False, True])
def test_of_sixteen_writers_one_wins(clients: Clients, table: str, known: bool) -> None:  # noqa: FBT001 - a parameter
    """However many writers hold the same version, one of them saves, and its document is what stays."""
    for turn in range(5):
        ledger = DynamoLedger(clients.factory("dynamodb"), table)
        model_id = f"model-{turn}"
        if known:
            ledger.save(model_id, "before", None)
        version = ledger.load(model_id).version
        together = threading.Barrier(16)

        def write(number: int, model_id: str = model_id, version: object = version) -> bool:
            together.wait()  # noqa: B023 - all writers of this turn wait
            return ledger.save(model_id, f"writer {number}", version)  # noqa: B023 - all write to this turn's ledger

        with ThreadPoolExecutor(16) as pool:
            saved = list(pool.map(write, range(16)))
        assert saved.count(True) == 1
        assert ledger.load(model_id).document == f"writer {saved.index(True)}"


def test_all_models_are_listed_page_by_page(ledger: DynamoLedger) -> None:
    """Every stored model is listed once, in pages of the size asked for, then nothing."""
    names = {f"model-{number}" for number in range(7)}
    for name in names:
        ledger.save(name, "{}", None)
    pages = list(_pages(ledger, 3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(name for page in pages for name in page) == sorted(names)


def _pages(ledger: DynamoLedger, limit: int) -> Iterator[list[str]]:
    after = None
    while page := ledger.models(after, limit):
        yield page
        after = page[-1]


def test_an_empty_page_is_not_the_end(environment: pytest.MonkeyPatch) -> None:
    """DynamoDB may answer with no items and a key to go on from; only a missing key means the end."""
    bodies = iter(
        [
            b'{"Items": [], "LastEvaluatedKey": {"model_id": {"S": "a"}}}',
            b'{"Items": [{"model_id": {"S": "b"}}], "LastEvaluatedKey": {"model_id": {"S": "b"}}}',
            b'{"Items": [{"model_id": {"S": "c"}}]}',
        ]
    )
    asked: list[bytes] = []

    def respond(request: Request) -> Answer:
        asked.append(request.body)
        return Answer(status=200, body=next(bodies))

    with LoopbackServer(respond) as server:
        assert told(environment, server.url).models(None, 10) == ["b", "c"]
    assert [b'"ExclusiveStartKey"' in body for body in asked] == [False, True, True]


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
    ledger = told(environment, answering(status, {"__type": f"com.amazonaws#{code}", "message": "told so"}))
    told_so = f"table states: {code}: told so; try again$"
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not read the state of 'churn' from the {told_so}"):
        ledger.load("churn")
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not save the state of 'churn' to the {told_so}"):
        ledger.save("churn", "{}", None)
    with pytest.raises(UnavailableError, match=f"^DynamoDB could not list the models in the {told_so}"):
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
            told(environment, server.url, limits).load("churn")
        released.set()
    assert len(asked) == 2


def test_a_save_whose_answer_got_lost_can_be_recognised(
    environment: pytest.MonkeyPatch, clients: Clients, moto: str
) -> None:
    """Botocore repeats it and is told that somebody was faster; the document that is there is the caller's own."""
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
        ledger = told(environment, proxy.url, CallLimits(attempts=2))
        assert not ledger.save("churn", "mine", None)
        assert ledger.load("churn").document == "mine"
    assert len(puts) == 2
