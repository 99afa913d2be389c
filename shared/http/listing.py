"""The list of models in pages: first those that the configuration names, then those that match a pattern."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, Self

from shared.decision.attention import FOR_PEOPLE
from shared.errors import DamagedStateError, InvalidTriggerError
from shared.fields import read_model_id
from shared.frozen import dataclass
from shared.http.parts import EmitterParts
from shared.http.views import STATES, damaged, summary
from shared.ledger.index import is_complete, is_own
from shared.ledger.snapshots import snapshot_of

PAGE_SIZE: Final = 100
# With more models than this in the index, those that wait for a person are searched page by page.
_MOST_INDEXED: Final = 1000
_NAMED: Final = "named:"
_SEEN: Final = "seen:"
_WAITING: Final = "waiting:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which models are listed; all conditions together.

    Attributes:
        text: a part of the id, in any case; empty for all.
        states: the states; empty for all.
        waiting: only models with a trigger that waits for a person, whatever their state.

    """

    text: str = ""
    states: frozenset[str] = frozenset()
    waiting: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read the filter of a request.

        Raises:
            InvalidTriggerError: a state is unknown, or `waiting` is neither true nor false.

        """
        states = frozenset(state for state in query.get("state", "").split(",") if state)
        if unknown := sorted(states - set(STATES)):
            raise InvalidTriggerError("state", f"must be one of {', '.join(STATES)}, not {unknown[0]!r}")
        waiting = query.get("waiting", "false").lower()
        if waiting not in ("true", "false"):
            raise InvalidTriggerError("waiting", f"must be true or false, not {waiting!r}")
        return cls(text=query.get("q", "").casefold(), states=states, waiting=waiting == "true")

    def names(self, model_id: str) -> bool:
        """Return whether the id of a model is among those that are listed."""
        return self.text in model_id.casefold()

    def shows(self, entry: Mapping[str, object]) -> bool:
        """Return whether the entry of a model is listed."""
        if self.states and entry["state"] not in self.states:
            return False
        return not self.waiting or entry["waiting"] is not None


def list_models(emitter: EmitterParts, query: Mapping[str, str]) -> dict[str, object]:
    """Return one page of models.

    Args:
        emitter: the parts.
        query: the filter, and `after`, the `next` of an earlier page; without it, the first page is returned.

    Raises:
        InvalidTriggerError: a value of *query* is invalid.
        UnavailableError: the ledger is unavailable.

    """
    wanted = Filter.parse(query)
    ids, following = _page(emitter, query.get("after") or "", wanted)
    now, models = emitter.clock(), []
    # A model that is not configured any more is left out; its state is kept in case it is configured again.
    known = [model_id for model_id in ids if emitter.config.knows(model_id)]
    stored = emitter.ledger.load_many(known)
    for model_id in known:
        model = emitter.config.find(model_id)
        try:
            entry = summary(model_id, model, snapshot_of(model_id, stored[model_id]).state, now)
        except DamagedStateError as error:
            entry = damaged(model_id, model, str(error), now)
        if wanted.shows(entry):
            models.append(entry)
    return {"models": models} | ({"next": following} if following else {})


def matching(emitter: EmitterParts, pattern: str, limit: int) -> list[str]:
    """Return the ids of up to *limit* models that match *pattern*: configured ones, and the first of those seen.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    named = emitter.config.named(emitter.cloud)
    seen = (name for name in emitter.ledger.models(None, _MOST_INDEXED) if not is_own(name))
    every = dict.fromkeys([*named, *seen])
    return [name for name in every if fnmatchcase(name, pattern) and emitter.config.knows(name)][:limit]


def _page(emitter: EmitterParts, after: str, wanted: Filter) -> tuple[list[str], str | None]:
    """Return the ids of a page that *wanted* does not rule out, and the `next` of the page; None at the end."""
    if wanted.waiting and (not after or after.startswith(_WAITING)):
        indexed = _indexed(emitter)
        if indexed is not None:
            left = [name for name in indexed if name > after.removeprefix(_WAITING) and wanted.names(name)]
            return left[:PAGE_SIZE], f"{_WAITING}{left[PAGE_SIZE - 1]}" if len(left) > PAGE_SIZE else None
    named, after = emitter.config.named(emitter.cloud), after or _NAMED
    if after.startswith(_NAMED):
        left = [name for name in named if name > after.removeprefix(_NAMED) and wanted.names(name)]
        following = f"{_NAMED}{left[PAGE_SIZE - 1]}" if len(left) > PAGE_SIZE else _first_seen(emitter)
        return left[:PAGE_SIZE], following
    stored = emitter.ledger.models(_last_seen(after), PAGE_SIZE + 1)
    # One more than fits on a page, to see whether another page follows.
    shown, known = stored[:PAGE_SIZE], set(named)
    following = f"{_SEEN}{shown[-1]}" if len(stored) > PAGE_SIZE else None
    return [name for name in shown if name not in known and not is_own(name) and wanted.names(name)], following


def _last_seen(after: str) -> str | None:
    """Return the id that *after* names; None for the first page. Ledgers accept ids only."""
    last = after.removeprefix(_SEEN)
    try:
        if after.startswith(_SEEN):
            return read_model_id(last) if last else None
    except InvalidTriggerError:
        pass
    raise InvalidTriggerError("after", "must be the `next` of an earlier page")


def _indexed(emitter: EmitterParts) -> list[str] | None:
    """Return the ids of all models that may wait for a person, sorted; None if the index cannot say which."""
    if not is_complete(emitter.ledger):
        return None
    due = emitter.ledger.due(FOR_PEOPLE, _MOST_INDEXED + 1)
    return sorted(set(due)) if due is not None and len(due) <= _MOST_INDEXED else None


def _first_seen(emitter: EmitterParts) -> str | None:
    """Return the `next` of the first page of models that match a pattern; None if no pattern is configured."""
    return _SEEN if emitter.config.has_patterns else None
