"""Models whose last success is older than `max_age`: no clock, no I/O."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.config.model import Model
from shared.decision.state import ModelState

# While it stays so, people are notified again after this time.
NOTICE_EVERY: Final = timedelta(days=1)
# Later than any time that a configuration means, and still a valid one.
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_NOW: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stale_since(state: ModelState, model: Model, now: datetime) -> datetime | None:
    """Return since when no training has succeeded for longer than `max_age`; None if that is not so."""
    at = _stale_at(state, model)
    return at if at is not None and at <= now else None


def notice_at(state: ModelState, model: Model) -> datetime | None:
    """Return from when on the sweep must record that it has seen the model, or notify people; None: never.

    A pause holds the notice back, but not the time.
    """
    if model.max_age is None:
        return None
    at = _stale_at(state, model)
    if at is None:
        return _NOW
    if state.paused is not None:
        return None
    return at if state.stale_notice is None else max(at, state.stale_notice + NOTICE_EVERY)


def looked_after(state: ModelState, model: Model, now: datetime) -> ModelState:
    """Return the state after the sweep has seen the model at *now*; a changed `stale_notice` is to be announced."""
    at = notice_at(state, model)
    if at is None or at > now:
        return state
    if _stale_at(state, model) is None:
        return dataclasses.replace(state, first_seen=now)
    return dataclasses.replace(state, stale_notice=now)


def _stale_at(state: ModelState, model: Model) -> datetime | None:
    since = state.last_success or state.first_seen
    if model.max_age is None or since is None:
        return None
    return since + min(model.max_age, _NEVER - since)
