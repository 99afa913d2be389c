"""The dead letters of Azure, as the command reads them: blobs of the receiver and of Event Grid."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from functions.azure.addresses import place_of
from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from shared.json_text import parse_json
from shared.training.letters import REJECTED, UNDELIVERED, Kind, LetterBox, StoredLetter, rejected_letter
from shared.wire import eventgrid
from shared.wire.incoming import Incoming
from shared.wire.reading import text, time

GONE: Final = frozenset({404})


class LettersContainer(Protocol):
    """The methods of `azure.storage.blob.ContainerClient` that are used."""

    def list_blob_names(self, **options: Any) -> Any:  # noqa: ANN401 - as the SDK
        """List the names of the blobs."""

    def download_blob(self, blob: str, **options: Any) -> Any:  # noqa: ANN401 - as the SDK
        """Download a blob."""

    def delete_blob(self, blob: str, **options: Any) -> None:  # noqa: ANN401 - as the SDK
        """Delete a blob."""


def boxes(variables: Mapping[str, str]) -> list[LetterBox]:
    """Return the places of the deployment that *variables* name."""
    from functions.azure.wiring import clients

    places: dict[Kind, str] = {
        REJECTED: variables.get("RETRAIN_DEAD_LETTERS", ""),
        UNDELIVERED: variables.get("RETRAIN_UNDELIVERED", ""),
    }
    found: list[LetterBox] = []
    for kind, url in places.items():
        if url:
            place = place_of("RETRAIN_DEAD_LETTERS" if kind == REJECTED else "RETRAIN_UNDELIVERED", url)
            found.append(BlobLetters(clients().container(place), place.name, kind))
    return found


class BlobLetters:
    """A `shared.training.letters.LetterBox`.

    Args:
        client: returns the client of the container.
        container: the name of the container, for messages.
        kind: what is in it.
        persistence: how to repeat a request.

    """

    def __init__(
        self,
        client: Callable[[], LettersContainer],
        container: str,
        kind: Kind,
        *,
        persistence: Persistence = STANDARD,
    ) -> None:
        """Keep the arguments."""
        self._client = client
        self._container = container
        self.kinds: tuple[Kind, ...] = (kind,)
        self._kind = kind
        self._persistence = persistence

    def read(self, only: str = "") -> Iterator[StoredLetter]:
        """Read every blob, oldest first, or only the one that is named; see the port."""
        names = [only.removeprefix(f"{self._kind}/")] if only else self._call(self._names, "list the dead letters")
        for name in names:
            try:
                content, changed = self._call(partial(self._download, name), f"read the dead letter {name}")
            except RefusalError:
                continue  # It was deleted since the names were listed, or never existed.
            yield self._letter(name, content, changed)

    def delete(self, letter: StoredLetter) -> None:
        """Delete the blob; see the port."""
        name = str(letter.handle)
        try:
            self._call(lambda: self._client().delete_blob(name), f"delete the dead letter {name}")
        except RefusalError:
            return

    def release(self) -> None:
        """Do nothing: blobs are not hidden while they are read."""

    def _call(self, work: Callable[[], Any], action: str) -> Any:  # noqa: ANN401 - the result of *work*
        where = f"{action} in the container {self._container}"
        return call(work, service="Blob storage", action=where, judged=GONE, persistence=self._persistence)

    def _names(self) -> list[str]:
        return sorted(self._client().list_blob_names())

    def _download(self, name: str) -> tuple[bytes, datetime | None]:
        found = self._client().download_blob(name)
        return found.readall(), found.properties.last_modified

    def _letter(self, name: str, content: bytes, changed: datetime | None) -> StoredLetter:
        if self._kind == REJECTED:
            return rejected_letter(name, content, name)
        try:
            given = parse_json(content)
        except ValueError:
            given = content.decode("utf-8", "replace")
        events = tuple(eventgrid.events_of(given))
        first = events[0] if events and isinstance(events[0], Mapping) else {}
        outcome = (text(first.get(field)) for field in ("deadLetterReason", "lastDeliveryOutcome"))
        return StoredLetter(
            letter_id=f"{UNDELIVERED}/{name}",
            kind=UNDELIVERED,
            at=time(first.get("lastDeliveryAttemptTime")) or changed,
            reason=UNDELIVERED,
            error=": ".join(filter(None, outcome)),
            events=events,
            handle=name,
        )


def decode(event: object, source: str) -> Incoming:
    """Decode the event in a letter.

    Raises:
        PermanentError: it cannot be read.

    """
    return eventgrid.decode(event, source)
