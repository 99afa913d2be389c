"""Dead letters as blobs of JSON in a container."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from functions.machine import new_id
from shared.ports import DeadLetter, RandomId
from shared.training.dead_letters import letter_text

# The client writes a blob of this size in one request. A blob may be larger still, but no event is: Event Grid delivers
# at most 1 MB.
SIZE_LIMIT: Final = 64 * 1024 * 1024
# The name is unique, so a blob that exists already is this letter: the answer to the first attempt was lost.
EXISTS: Final = frozenset({"BlobAlreadyExists"})


class Container(Protocol):
    """The methods of `azure.storage.blob.ContainerClient` that are used."""

    def upload_blob(self, name: str, data: bytes, **options: Any) -> object:  # noqa: ANN401 - as the SDK
        """Write a blob."""


class BlobDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        client: returns the client of the container.
        container: the name of the container, for messages.
        persistence: how to repeat a request.
        new_id: makes the unique part of a blob's name.

    """

    def __init__(
        self,
        client: Callable[[], Container],
        container: str,
        *,
        persistence: Persistence = STANDARD,
        new_id: RandomId = new_id,
    ) -> None:
        """Keep the arguments."""
        self._client = client
        self._container = container
        self._persistence = persistence
        self._new_id = new_id

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Blob names begin with the time, so that the letters of a day sort together."""
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
