"""What Event Grid does with our events; it drops in silence what no subscription of the topic asks for."""

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
    """A topic, as Resource Manager knows it, with its subscriptions.

    Args:
        get: see `Get`.
        endpoint: returns the topic's endpoint.
        places: the subscriptions, by id, in which the topic may be.
        source: the source of our events.

    """

    def __init__(self, get: Get, endpoint: Callable[[], str], places: Sequence[str], source: str) -> None:
        """Ask nothing yet."""
        self._get = get
        self._endpoint = endpoint
        self._places = places
        self._source = source
        self._topic = cache(self._find)
        self._receiving = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the topic and its subscriptions."""
        return [
            Check(name="topic's schema", about=f"the topic takes events of the {SCHEMA}", run=self._schema),
            Check(name="subscription", about="an event subscription asks for our events", run=self._subscribed),
            Check(name="subscription's dead letters", about="what cannot be delivered is kept", run=self._letters),
        ]

    def _schema(self) -> None:
        schema = self._topic()["properties"].get("inputSchema", SCHEMA)
        if schema != SCHEMA:
            raise CheckFailedError(f"the topic takes {schema} only, and refuses our events: make one of the {SCHEMA}")

    def _subscribed(self) -> None:
        if not self._receiving():
            raise CheckFailedError(
                f"no event subscription of the topic asks for events of the type {EVENT_TYPE} from {self._source}, so"
                " they are dropped in silence: deploy with `subscribe`, or make one"
            )

    def _letters(self) -> None:
        if not self._receiving():
            raise CheckSkippedError("not checked: there is no event subscription for our events")
        for each in self._receiving():
            properties = each["properties"]
            if not any(properties.get(name) for name in ("deadLetterDestination", "deadLetterWithResourceIdentity")):
                raise CheckFailedError(
                    f"the event subscription {each['name']} has no dead-letter destination, so what cannot be delivered"
                    " for 24 hours is dropped: set one"
                )

    def _look(self) -> list[Mapping[str, Any]]:
        path = f"{self._topic()['id']}/eventSubscriptions"
        return [each for each in self._pages(path) if _asks_for_ours(each.get("properties", {}), self._source)]

    def _find(self) -> Mapping[str, Any]:
        endpoint = self._endpoint().rstrip("/").lower()
        for place in self._places:
            for topic in self._pages(f"/subscriptions/{place}/providers/Microsoft.EventGrid/topics"):
                if str(topic["properties"].get("endpoint", "")).rstrip("/").lower() == endpoint:
                    return topic
        known = ", ".join(self._places) or "no subscription that is named"
        raise CheckSkippedError(f"not checked: the topic is not found in {known}; set AZURE_SUBSCRIPTION_ID to its own")

    def _pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        page = self._get(path, API_VERSION)
        yield from page.get("value", ())
        while page.get("nextLink"):
            page = self._get(page["nextLink"], "")
            yield from page.get("value", ())


def _asks_for_ours(properties: Mapping[str, Any], source: str) -> bool:
    """Tell whether a subscription's filter lets our events through, as far as it judges by type and subject."""
    wanted = properties.get("filter") or {}
    types = [str(each).lower() for each in wanted.get("includedEventTypes") or ()]
    if types and EVENT_TYPE not in types and "all" not in types:
        return False
    # Our subject is the source. Event Grid minds no case here unless it is told to.
    subject = source.lower()
    begins, ends = (str(wanted.get(name) or "").lower() for name in ("subjectBeginsWith", "subjectEndsWith"))
    if not (subject.startswith(begins) and subject.endswith(ends)):
        return False
    return all(
        _passes(each, {"eventtype": EVENT_TYPE, "subject": source}) for each in wanted.get("advancedFilters") or ()
    )


def _passes(condition: Mapping[str, Any], ours: Mapping[str, str]) -> bool:
    matches = _MATCHING.get(str(condition.get("operatorType")))
    value = ours.get(str(condition.get("key", "")).lower())
    if matches is None or value is None:
        return True  # Something else about an event, which nobody can judge without one.
    return any(matches(value.lower(), str(each).lower()) for each in condition.get("values") or ())
