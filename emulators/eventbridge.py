"""A stand-in for the EventBridge API that behaves as AWS does where moto does not, with faults on demand.

Point the real client at it with `AWS_ENDPOINT_URL_EVENTBRIDGE`.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from emulators.loopback import Answer, LoopbackServer, Request

Json = dict[str, Any]

MOST_ENTRIES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """An order to fail whole calls.

    Attributes:
        operation: `PutEvents` or `DescribeEventBus`.
        code: the error code; empty: stay silent for `seconds`, then close the connection.
        status: the HTTP status.
        seconds: how long the silence lasts.
        times: how many requests it hits; botocore's own attempts count one by one.
    """

    operation: str
    code: str = ""
    status: int = 400
    seconds: float = 0
    times: int = 1


@dataclass(kw_only=True, eq=False)
class EventBridgeStandIn:
    """An EventBridge that takes entries for every bus, and keeps only those for a bus that exists.

    Attributes:
        buses: the names of the buses that exist; an ARN counts by the name at its end.
        on_event: called with each event as a rule would deliver it, in the request's thread.
        size_limit: how many bytes a call's entries must stay below.
        region: as in events.
        account: as in events.
        calls: the number of requests by operation.
        batches: the entries of each PutEvents call that was not failed as a whole.
        events: the events on existing buses, as a rule would deliver them, in the order of their arrival.
        access_keys: the access key that signed each request.
    """

    buses: frozenset[str] = frozenset({"default"})
    on_event: Callable[[Json], None] | None = None
    size_limit: int = 1_048_576
    region: str = "eu-west-3"
    account: str = "123456789012"
    calls: Counter[str] = field(init=False, default_factory=Counter)
    batches: list[list[Json]] = field(init=False, default_factory=list)
    events: list[Json] = field(init=False, default_factory=list)
    access_keys: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._entry_faults: list[tuple[str, str]] = []
        self._call_faults: list[CallFault] = []
        self._server = LoopbackServer(self._respond)

    @property
    def url(self) -> str:
        """The endpoint."""
        return self._server.url

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wake what hangs, and stop answering."""
        self._closing.set()
        self._server.close()

    def fail_entry(self, trigger_id: str, *codes: str) -> None:
        """Fail the entries of this trigger, one after the other, with these codes."""
        with self._lock:
            self._entry_faults += [(trigger_id, code) for code in codes]

    def fail_calls(self, fault: CallFault) -> None:
        """Fail calls."""
        with self._lock:
            self._call_faults += [fault] * fault.times

    def _respond(self, request: Request) -> Answer | None:
        operation = request.headers.get("x-amz-target", "").removeprefix("AWSEvents.")
        with self._lock:
            self.calls[operation] += 1
            self.access_keys.append(request.headers["authorization"].partition("Credential=")[2].partition("/")[0])
            fault = next((fault for fault in self._call_faults if fault.operation == operation), None)
            if fault is not None:
                self._call_faults.remove(fault)
        if fault is None:
            return self._work(operation, json.loads(request.body))
        if fault.code:
            return _error(fault.code, "ordered by a test", fault.status)
        self._closing.wait(fault.seconds)
        return None

    def _work(self, operation: str, request: Json) -> Answer:
        if operation == "PutEvents":
            return self._put_events(request["Entries"])
        if operation == "DescribeEventBus":
            return self._describe(request["Name"])
        return _error("UnknownOperationException", f"{operation} is not served here.")

    def _describe(self, name: str) -> Answer:
        short = name.rpartition("/")[2]
        if short not in self.buses:
            return _error("ResourceNotFoundException", f"Event bus {short} does not exist.")
        return _answer(200, {"Name": short, "Arn": f"arn:aws:events:{self.region}:{self.account}:event-bus/{short}"})

    def _put_events(self, entries: list[Json]) -> Answer:
        if not 1 <= len(entries) <= MOST_ENTRIES:
            return _error("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy")
        if sum(map(_size, entries)) >= self.size_limit:
            return _error("ValidationException", "Total size of the entries in the request is over the limit.")
        results = [self._put(entry) for entry in entries]
        with self._lock:
            self.batches.append(entries)
        failed = sum("ErrorCode" in result for result in results)
        return _answer(200, {"FailedEntryCount": failed, "Entries": results})

    def _put(self, entry: Json) -> Json:
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        with self._lock:
            ordered = next((order for order in self._entry_faults if order[0] == detail.get("trigger_id")), None)
            if ordered is not None:
                self._entry_faults.remove(ordered)
                return {"ErrorCode": ordered[1], "ErrorMessage": "ordered by a test"}
        event = self._event(entry, detail)
        # As AWS does: a bus that does not exist takes the event all the same, and nobody ever sees it.
        if entry.get("EventBusName", "default").rpartition("/")[2] in self.buses:
            with self._lock:
                self.events.append(event)
            if self.on_event:
                self.on_event(event)
        return {"EventId": event["id"]}

    def _event(self, entry: Json, detail: Json) -> Json:
        sent_at = datetime.fromtimestamp(entry["Time"], UTC) if "Time" in entry else datetime.now(UTC)
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self.account,
            "time": sent_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": entry.get("Resources", []),
            "detail": detail,
        }


def _size(entry: Json) -> int:
    """Return an entry's size by the user guide's formula."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", [])]
    return 14 * ("Time" in entry) + sum(len(text.encode()) for text in texts)


def _answer(status: int, body: Mapping[str, Any]) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid4())}
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)


def _error(code: str, message: str, status: int = 400) -> Answer:
    return _answer(status, {"__type": code, "message": message})
