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
        return left[:PAGE], f"{_NAMED}{left[PAGE - 1]}" if len(left) > PAGE else _seen_after(emitter, None)
    if not after.startswith(_SEEN):
        raise InvalidTriggerError("after", "must be the `next` of an earlier page")
    stored = emitter.ledger.models(after.removeprefix(_SEEN) or None, PAGE)
    return [name for name in stored if name not in named], _seen_after(emitter, stored)


def _seen_after(emitter: EmitterParts, stored: list[str] | None) -> str | None:
    """Return where the stored models go on; none where no model can be seen under a pattern, or none is left."""
    if not any(model.is_pattern for model in emitter.config.models) or stored == []:
        return None
    return f"{_SEEN}{stored[-1]}" if stored else _SEEN
