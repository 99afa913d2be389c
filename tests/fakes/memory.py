"""Ledger, dead letters and event bus in memory."""

import copy
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from shared.backoff import Backoff
from shared.errors import BusError
from shared.ports import NOT_INDEXED, DeadLetter, IndexEntry, Stored
from shared.training.dead_letters import letter_document
from shared.training.letters import REJECTED, UNDELIVERED, Kind, StoredLetter, rejected_letter
from shared.trigger import RetrainTrigger
from tests.fakes.faults import Gate, perform

# Other writers are repeated without a pause: a test's time does not pass by itself.
IMMEDIATELY: Final = Backoff(attempts=100, sleep=lambda _seconds: None)


class Gated:
    """A port whose calls go through a gate."""

    def __init__(self, gate: Gate = perform) -> None:
        """Let every call go through *gate*."""
        self._gate = gate

    def through(self, gate: Gate) -> Self:
        """Return the same thing for a caller whose calls go through another *gate*; the content is shared."""
        other = copy.copy(self)
        other._gate = gate  # noqa: SLF001 - our own kind
        return other


class IndexState(StrEnum):
    """How reads of an index answer: as it is now, as it was when its state changed to `LATE`, or not at all."""

    CURRENT = "current"
    LATE = "late"
    MISSING = "missing"


@dataclass
class _IndexReads:
    state: IndexState = IndexState.CURRENT
    late: dict[str, IndexEntry] = field(default_factory=dict)


class MemoryLedger(Gated):
    """A `shared.ports.Ledger`.

    Attributes:
        history: every document that was ever saved, with its model, oldest first.
        index: the entry of each model.

    """

    def __init__(self, gate: Gate = perform) -> None:
        """Begin without any model."""
        super().__init__(gate)
        self.history: list[tuple[str, str]] = []
        self.index: dict[str, IndexEntry] = {}
        self._reads = _IndexReads()
        self._pages: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def load(self, model_id: str) -> Stored:
        """Return the newest document; see the port."""
        return self._gate("load", lambda: self.peek(model_id))

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest documents; see the port."""
        return self._gate("load_many", lambda: {model_id: self.peek(model_id) for model_id in model_ids})

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*; see the port."""
        return self._gate("save", lambda: self._replace(model_id, document, version, entry))

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return a page of the stored models' ids; see the port."""
        return self._gate("models", lambda: self._page(after or "", max(limit, 0)))

    @property
    def index_state(self) -> IndexState:
        """How reads of the index answer."""
        return self._reads.state

    @index_state.setter
    def index_state(self, state: IndexState) -> None:
        self._reads.state, self._reads.late = state, dict(self.index)

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the models that need attention; see the port."""
        return self._gate("due", lambda: self._due(until, limit))

    def model_of_run(self, name: str) -> str | None:
        """Return the model of a run; see the port."""
        return self._gate("model_of_run", lambda: self._model_of_run(name))

    def peek(self, model_id: str) -> Stored:
        """Return the newest document without a call that could fail."""
        document, version = self._pages.get(model_id, (None, None))
        return Stored(document=document, version=version)

    def _replace(self, model_id: str, document: str, version: object, entry: IndexEntry) -> Stored | None:
        with self._lock:
            if self.peek(model_id).version != version:
                return None
            self.history.append((model_id, document))
            self._pages[model_id] = (document, len(self.history))
            self.index[model_id] = entry
            return self.peek(model_id)

    def _read_index(self) -> dict[str, IndexEntry]:
        with self._lock:
            return dict({IndexState.CURRENT: self.index, IndexState.LATE: self._reads.late}.get(self._reads.state, {}))

    def _due(self, until: datetime, limit: int) -> list[str] | None:
        entries = self._read_index()
        times = {name: entry.attention for name, entry in entries.items() if entry.attention is not None}
        found = sorted((name for name, at in times.items() if at <= until), key=lambda name: times[name])
        return None if self._reads.state is IndexState.MISSING else found[:limit]

    def _model_of_run(self, name: str) -> str | None:
        return next((model_id for model_id, entry in self._read_index().items() if name in entry.runs), None)

    def _page(self, after: str, limit: int) -> list[str]:
        with self._lock:
            return sorted(model_id for model_id in self._pages if model_id > after)[:limit]


class MemoryDeadLetters(Gated):
    """A `shared.ports.DeadLetters`.

    Attributes:
        letters: what was put here, as the JSON objects that every cloud writes.

    """

    def __init__(self, gate: Gate = perform) -> None:
        """Keep nothing yet."""
        super().__init__(gate)
        self.letters: list[dict[str, Any]] = []

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port."""
        document = json.loads(json.dumps(letter_document(letter)))
        self._gate("put", lambda: self.letters.append(document))


class MemoryLetterBox:
    """A `shared.training.letters.LetterBox` of the letters in memory.

    Attributes:
        kinds: see the port.
        released: how often the letters were released.

    """

    def __init__(self, dead_letters: MemoryDeadLetters) -> None:
        """Read and delete the letters of *dead_letters*."""
        self.kinds: tuple[Kind, ...] = (REJECTED, UNDELIVERED)
        self.released = 0
        self._letters = dead_letters.letters

    def read(self, only: str = "") -> Iterator[StoredLetter]:  # noqa: ARG002 - yields others, too
        """Yield every letter, also those that arrive meanwhile; see the port."""
        seen: list[int] = []
        while fresh := [letter for letter in self._letters if id(letter) not in seen]:
            seen.append(id(fresh[0]))
            yield rejected_letter(str(len(seen)), json.dumps(fresh[0]), fresh[0])

    def delete(self, letter: StoredLetter) -> None:
        """Delete *letter*; see the port."""
        self._letters[:] = [each for each in self._letters if each is not letter.handle]

    def release(self) -> None:
        """Count the call; see the port."""
        self.released += 1


class MemoryBus(Gated):
    """A `shared.ports.EventBus`.

    Attributes:
        published: the triggers that it took, oldest first.
        sweeps: the models of the sweeps that were requested, oldest first.

    """

    def __init__(self, gate: Gate = perform, refused: Mapping[str, str] | None = None) -> None:
        """Take every trigger but those whose ids are *refused*, each for its reason."""
        super().__init__(gate)
        self.published: list[RetrainTrigger] = []
        self.sweeps: list[str] = []
        self._refused = dict(refused or {})

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Take all *triggers*; see the port."""
        if triggers:
            self._gate("publish", lambda: self._take(triggers))

    def request_sweep(self, model_id: str) -> None:
        """Take the request; see the port."""
        self._gate("publish", lambda: self.sweeps.append(model_id))

    def _take(self, triggers: Sequence[RetrainTrigger]) -> None:
        self.published.extend(trigger for trigger in triggers if trigger.trigger_id not in self._refused)
        failures = {
            one.trigger_id: self._refused[one.trigger_id] for one in triggers if one.trigger_id in self._refused
        }
        if failures:
            raise BusError("The memory bus", failures)
