"""Whatever the table service answers, the ledger reads it right or says that it is away."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from emulators.storage import ACCOUNT, Storage
from functions.azure.addresses import Place
from functions.azure.clients import Clients
from functions.azure.ledger import TableLedger
from shared.errors import UnavailableError
from tests.azure.adapters import ONCE, noting, refusing
from tests.contracts.adapters import Answering

Work = Callable[[TableLedger], object]
LOAD, LIST = (lambda ledger: ledger.load("churn")), (lambda ledger: ledger.models(None, 10))
CREATE, REPLACE = (
    (lambda ledger: ledger.save("churn", "{}", None)),
    (lambda ledger: ledger.save("churn", "{}", 'W/"1"')),
)


def at(url: str, clients: Clients, pauses: list[float]) -> TableLedger:
    """Return a ledger whose service is at *url*, which is tried three times."""
    place = Place(endpoint=f"{url}/{ACCOUNT}", name="states")
    return TableLedger(clients.table(place), "states", persistence=noting(pauses))


def error(code: str) -> dict[str, object]:
    """Return an error document of the table service."""
    return {"odata.error": {"code": code, "message": {"lang": "en-US", "value": "as scripted\nRequestId:1\nTime:2"}}}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AuthenticationFailed", 403),
        ("AuthorizationPermissionMismatch", 403),
        ("TableNotFound", 404),
        ("TableBeingDeleted", 409),
        ("InvalidInput", 400),
        ("PropertyValueTooLarge", 400),
        ("RequestBodyTooLarge", 413),
    ],
)
@pytest.mark.parametrize("work", [LOAD, CREATE, REPLACE, LIST], ids=["load", "create", "replace", "list"])
def test_whatever_fails_the_ledger_is_away(
    clients: Clients, answering: Answering, pauses: list[float], code: str, status: int, work: Work
) -> None:
    """Nothing else that the service answers is the event's fault, so the event must come again; the table is named."""
    url = answering(status, error(code), Content_Type="application/json")
    with pytest.raises(UnavailableError, match=rf"the table states: {code}: as scripted(; [a-z][^;]+)?; try again$"):
        work(at(url, clients, pauses))
    assert pauses == []


@pytest.mark.parametrize(("code", "status"), [("ServerBusy", 503), ("OperationTimedOut", 500), ("", 429)])
@pytest.mark.parametrize("work", [LOAD, CREATE, REPLACE, LIST], ids=["load", "create", "replace", "list"])
def test_a_busy_service_is_called_again(
    clients: Clients, pauses: list[float], code: str, status: int, work: Work
) -> None:
    """Throttled and failed calls are repeated, then the ledger is away; the client itself repeats nothing."""
    with refusing(status, code) as (url, asked), pytest.raises(UnavailableError, match=code or "HTTP 429"):
        work(at(url, clients, pauses))
    assert (len(asked), len(pauses)) == (3, 2)


def test_a_service_that_wants_to_be_left_alone_is_not_slept_for(
    clients: Clients, answering: Answering, pauses: list[float]
) -> None:
    """However long `Retry-After` is, the call returns immediately: nothing sleeps for minutes."""
    with pytest.raises(UnavailableError):
        at(answering(503, error("ServerBusy"), Retry_After="600"), clients, pauses).load("churn")
    assert pauses == []


def test_a_silent_ledger_is_given_up(clients: Clients, pauses: list[float]) -> None:
    """A service that accepts the connection and says nothing is away once the read timeout has passed, for each try."""
    released, asked = threading.Event(), []

    def hang(request: Request) -> None:
        asked.append(request)
        released.wait(30)

    with LoopbackServer(hang) as server:
        with pytest.raises(UnavailableError, match="TimeoutError"):
            at(server.url, clients, pauses).load("churn")
        released.set()
    assert len(asked) == 3


def test_an_answer_that_is_not_json_is_an_outage(clients: Clients, answering: Answering, pauses: list[float]) -> None:
    """A proxy's page with status 200 is not taken for the state of a model."""
    url = answering(200, b"<html>maintenance</html>", Content_Type="application/json")
    with pytest.raises(UnavailableError, match="HTTP 200"):
        at(url, clients, pauses).load("churn")


def test_a_save_whose_answer_got_lost_can_be_recognised(
    storage: Storage, account: Clients, table: Place, pauses: list[float]
) -> None:
    """The repeated save gets the answer of a lost race; the stored document is the caller's own."""
    writes: list[Request] = []
    base = storage.table.removesuffix(f"/{ACCOUNT}")

    def forward(request: Request) -> Answer | None:
        if request.method in ("POST", "PUT"):
            writes.append(request)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        original = urllib.request.Request(  # noqa: S310 - Azurite is http
            base + request.path, request.body or None, headers, method=request.method
        )
        try:
            with urllib.request.urlopen(original) as answer:  # noqa: S310 - Azurite is http
                lost = any(request is write for write in (*writes[:1], *writes[2:3]))
                kept = {
                    name: value for name, value in answer.headers.items() if name.lower() in ("etag", "content-type")
                }
                return None if lost else Answer(status=answer.status, body=answer.read(), headers=kept)
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(status=refused.code, body=refused.read(), headers={"Content-Type": "application/json"})

    with LoopbackServer(forward) as proxy:
        place = Place(endpoint=f"{proxy.url}/{ACCOUNT}", name=table.name)
        ledger = TableLedger(account.table(place), table.name, persistence=noting(pauses))
        assert ledger.save("churn", "mine", None) is None
        found = ledger.load("churn")
        assert found.document == "mine"
        assert ledger.save("churn", "mine too", found.version) is None
        assert ledger.load("churn").document == "mine too"
    assert [unquote(request.path).partition("(")[2][:12] for request in writes] == [
        "",
        "",
        "PartitionKey"[:12],
        "PartitionKey"[:12],
    ]


def test_the_client_is_called_for_each_call_and_made_once(clients: Clients) -> None:
    """Making a ledger makes no client; the factory gives the same one to every call."""
    place = Place(endpoint=f"http://127.0.0.1:1/{ACCOUNT}", name="states")
    factory = clients.table(place)
    ledger = TableLedger(factory, "states", persistence=ONCE)
    with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
        ledger.load("churn")
    assert factory() is clients.table(place)()
