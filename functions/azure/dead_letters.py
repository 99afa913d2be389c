"""Blob storage as the place for dead letters: one blob of JSON each."""

import uuid
from collections.abc import Callable
from typing import Any, Final, Protocol

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

# A blob takes far more, but Event Grid delivers at most 1 MB, and escapes may double that.
SIZE_LIMIT: Final = 4_000_000
# The name is ours alone, so a blob that is there already is this letter, whose first answer got lost.
EXISTS: Final = frozenset({"BlobAlreadyExists"})


class Container(Protocol):
    """What is used of `azure.storage.blob.ContainerClient`."""

    def upload_blob(self, name: str, data: bytes, **options: Any) -> object:  # noqa: ANN401 - as the SDK
        """Write a blob."""


class BlobDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        client: makes the client of the container.
        container: the container's name, for people.
        persistence: how often to try.
        new_id: makes the unique part of a blob's name.

    """

    def __init__(
        self,
        client: Callable[[], Container],
        container: str,
        *,
        persistence: Persistence = STANDARD,
        new_id: Callable[[], object] = uuid.uuid4,
    ) -> None:
        """Keep nothing yet."""
        self._client = client
        self._container = container
        self._persistence = persistence
        self._new_id = new_id

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Its blob is named by time, so that a day's letters lie together."""
        name = f"{letter.at:%Y/%m/%d/%H%M%S}-{self._new_id()}.json"
        body = letter_text(letter, SIZE_LIMIT).encode()
        try:
            call(
                lambda: self._upload(name, body),
                service="Blob storage",
                action=f"take a dead letter for the container {self._container}",
                judged=EXISTS,
                persistence=self._persistence,
            )
        except RefusalError:
            return

    def _upload(self, name: str, body: bytes) -> None:
        from azure.storage.blob import ContentSettings

        self._client().upload_blob(name, body, content_settings=ContentSettings(content_type="application/json"))
