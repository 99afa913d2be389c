"""Checks the subscriptions of a Pub/Sub topic: messages without a subscription, or given up by one, are lost."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from functions.gcp.errors import translated
from functions.gcp.sessions import Session

# Seconds that a function may run; with a shorter deadline a second copy is delivered while the first is processed.
LONGEST_RUN: Final = 60

Explain = Callable[[str], AbstractContextManager[None]]
"""Makes a context that translates the errors of a call, given the permission that the call needs."""


class Subscriptions:
    """The subscriptions of a topic.

    Args:
        session: calls Pub/Sub.
        base: base URL of Pub/Sub.
        topic: returns `projects/P/topics/T`.
        explain: see `Explain`.

    """

    def __init__(self, session: Session, base: str, topic: Callable[[], str], explain: Explain) -> None:
        """Make no call yet."""
        self._session = session
        self._base = base
        self._topic = topic
        self._explain = explain
        self.all = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the subscriptions that push to a function."""
        return [
            Check(name="subscription", about="a subscription pushes to a function", run=self._pushed),
            Check(name="retries", about="failed deliveries are retried with growing delays", run=self._retries),
            Check(
                name="undelivered", about="messages that keep failing go to a dead-letter topic", run=self._dead_letters
            ),
            Check(name="expiration", about="the subscription never expires", run=self._expiration),
            Check(name="ack deadline", about="no message is delivered again while it is processed", run=self._deadline),
            Check(name="filter", about="the subscription has no filter", run=self._filter),
        ]

    def _pushed(self) -> None:
        if not any(map(_pushes, self.all())):
            raise CheckFailedError(
                f"no subscription of {self._topic()} pushes to a function, so triggers are never received; deploy the"
                " function, or create a subscription with its address as push endpoint"
            )

    def _retries(self) -> None:
        self._each(
            lambda found: "retryPolicy" in found,
            "has no retry policy, so a failed delivery is repeated immediately, again and again; set one",
        )

    def _dead_letters(self) -> None:
        self._each(
            lambda found: bool(found.get("deadLetterPolicy", {}).get("deadLetterTopic")),
            "has no dead-letter policy, so messages that keep failing are dropped when their retention ends; set one",
        )

    def _expiration(self) -> None:
        # REST reference: without the field it is 31 days; with the field but without `ttl` it is never.
        self._each(
            lambda found: "expirationPolicy" in found and not found["expirationPolicy"].get("ttl"),
            "expires after a time without deliveries, 31 days by default; set its expiration to never",
        )

    def _deadline(self) -> None:
        self._each(
            lambda found: int(found.get("ackDeadlineSeconds", 0)) >= LONGEST_RUN,
            f"delivers a second copy while the first is processed; set its ack deadline to at least {LONGEST_RUN} s",
        )

    def _filter(self) -> None:
        filtered = {_name(found): found["filter"] for found in self._pushing() if found.get("filter")}
        if filtered:
            names = ", ".join(f"{name} ({condition})" for name, condition in filtered.items())
            raise CheckSkippedError(
                f"not checked: {names} drops messages that its filter does not match; check that triggers match it"
            )

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
        with self._explain("pubsub.topics.attachSubscription"), translated("Pub/Sub", f"get the topic {topic}"):
            # For a topic that does not exist, the emulator returns an empty list of subscriptions.
            self._session.get(f"{self._base}/v1/{topic}")
            names = list(self._names(topic))
        with self._explain("pubsub.subscriptions.get"), translated("Pub/Sub", f"get the subscriptions of {topic}"):
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
