"""The list of models, page by page: first those that the configuration names, then those seen under a pattern."""

from typing import Final

from shared.errors import DamagedStateError, InvalidTriggerError, UnknownModelError
from shared.http.views import damaged, summary
from shared.ledger.snapshots import load
from shared.parts import EmitterParts

PAGE: Final = 50
_NAMED: Final = "named:"
_SEEN: Final = "seen:"


def list_models(emitter: EmitterParts, after: str | None) -> dict[str, object]:
    """Return the models behind *after*, which is a `next` of an earlier page.

    Raises:
        InvalidTriggerError: *after* is no `next`.
        UnavailableError: the ledger is away.

    """
    ids, following = _page(emitter, after or _NAMED)
    now, models = emitter.clock(), []
    for model_id in ids:
        try:
            model = emitter.config.find(model_id)
        except UnknownModelError:
            continue  # It was configured once; its state is kept, in case it comes back.
        try:
            models.append(summary(model_id, model, load(emitter.ledger, model_id).state, now))
        except DamagedStateError as error:
            models.append(damaged(model_id, str(error)))
    return {"models": models} | ({"next": following} if following else {})


def _page(emitter: EmitterParts, after: str) -> tuple[list[str], str | None]:
    named = emitter.config.named(emitter.cloud)
    if after.startswith(_NAMED):
        left = [name for name in named if name > after.removeprefix(_NAMED)]
        return left[:PAGE], f"{_NAMED}{left[PAGE - 1]}" if len(left) > PAGE else _first_seen(emitter)
    if not after.startswith(_SEEN):
        raise InvalidTriggerError("after", "must be the `next` of an earlier page")
    stored = emitter.ledger.models(after.removeprefix(_SEEN) or None, PAGE + 1)
    # One more than a page holds says whether another page follows.
    shown = stored[:PAGE]
    return [name for name in shown if name not in named], f"{_SEEN}{shown[-1]}" if len(stored) > PAGE else None


def _first_seen(emitter: EmitterParts) -> str | None:
    """Return where the models seen under a pattern begin; none where the configuration has no pattern."""
    return _SEEN if any(model.is_pattern for model in emitter.config.models) else None
