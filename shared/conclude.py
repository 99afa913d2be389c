"""The end of a training: recorded once, with everything that goes on then."""

import dataclasses
import logging

from shared import after, book, lifecycle
from shared.ending import End, ended
from shared.errors import TransientError
from shared.launch import is_claimed_by, launch, policy_of
from shared.parts import Receiver
from shared.state import ModelState

log = logging.getLogger("retrain")


def conclude(receiver: Receiver, model_id: str, end: End) -> bool:
    """Record *end* and free its model; start what is queued, and then do what follows the training.

    An end that is recorded already changes nothing.

    Returns:
        True: the model's state may have changed.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    now, holder, policy = receiver.clock(), receiver.new_id(), policy_of(receiver, model_id)
    told = dataclasses.replace(end, actions=after.actions_after(receiver, model_id, end.result), holder=holder)
    page = book.load(receiver.ledger, model_id)
    if told.actions:
        page = after.make_room(receiver, model_id, page)

    def step(state: ModelState) -> ModelState:
        advanced = lifecycle.advanced(ended(state, told, now=now), policy, now=now, holder=holder)
        return after.asking(receiver, state, advanced, now=now, holder=holder)

    log.info("retrain.ended", extra={"model_id": model_id, "run_id": end.run_id, "result": end.result})
    page = book.change(receiver, model_id, step, page)
    try:
        if is_claimed_by(holder, page):
            launch(receiver, model_id, page, again=False)
    except TransientError:
        after.follow(receiver, model_id, page, holder)
        raise
    after.follow(receiver, model_id, page, holder)
    return True
