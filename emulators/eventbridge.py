"""A stand-in for the EventBridge API that behaves as AWS does where moto does not, with faults on demand.

Point the real client at it with `AWS_ENDPOINT_URL_EVENTBRIDGE`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from emulators.aws_json import aws_answer, aws_error
from emulators.faults import Order
from emulators.loopback import Answer, Request
from emulators.standin import FaultyStandIn

Json = dict[str, Any]

MOST_ENTRIES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault(Order):
    """An order to fail whole calls of `PutEvents` or `DescribeEventBus`.

    Attributes:
        code: the error code; empty: stay silent for `seconds`, then close the connection.
        status: the HTTP status.

    """

    code: str = ""
    status: int = 400

    def refusal(self) -> Answer | None:
        """Return the error answer; None if there is no code."""
        return aws_error(self.code, "ordered by a test", self.status) if self.code else None


@dataclass(kw_only=True, eq=False)
class EventBridgeStandIn(FaultyStandIn[CallFault]):
    """An EventBridge that accepts entries for every bus, and keeps only those for a bus that exists.

    Attributes:
        buses: the names of the buses that exist; of an ARN only the name at its end counts.
        on_event: called with each event as a rule would deliver it, in the request's thread.
        size_limit: the size in bytes that the entries of a call must stay below.
        region: the region in events and ARNs.
        account: the account in events and ARNs.
        batches: the entries of each PutEvents call that was not failed as a whole.
        events: the events on existing buses, as a rule would deliver them, in the order of their arrival.
        access_keys: the access key that signed each request.
    """

    buses: frozenset[str] = frozenset({"default"})
    on_event: Callable[[Json], None] | None = None
    size_limit: int = 1_048_576
    region: str = "eu-west-3"
    account: str = "123456789012"
    batches: list[list[Json]] = field(init=False, default_factory=list)
    events: list[Json] = field(init=False, default_factory=list)
    access_keys: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._entry_faults: list[tuple[str, str]] = []

    def fail_entry(self, trigger_id: str, *codes: str) -> None:
        """Fail the next entries of this trigger, one per code."""
        with self._lock:
            self._entry_faults += [(trigger_id, code) for code in codes]

    def fail_calls(self, fault: CallFault) -> None:
        """Order a fault for the next calls."""
        self.faults.add(fault)

    def _respond(self, request: Request) -> Answer | None:
        operation = request.headers.get("x-amz-target", "").removeprefix("AWSEvents.")
        with self._lock:
            self.access_keys.append(request.headers["authorization"].partition("Credential=")[2].partition("/")[0])
        return self._answer(operation, lambda: self._work(operation, json.loads(request.body)))

    def _work(self, operation: str, request: Json) -> Answer:
        if operation == "PutEvents":
            return self._put_events(request["Entries"])
        if operation == "DescribeEventBus":
            return self._describe(request["Name"])
        return aws_error("UnknownOperationException", f"{operation} is not served here.")

    def _describe(self, name: str) -> Answer:
        short = name.rpartition("/")[2]
        if short not in self.buses:
            return aws_error("ResourceNotFoundException", f"Event bus {short} does not exist.")
        return aws_answer(200, {"Name": short, "Arn": f"arn:aws:events:{self.region}:{self.account}:event-bus/{short}"})

    def _put_events(self, entries: list[Json]) -> Answer:
        if not 1 <= len(entries) <= MOST_ENTRIES:
            return aws_error("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy")
        if sum(map(_size, entries)) >= self.size_limit:
            return aws_error("ValidationException", "Total size of the entries in the request is over the limit.")
        results = [self._put(entry) for entry in entries]
        with self._lock:
            self.batches.append(entries)
        failed = sum("ErrorCode" in result for result in results)
        return aws_answer(200, {"FailedEntryCount": failed, "Entries": results})

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
        # As AWS does: an event for a bus that does not exist is accepted and lost.
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
    """Return the size of an entry in bytes, by the formula in the user guide."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", [])]
    return 14 * ("Time" in entry) + sum(len(text.encode()) for text in texts)
