"""Our own client of the table service beside Microsoft's, against Microsoft's emulator, and against odd answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import AccountSasPermissions, ResourceTypes, UpdateMode, generate_account_sas
from azure.data.tables import TableClient as OfficialClient

from emulators.loopback import Answer, LoopbackServer, Request, json_answer
from emulators.storage import ACCOUNT, KEY, Storage
from functions.azure.addresses import Place
from functions.azure.clients import Clients, rest_client
from functions.azure.credentials import Access, storage_keys
from functions.azure.failures import AnswerError
from functions.azure.ledger import INDEX_END, PARTITION, TableLedger, row_key
from functions.azure.tables import AUDIENCE, TableClient, delete, insert, put, replace
from functions.azure.tokens import Bearer, Token, TokenCredential
from functions.http_session import CallLimits
from shared.errors import ConfigError, UnavailableError
from shared.ports import IndexEntry
from tests.azure.adapters import ONCE, PATIENT, noting

pytestmark = pytest.mark.xdist_group("azurite")

NOW: Final = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
# Every character that a key may have and that a URL or a filter gives a meaning.
ODD: Final = "a'b''c &=+%$@!()[]{}<>\"|~^`:;,ü\U0001f4c9."


@pytest.fixture
def ours(account: Clients, table: Place) -> TableClient:
    """Return our client of an empty table."""
    return account.table(table)()


def entity(row: str = "churn", **properties: Any) -> dict[str, Any]:
    """Return the properties of an entity."""
    return {"PartitionKey": PARTITION, "RowKey": row, **properties}


def refusal(client: TableClient, *writes: Any) -> AnswerError:
    """Return the error of *writes*."""
    with pytest.raises(AnswerError) as raised:
        client.write(writes)
    return raised.value


def test_each_client_reads_and_replaces_what_the_other_wrote(ours: TableClient, official: OfficialClient) -> None:
    """A deployment is updated, and rolled back, without a change of its table."""
    properties: dict[str, Any] = {
        "text": "ü\U0001f4c9 \"'\\ \n",
        "on": True,
        "off": False,
        "when": "2026-11-21T03:00:00Z",
        "empty": "",
    }
    created = official.create_entity(entity(**properties))
    read = ours.get(PARTITION, "churn")
    assert read.etag == created["etag"]
    assert {name: read.properties[name] for name in properties} == properties
    etag = ours.write([replace(entity(**{**properties, "text": "ours"}), read.etag)])
    found = official.get_entity(PARTITION, "churn")
    assert (found.metadata["etag"], found["text"], found["on"], found["when"]) == (
        etag,
        "ours",
        True,
        "2026-11-21T03:00:00Z",
    )
    condition: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    official.submit_transaction([("update", entity(text="theirs"), {"mode": UpdateMode.REPLACE, **condition})])
    assert ours.get(PARTITION, "churn").properties["text"] == "theirs"
    assert refusal(ours, replace(entity(), etag)).failure.codes == ("UpdateConditionNotSatisfied",)


def test_the_ledger_reads_the_entities_of_the_version_before(account: Clients, table: Place) -> None:
    """The version that used azure-data-tables wrote an entity of the model and one of the index in one transaction."""
    with OfficialClient(table.endpoint, table.name, credential=AzureNamedKeyCredential(ACCOUNT, KEY)) as before:
        model = entity(row_key("a/b"), model_id="a/b", document_00="old", indexed=True)
        before.submit_transaction(
            [("create", model), ("upsert", entity("!1", model_id="a/b", attention="2026-11-20"), {"mode": "replace"})]
        )
        ledger = TableLedger(account.table(table), table.name)
        assert ledger.due(NOW, 5) == ledger.models(None, 5) == ["a/b"]
        stored = ledger.load("a/b")
        assert stored.document == "old"
        assert ledger.save("a/b", "new", stored.version, IndexEntry(attention=NOW))
        assert before.get_entity(PARTITION, row_key("a/b"))["document_00"] == "new"


def test_any_key_that_the_service_allows_is_addressed(ours: TableClient, official: OfficialClient) -> None:
    """Quotes are doubled, and everything with a meaning in a URL is escaped, alone and in a transaction."""
    for writes in ([insert(entity(ODD, n="1"))], [put(entity(ODD, n="2")), put(entity("other"))]):
        ours.write(writes)
        assert ours.get(PARTITION, ODD).properties["RowKey"] == ODD
    assert official.get_entity(PARTITION, ODD)["n"] == "2"
    ours.write([delete(entity("other")), delete(entity(ODD))])
    assert list(official.list_entities()) == []


def test_a_transaction_happens_as_a_whole_or_not_at_all(ours: TableClient, official: OfficialClient) -> None:
    """The code of the write that failed comes out, and no other write of the transaction is left."""
    first = ours.write([insert(entity("a")), insert(entity("b"))])
    assert first == official.get_entity(PARTITION, "a").metadata["etag"]
    for writes, code in (
        ([insert(entity("c")), insert(entity("a"))], "EntityAlreadyExists"),
        ([put(entity("c")), replace(entity("a"), 'W/"x"')], "UpdateConditionNotSatisfied"),
        ([put(entity("c")), delete(entity("d"))], "ResourceNotFound"),
    ):
        failure = refusal(ours, *writes).failure
        assert failure.codes[0] == code
        assert not failure.busy
    assert [each["RowKey"] for each in official.list_entities()] == ["a", "b"]


@pytest.mark.parametrize("writing", [True, False])
def test_a_signature_is_enough(storage: Storage, table: Place, official: OfficialClient, *, writing: bool) -> None:
    """A shared access signature in the connection string gives its rights and no others; it is in no message."""
    official.create_entity(entity("a", model_id="a"))
    # Azurite allows transactions only with the signature of an account.
    text = generate_account_sas(
        AzureNamedKeyCredential(ACCOUNT, KEY),
        resource_types=ResourceTypes(object=True, container=True, service=True),
        permission=AccountSasPermissions(read=True, list=True, write=writing, add=writing, update=writing),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    clients = Clients(Access(connection_string=f"TableEndpoint={storage.table};SharedAccessSignature={text}"), PATIENT)
    ledger = TableLedger(clients.table(table), table.name, persistence=ONCE)
    assert ledger.models(None, 5) == ["a"]
    if writing:
        assert ledger.save("b", "{}", None, IndexEntry(attention=NOW)) is not None
        assert ledger.due(NOW, 5) == ["b"]
    else:
        with pytest.raises(UnavailableError, match="Authorization") as raised:
            ledger.save("b", "{}", None)
        assert "sig" not in str(raised.value)
    clients.close()


def test_a_wrong_key_is_an_outage(table: Place) -> None:
    """The service names the reason; the key is in no message."""
    clients = Clients(Access(connection_string=f"AccountName={ACCOUNT};AccountKey=aHVudGVyMg=="), PATIENT)
    with pytest.raises(UnavailableError, match="AuthorizationFailure") as raised:
        TableLedger(clients.table(table), table.name, persistence=ONCE).load("churn")
    clients.close()
    assert "aHVudGVyMg" not in str(raised.value)


def test_a_key_that_is_not_base64_is_named() -> None:
    """It was cut when it was copied; it is not shown."""
    with pytest.raises(ConfigError, match="AccountKey must be base64") as raised:
        storage_keys(Access(connection_string="AccountName=a;AccountKey=hunter2"), "https://a.table.core.windows.net")
    assert "hunter2" not in str(raised.value)


@pytest.fixture
def script() -> Iterator[tuple[TableClient, list[Answer], list[Request]]]:
    """Return a client, the answers that its service gives, and the requests that it gets."""
    answers: list[Answer] = []
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        asked.append(request)
        return answers.pop(0)

    credential = TokenCredential(lambda scope, _: Token(f"for {scope}", 2**33), lambda: None)
    with LoopbackServer(respond) as server:
        rest = rest_client(CallLimits(), Bearer(credential, AUDIENCE))
        yield TableClient(rest, Place(endpoint=server.url, name="states")), answers, asked
        rest.close()


def test_a_request_has_the_headers_of_the_service(script: tuple[TableClient, list[Answer], list[Request]]) -> None:
    """Version, date, format and a token for storage are in each request, and in no part of a transaction."""
    client, answers, asked = script
    answers += [json_answer(200, {}), Answer(status=204, headers={"ETag": "e"})]
    client.get("p", "r'")
    assert client.write([replace({"PartitionKey": "p", "RowKey": "r", "on": True}, "e")]) == "e"
    assert [request.path for request in asked] == [
        "/states(PartitionKey='p',RowKey='r''')",
        "/states(PartitionKey='p',RowKey='r')",
    ]
    for request in asked:
        assert request.headers["x-ms-version"] == "2020-12-06"
        assert request.headers["authorization"] == "Bearer for https://storage.azure.com/.default"
        assert request.headers["accept"] == "application/json;odata=nometadata"
        assert request.headers["dataserviceversion"] == "3.0"
        assert request.headers["x-ms-date"].endswith("GMT")
    assert json.loads(asked[1].body) == {"PartitionKey": "p", "RowKey": "r", "on": True}
    assert asked[1].headers["if-match"] == "e"


def transaction(*parts: str, boundary: str = "changesetresponse_1") -> Answer:
    """Return the answer to a transaction, in the form of the REST reference."""
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    inner = "".join(f"--{boundary}\r\n{head}{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    body = f"--b\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n\r\n{inner}--b--\r\n"
    return Answer(status=202, body=body.encode(), headers={"Content-Type": "multipart/mixed; boundary=b"})


DONE: Final = "HTTP/1.1 204 No Content\r\nETag: W/\"datetime'1'\"\r\nDataServiceVersion: 1.0;\r\n\r\n"
FAILED: Final = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n"
    '{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"0:As scripted.\\nRequestId:1"}}}}}}'
)


def test_a_transaction_is_one_request(script: tuple[TableClient, list[Answer], list[Request]]) -> None:
    """A batch with one change set, as the REST reference shows it; the ETag is that of the first write."""
    client, answers, asked = script
    answers.append(transaction(DONE, DONE.replace("'1'", "'2'")))
    assert client.write([replace(entity("a"), 'W/"1"'), delete(entity("b"))]) == "W/\"datetime'1'\""
    (request,) = asked
    assert (request.method, request.path) == ("POST", "/$batch")
    batch = message_from_bytes(f"content-type: {request.headers['content-type']}\r\n\r\n".encode() + request.body)
    parts = [part.get_payload(decode=True) for part in batch.walk() if part.get_content_type() == "application/http"]
    lines = [part.decode().split("\r\n") for part in parts if isinstance(part, bytes)]
    base = request.headers["host"]
    assert [each[0] for each in lines] == [
        f"PUT http://{base}/states(PartitionKey='models',RowKey='a') HTTP/1.1",
        f"DELETE http://{base}/states(PartitionKey='models',RowKey='b') HTTP/1.1",
    ]
    assert ['if-match: W/"1"' in lines[0], "if-match: *" in lines[1]] == [True, True]
    assert json.loads(lines[0][-1]) == entity("a")


@pytest.mark.parametrize(
    ("answer", "reported", "busy"),
    [
        (transaction(FAILED.format(status="409 Conflict", code="EntityAlreadyExists")), "EntityAlreadyExists", False),
        (transaction(FAILED.format(status="409 Conflict", code="0:EntityAlreadyExists")), "EntityAlreadyExists", False),
        (transaction(FAILED.format(status="412 Failed", code="UpdateConditionNotSatisfied")), "UpdateCondition", False),
        (transaction(FAILED.format(status="503 Busy", code="ServerBusy")), "ServerBusy: 0:As scripted.", True),
        (transaction(DONE), "the answer to 2 writes has 1 parts", False),
        (transaction(DONE, "no HTTP"), "the answer to 2 writes has 1 parts", False),
        (Answer(status=202, body=b"<html>", headers={"Content-Type": "text/html"}), "has 0 parts", False),
        (Answer(status=202), "has 0 parts", False),
        (Answer(status=429, headers={"Retry-After": "2"}), "HTTP 429", True),
    ],
)
def test_the_answer_to_a_transaction_is_read_right(
    script: tuple[TableClient, list[Answer], list[Request]], answer: Answer, reported: str, *, busy: bool
) -> None:
    """An error in a part is the error of the transaction; an answer that lacks a part is not a success."""
    client, answers, _ = script
    answers.append(answer)
    failure = refusal(client, insert(entity("a")), put(entity("b"))).failure
    assert reported in str(failure)
    assert failure.busy == busy


def test_pages_are_followed_and_each_is_repeated_by_itself(
    script: tuple[TableClient, list[Answer], list[Request]],
) -> None:
    """A page may be empty although others follow; a page that fails costs neither the ones before nor the rest."""
    client, answers, asked = script
    following = {"x-ms-continuation-NextPartitionKey": "1!8!p", "x-ms-continuation-NextRowKey": "1!4!r+/"}
    answers += [
        json_answer(200, {"value": [{"model_id": "a"}]}, following),
        Answer(status=503),
        json_answer(200, {"value": []}, {"x-ms-continuation-NextPartitionKey": "2"}),
        json_answer(200, {"value": [{"model_id": "b"}, {"model_id": "c"}]}),
    ]
    pauses: list[float] = []
    ledger = TableLedger(lambda: client, "states", persistence=noting(pauses))
    assert ledger.models("it's", 2000) == ["a", "b", "c"]
    assert len(pauses) == 1
    queries = [parse_qs(urlsplit(request.path).query) for request in asked]
    assert queries[0] == {
        "$filter": ["PartitionKey eq 'models' and RowKey gt 'it=27s'"],
        "$select": ["model_id"],
        "$top": ["1000"],
    }
    assert queries[1] == queries[2] == queries[0] | {"NextPartitionKey": ["1!8!p"], "NextRowKey": ["1!4!r+/"]}
    assert queries[3] == queries[0] | {"NextPartitionKey": ["2"]}
    assert INDEX_END == '"'


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"value": {}}', b"<html>"])
def test_an_answer_without_entities_is_an_outage(
    script: tuple[TableClient, list[Answer], list[Request]], body: bytes
) -> None:
    """An answer that is not a page of entities is not taken for an empty table."""
    client, answers, _ = script
    answers.append(Answer(status=200, body=body))
    with pytest.raises(UnavailableError, match="HTTP 200: the answer is not"):
        TableLedger(lambda: client, "states", persistence=ONCE).models(None, 10)
