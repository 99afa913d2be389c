"""Looking after trainings: abandoned claims, runs that should be over, and the news that one ended."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from shared import book, lifecycle
from shared.after import asking, follow, resume
from shared.conclude import conclude
from shared.ending import End
from shared.errors import TransientError, UnknownModelError
from shared.launch import finish, is_claimed_by, launch, launcher_of, policy_of
from shared.parts import Receiver
from shared.ports import RunResult, RunStatus
from shared.state import ModelState, Training
from shared.trigger import RUN_PREFIX, run_name
from shared.wire.incoming import Ended

# How often a busy model's training is asked after: a burst of triggers must not become a burst of questions.
CHECK_EVERY: Final = timedelta(seconds=60)

log = logging.getLogger("retrain")


def tend(receiver: Receiver, model_id: str, page: book.Page) -> bool:
    """Finish what is left undone at a model before something new is decided; tells whether anything changed.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    training, now = page.state.training, receiver.clock()
    if lifecycle.can_advance(page.state):
        advance(receiver, model_id, page)
        return True
    if training is None:
        return False
    if lifecycle.is_abandoned(training, now):
        finish(receiver, model_id, page)
        return True
    last = training.checked_at or training.started_at
    if training.run_id is None or last is None or now - last < CHECK_EVERY:
        return False
    return ask(receiver, model_id, training, training.run_id)


def advance(receiver: Receiver, model_id: str, page: book.Page) -> None:
    """Let go on what may go on at a model: a trigger that a person released, the queued one at a free model.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    now, holder, policy = receiver.clock(), receiver.new_id(), policy_of(receiver, model_id)

    def step(state: ModelState) -> ModelState:
        advanced = lifecycle.advanced(state, policy, now=now, holder=holder)
        return asking(receiver, state, advanced, now=now, holder=holder)

    page = book.change(receiver, model_id, step, page)
    if is_claimed_by(holder, page):
        launch(receiver, model_id, page, again=False)
    follow(receiver, model_id, page, holder)


def ask(receiver: Receiver, model_id: str, training: Training, run_id: str) -> bool:
    """Ask the service how a training stands, and free the model when it is over; tells whether anything changed.

    A training longer than `max_run` counts as gone, unless the service says how it ended.

    Raises:
        TransientError: the training should be over and the service does not answer.

    """
    policy, now = policy_of(receiver, model_id), receiver.clock()
    overdue = training.started_at is not None and now - training.started_at >= policy.max_run
    try:
        status = launcher_of(receiver, model_id).status(run_id)
    except (TransientError, UnknownModelError) as error:
        if overdue and isinstance(error, TransientError):
            raise
        log.warning("retrain.status_unknown", extra={"model_id": model_id, "run_id": run_id, "error": str(error)})
        status = RunStatus(result=RunResult.RUNNING)
    if status.result is not RunResult.RUNNING:
        return conclude(receiver, model_id, End(run_id=run_id, result=status.result, at=status.ended_at or now))
    if overdue:
        log.warning("retrain.run_overdue", extra={"model_id": model_id, "run_id": run_id})
        return conclude(receiver, model_id, End(run_id=run_id, result=lifecycle.GONE, at=now))
    book.change(receiver, model_id, lambda state: lifecycle.checked(state, run_id, now=now))
    return True


def run_ended(receiver: Receiver, news: Ended) -> str | None:
    """Record the end of a run, free its model, start what is queued and do what follows; returns whose run it was.

    However often an end is told, only the first time changes anything; a later one helps to finish the start of the
    queued trigger and what follows, if that was left undone.

    Raises:
        TransientError: deliver the news again.

    """
    if news.result is RunResult.RUNNING or not news.name.startswith(RUN_PREFIX):
        return None
    ended_at = news.ended_at or receiver.clock()
    for model_id in _candidates(receiver, news):
        if not _owns(book.load(receiver.ledger, model_id).state, news):
            continue
        conclude(receiver, model_id, End(run_id=news.run_id, name=news.name, result=news.result, at=ended_at))
        page = book.load(receiver.ledger, model_id)
        if page.state.training is not None and page.state.training.run_id is None:
            finish(receiver, model_id, page)
        resume(receiver, model_id, page.state)
        return model_id
    return None


def _candidates(receiver: Receiver, news: Ended) -> Iterator[str]:
    if news.model_id is not None:
        yield news.model_id
    yield from (model_id for model_id in book.stored_models(receiver.ledger) if model_id != news.model_id)


def _owns(state: ModelState, news: Ended) -> bool:
    training = state.training
    if training is not None and run_name(training.trigger.token) == news.name:
        return True
    return any(run.run_id == news.run_id for run in state.runs)
