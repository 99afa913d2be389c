"""Checks that Event Grid delivers triggers: it silently drops events that no subscription matches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from shared.wire.eventgrid import EVENT_TYPE

API_VERSION: Final = "2025-02-15"
SCHEMA: Final = "EventGridSchema"

Get = Callable[[str, str], Mapping[str, Any]]
"""Reads a resource of Azure Resource Manager by its path and the version of its API."""

_MATCHING: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringBeginsWith": str.startswith,
    "StringEndsWith": str.endswith,
    "StringContains": str.__contains__,
    "StringIn": str.__eq__,
}


class EventSubscriptions:
    """A topic in Azure Resource Manager, with its event subscriptions.

    Args:
        get: see `Get`.
        endpoint: returns the topic's endpoint.
        places: the ids of the Azure subscriptions to search for the topic.
        source: the source of emitted events.

    """

    def __init__(self, get: Get, endpoint: Callable[[], str], places: Sequence[str], source: str) -> None:
        """Make no call yet."""
        self._get = get
        self._endpoint = endpoint
        self._places = places
        self._source = source
        self._topic = cache(self._find)
        self._receiving = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the topic and its event subscriptions."""
        return [
            Check(name="topic's schema", about=f"the topic accepts events of the {SCHEMA}", run=self._schema),
            Check(name="subscription", about="an event subscription matches triggers", run=self._subscribed),
            Check(
                name="subscription's dead letters",
                about="events that cannot be delivered are kept",
                run=self._dead_letters,
            ),
        ]

    def _schema(self) -> None:
        schema = self._topic()["properties"].get("inputSchema", SCHEMA)
        if schema != SCHEMA:
            raise CheckFailedError(
                f"the topic accepts {schema} only, so triggers are refused; create a topic of the {SCHEMA}"
            )

    def _subscribed(self) -> None:
        if not self._receiving():
            raise CheckFailedError(
                f"no event subscription of the topic matches events of the type {EVENT_TYPE} from {self._source}, so"
                " they are silently dropped; deploy with `subscribe`, or create one"
            )

    def _dead_letters(self) -> None:
        if not self._receiving():
            raise CheckSkippedError("not checked: no event subscription matches triggers")
        for each in self._receiving():
            properties = each["properties"]
            if not any(properties.get(name) for name in ("deadLetterDestination", "deadLetterWithResourceIdentity")):
                raise CheckFailedError(
                    f"the event subscription {each['name']} has no dead-letter destination, so events that cannot be"
                    " delivered for 24 hours are dropped; set one"
                )

    def _look(self) -> list[Mapping[str, Any]]:
        path = f"{self._topic()['id']}/eventSubscriptions"
        return [each for each in self._pages(path) if _matches_triggers(each.get("properties", {}), self._source)]

    def _find(self) -> Mapping[str, Any]:
        endpoint = self._endpoint().rstrip("/").lower()
        for place in self._places:
            for topic in self._pages(f"/subscriptions/{place}/providers/Microsoft.EventGrid/topics"):
                if str(topic["properties"].get("endpoint", "")).rstrip("/").lower() == endpoint:
                    return topic
        known = ", ".join(self._places) or "no named subscription"
        raise CheckSkippedError(
            f"not checked: the topic was not found in {known}; set AZURE_SUBSCRIPTION_ID to its subscription"
        )

    def _pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        page = self._get(path, API_VERSION)
        yield from page.get("value", ())
        while page.get("nextLink"):
            page = self._get(page["nextLink"], "")
            yield from page.get("value", ())


def _matches_triggers(properties: Mapping[str, Any], source: str) -> bool:
    """Return whether a subscription's filter passes triggers, as far as it depends on type and subject."""
    criteria = properties.get("filter") or {}
    types = [str(each).lower() for each in criteria.get("includedEventTypes") or ()]
    if types and EVENT_TYPE not in types and "all" not in types:
        return False
    # The subject of a trigger is its source. Event Grid compares case-insensitively by default.
    subject = source.lower()
    begins, ends = (str(criteria.get(name) or "").lower() for name in ("subjectBeginsWith", "subjectEndsWith"))
    if not (subject.startswith(begins) and subject.endswith(ends)):
        return False
    return all(
        _passes(each, {"eventtype": EVENT_TYPE, "subject": source}) for each in criteria.get("advancedFilters") or ()
    )


def _passes(condition: Mapping[str, Any], ours: Mapping[str, str]) -> bool:
    matches = _MATCHING.get(str(condition.get("operatorType")))
    value = ours.get(str(condition.get("key", "")).lower())
    if matches is None or value is None:
        return True  # A condition on other attributes cannot be evaluated without a real event.
    return any(matches(value.lower(), str(each).lower()) for each in condition.get("values") or ())
