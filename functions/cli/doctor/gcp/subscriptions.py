"""How a topic of Pub/Sub delivers: what no subscription asks for is forgotten, what one gives up is dropped."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from functions.gcp.errors import translated
from functions.gcp.rest import Session

# Seconds. A function may run for so long; a deadline below it delivers a second copy while the first is worked on.
LONGEST_RUN: Final = 60

Told = Callable[[str], AbstractContextManager[None]]
"""Makes what explains the errors of a call for which some right, such as `pubsub.subscriptions.get`, is needed."""


class Subscriptions:
    """The subscriptions of a topic.

    Args:
        session: calls Pub/Sub.
        base: base URL of Pub/Sub.
        topic: returns `projects/P/topics/T`.
        told: see `Told`.

    """

    def __init__(self, session: Session, base: str, topic: Callable[[], str], told: Told) -> None:
        """Ask nothing yet."""
        self._session = session
        self._base = base
        self._topic = topic
        self._told = told
        self.all = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of what pushes to the function."""
        return [
            Check(name="subscription", about="a subscription pushes to a function", run=self._pushed),
            Check(name="retries", about="a pause grows between deliveries that fail", run=self._retries),
            Check(name="undelivered", about="what keeps failing goes to a dead-letter topic", run=self._letters),
            Check(name="expiration", about="the subscription never expires", run=self._expiration),
            Check(name="ack deadline", about="nothing is delivered twice at once", run=self._deadline),
            Check(name="filter", about="the subscription takes everything on the topic", run=self._filter),
        ]

    def _pushed(self) -> None:
        if not any(map(_pushes, self.all())):
            raise CheckFailedError(
                f"no subscription of {self._topic()} pushes to a function, so triggers are never received: deploy the"
                " function, or make a subscription with its address as push endpoint"
            )

    def _retries(self) -> None:
        self._each(
            lambda found: "retryPolicy" in found,
            "has no retry policy, so what fails comes again at once, over and over: set one",
        )

    def _letters(self) -> None:
        self._each(
            lambda found: bool(found.get("deadLetterPolicy", {}).get("deadLetterTopic")),
            "has no dead-letter policy, so what keeps failing is dropped when its retention ends: set one",
        )

    def _expiration(self) -> None:
        # REST reference: without the field it is 31 days, with the field and without `ttl` it is never.
        self._each(
            lambda found: "expirationPolicy" in found and not found["expirationPolicy"].get("ttl"),
            "expires when nothing was delivered for a while, 31 days unless it says otherwise: set its expiration to"
            " never",
        )

    def _deadline(self) -> None:
        self._each(
            lambda found: int(found.get("ackDeadlineSeconds", 0)) >= LONGEST_RUN,
            f"delivers a second copy while the first is worked on: set its ack deadline to {LONGEST_RUN} seconds or"
            " more",
        )

    def _filter(self) -> None:
        filtered = {_name(found): found["filter"] for found in self._pushing() if found.get("filter")}
        if filtered:
            told = ", ".join(f"{name} ({what})" for name, what in filtered.items())
            raise CheckSkippedError(f"not checked: {told} drops what its filter does not match; see that ours does")

    def _each(self, holds: Callable[[Mapping[str, Any]], bool], otherwise: str) -> None:
        broken = [_name(found) for found in self._pushing() if not holds(found)]
        if broken:
            raise CheckFailedError(f"the subscription {', '.join(broken)} {otherwise}")

    def _pushing(self) -> list[Mapping[str, Any]]:
        pushing = [found for found in self.all() if _pushes(found)]
        if not pushing:
            raise CheckSkippedError("not checked: no subscription pushes to a function")
        return pushing

    def _look(self) -> list[Mapping[str, Any]]:
        topic = self._topic()
        with self._told("pubsub.topics.attachSubscription"), translated("Pub/Sub", f"look at {topic}"):
            # The emulator answers with an empty list where the topic is not there.
            self._session.get(f"{self._base}/v1/{topic}")
            names = list(self._names(topic))
        with self._told("pubsub.subscriptions.get"), translated("Pub/Sub", f"look at the subscriptions of {topic}"):
            return [self._session.get(f"{self._base}/v1/{name}") for name in names]

    def _names(self, topic: str) -> Iterator[str]:
        query: dict[str, str] = {}
        while True:
            page = self._session.get(f"{self._base}/v1/{topic}/subscriptions", query)
            yield from page.get("subscriptions", ())
            if not page.get("nextPageToken"):
                return
            query = {"pageToken": page["nextPageToken"]}


def _pushes(found: Mapping[str, Any]) -> bool:
    return bool(found.get("pushConfig", {}).get("pushEndpoint")) and not found.get("detached")


def _name(found: Mapping[str, Any]) -> str:
    return str(found.get("name", "")).rpartition("/")[2]
