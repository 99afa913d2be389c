"""The table service of a storage account over its REST API: entities as JSON, and transactions.

azure-data-tables and what it imports would be half of the CPU time of a cold start.
"""

import hashlib
import hmac
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as changed
from email import message_from_bytes
from email.message import Message
from email.utils import formatdate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from functions.azure.addresses import Place
from functions.azure.credentials import StorageKeys
from functions.azure.failures import AnswerError
from shared.frozen import dataclass
from shared.json_text import compact

# The session imports urllib3, and not every function reads the table.
if TYPE_CHECKING:
    from functions.http_session import HttpAnswer
    from functions.rest import RestClient

AUDIENCE: Final = "https://storage.azure.com"
# REST reference, "Authorize with Microsoft Entra ID": the first version whose tables accept tokens.
API_VERSION: Final = "2020-12-06"
# REST reference, "Query timeout and pagination": a page has at most 1000 entities.
LONGEST_PAGE: Final = 1000
ETAG: Final = "odata.etag"

_JSON: Final = {
    "accept": "application/json;odata=nometadata",
    "content-type": "application/json",
    "dataserviceversion": "3.0",
}
# With the version of each entity.
_WITH_VERSIONS: Final = _JSON | {"accept": "application/json;odata=minimalmetadata"}
_CONTINUATION: Final = ("NextPartitionKey", "NextRowKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity.

    Attributes:
        properties: its properties by name: strings and booleans.
        etag: its version.

    """

    properties: Mapping[str, Any]
    etag: str


Position = Mapping[str, str]
"""Where a page ended, as the service names it; empty: at the beginning, and at the end."""

BEGINNING: Final[Position] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of entities, which may be empty although others follow.

    Attributes:
        entities: the properties of each; its version is `ETAG` among them.
        after: where it ended; empty if nothing follows.

    """

    entities: Sequence[Mapping[str, Any]]
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A change of one entity.

    Attributes:
        method: `POST`, `PUT` or `DELETE`.
        entity: its properties, `PartitionKey` and `RowKey` among them.
        condition: the ETag that it must have; `*`: any; empty: it may be missing.

    """

    method: str
    entity: Mapping[str, Any]
    condition: str = ""


def insert(entity: Mapping[str, Any]) -> Write:
    """Return the write that creates an entity, which must not exist."""
    return Write(method="POST", entity=entity)


def replace(entity: Mapping[str, Any], etag: str) -> Write:
    """Return the write that replaces an entity, which must have this *etag*."""
    return Write(method="PUT", entity=entity, condition=etag)


def put(entity: Mapping[str, Any]) -> Write:
    """Return the write that creates or replaces an entity."""
    return Write(method="PUT", entity=entity)


def delete(entity: Mapping[str, Any]) -> Write:
    """Return the write that deletes an entity, which must exist."""
    return Write(method="DELETE", entity=entity, condition="*")


def literal(text: str) -> str:
    """Return *text* as a literal of a filter or a key."""
    return "'" + text.replace("'", "''") + "'"


class TableClient:
    """Calls the table service; any number of threads may use it. The errors are those of `RestClient.send`.

    Args:
        rest: sends the requests, with tokens unless there are *keys*.
        place: the table.
        keys: the key or the signature that authorizes the requests.

    """

    def __init__(self, rest: "RestClient", place: Place, keys: StorageKeys | None = None) -> None:
        """Keep the arguments."""
        self._rest = rest
        self._place = place
        self._keys = keys
        self._table = f"{place.endpoint}/{place.name}"

    def get(self, partition: str, row: str) -> Entity:
        """Return an entity."""
        answer = self._send("GET", self._address(partition, row), _JSON)
        return Entity(properties=self._object(answer), etag=answer.headers.get("etag", ""))

    def write(self, writes: Sequence[Write]) -> str:
        """Do all *writes*, which are to one partition, or none, and return the new ETag of the first."""
        if len(writes) > 1:
            return self._transaction(writes)
        (write,) = writes
        method, url, headers, body = self._request(write)
        return self._send(method, url, headers, body).headers.get("etag", "")

    def query(self, condition: str, select: Sequence[str], limit: int, after: Position = BEGINNING) -> Page:
        """Return a page of the entities that match, in the order of their keys.

        Args:
            condition: an OData filter.
            select: the properties to read; none: all.
            limit: how many entities are wanted in all.
            after: where the page before ended.

        """
        query = {"$filter": condition, "$top": str(min(limit, LONGEST_PAGE)), **after}
        query |= {"$select": ",".join(select)} if select else {}
        url = f"{self._table}()?{urlencode(query, safe='$', quote_via=quote)}"
        answer = self._send("GET", url, _JSON if select else _WITH_VERSIONS)
        entities = self._object(answer).get("value")
        if not isinstance(entities, list):
            raise AnswerError(answer, "the answer is not a list of entities")
        following = {name: answer.headers.get(f"x-ms-continuation-{name.lower()}", "") for name in _CONTINUATION}
        return Page(entities=entities, after={name: value for name, value in following.items() if value})

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()

    def _address(self, partition: str, row: str) -> str:
        keys = (quote(literal(key), safe="'") for key in (partition, row))
        return f"{self._table}(PartitionKey={next(keys)},RowKey={next(keys)})"

    def _request(self, write: Write) -> tuple[str, str, dict[str, str], bytes]:
        """Return method, URL, headers and body."""
        entity, headers = write.entity, dict(_JSON)
        if write.condition:
            headers["if-match"] = write.condition
        if write.method == "POST":
            return "POST", self._table, headers | {"prefer": "return-no-content"}, _encoded(entity)
        body = b"" if write.method == "DELETE" else _encoded(entity)
        return write.method, self._address(entity["PartitionKey"], entity["RowKey"]), headers, body

    def _transaction(self, writes: Sequence[Write]) -> str:
        """Send an entity group transaction: one change set in one batch, as OData has it."""
        batch, changes = (f"{name}_{os.urandom(16).hex()}" for name in ("batch", "changeset"))
        parts = [_http(*self._request(write)) for write in writes]
        head = b"content-type: application/http\r\ncontent-transfer-encoding: binary\r\n\r\n"
        inner = _multipart(changes, [head + part for part in parts])
        body = _multipart(batch, [f"content-type: multipart/mixed; boundary={changes}\r\n\r\n".encode() + inner])
        headers = _JSON | {"content-type": f"multipart/mixed; boundary={batch}"}
        answer = self._send("POST", f"{self._place.endpoint}/$batch", headers, body)
        answers = list(_answers(answer))
        for each in answers:
            if not each.is_success:
                raise AnswerError(each)
        if len(answers) != len(writes):
            raise AnswerError(answer, f"the answer to {len(writes)} writes has {len(answers)} parts")
        return answers[0].headers.get("etag", "")

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> "HttpAnswer":
        """Send a request of the service, authorized."""
        sent = {**headers, "x-ms-version": API_VERSION, "x-ms-date": formatdate(usegmt=True)}
        if self._keys is not None and self._keys.key:
            sent["authorization"] = _shared_key(self._keys, method, urlsplit(url).path, sent)
        elif self._keys is not None:
            url += ("&" if "?" in url else "?") + self._keys.signature
        return self._rest.send(method, url, sent, body or None)

    def _object(self, answer: "HttpAnswer") -> Mapping[str, Any]:
        found = self._rest.json_of(answer)
        if not isinstance(found, dict):
            raise AnswerError(answer, "the answer is not a JSON object")
        return found


def _encoded(entity: Mapping[str, Any]) -> bytes:
    return compact(entity).encode()


def _shared_key(keys: StorageKeys, method: str, path: str, headers: Mapping[str, str]) -> str:
    """Return the header `Authorization` (REST reference, "Authorize with Shared Key", Table service)."""
    # The second line is for an MD5 digest of the content, which is not sent.
    text = "\n".join([method, "", headers["content-type"], headers["x-ms-date"], f"/{keys.account}{path}"])
    digest = hmac.digest(keys.key, text.encode(), hashlib.sha256)
    return f"SharedKey {keys.account}:{b64encode(digest).decode()}"


def _http(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _multipart(boundary: str, parts: Sequence[bytes]) -> bytes:
    return b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def _answers(answer: "HttpAnswer") -> Iterator["HttpAnswer"]:
    """Yield the answers in the answer to a transaction: one for each write, or that to the write that failed."""
    head = f"content-type: {answer.headers.get('content-type', '')}\r\n\r\n".encode()
    for part in message_from_bytes(head + answer.data).walk():
        if part.get_content_type() != "application/http":
            continue
        line, _, rest = _content(part).partition(b"\r\n")
        words = line.split()
        if len(words) > 1 and words[1].isdigit():
            content = message_from_bytes(rest)
            headers = {name.lower(): str(value) for name, value in content.items()}
            yield changed(answer, status=int(words[1]), headers=headers, data=_content(content))


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
