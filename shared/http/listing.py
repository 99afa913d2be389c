"""The list of models in pages: first those that the configuration names, then those that match a pattern."""

from typing import Final

from shared.errors import DamagedStateError, InvalidTriggerError, UnknownModelError
from shared.http.views import damaged, summary
from shared.ledger.index import is_own
from shared.ledger.snapshots import load
from shared.parts import EmitterParts

PAGE_SIZE: Final = 50
_NAMED: Final = "named:"
_SEEN: Final = "seen:"


def list_models(emitter: EmitterParts, after: str | None) -> dict[str, object]:
    """Return the page of models that *after*, the `next` of an earlier page, refers to; without it, the first page.

    Raises:
        InvalidTriggerError: *after* is not a valid `next`.
        UnavailableError: the ledger is unavailable.

    """
    ids, following = _page(emitter, after or _NAMED)
    now, models = emitter.clock(), []
    for model_id in ids:
        try:
            model = emitter.config.find(model_id)
        except UnknownModelError:
            continue  # It was configured once; its state is kept in case it is configured again.
        try:
            models.append(summary(model_id, model, load(emitter.ledger, model_id).state, now))
        except DamagedStateError as error:
            models.append(damaged(model_id, model, str(error), now))
    return {"models": models} | ({"next": following} if following else {})


def _page(emitter: EmitterParts, after: str) -> tuple[list[str], str | None]:
    named = emitter.config.named(emitter.cloud)
    if after.startswith(_NAMED):
        left = [name for name in named if name > after.removeprefix(_NAMED)]
        following = f"{_NAMED}{left[PAGE_SIZE - 1]}" if len(left) > PAGE_SIZE else _first_seen(emitter)
        return left[:PAGE_SIZE], following
    if not after.startswith(_SEEN):
        raise InvalidTriggerError("after", "must be the `next` of an earlier page")
    stored = emitter.ledger.models(after.removeprefix(_SEEN) or None, PAGE_SIZE + 1)
    # One more than fits on a page, to see whether another page follows.
    shown = stored[:PAGE_SIZE]
    following = f"{_SEEN}{shown[-1]}" if len(stored) > PAGE_SIZE else None
    return [name for name in shown if name not in named and not is_own(name)], following


def _first_seen(emitter: EmitterParts) -> str | None:
    """Return the `next` of the first page of models that match a pattern; None if no pattern is configured."""
    return _SEEN if any(model.is_pattern for model in emitter.config.models) else None
