"""Sends dead letters again: each as the triggers that it holds, under the ids that these had."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.errors import BusError, PermanentError
from shared.frozen import dataclass
from shared.training.letters import LetterBox, StoredLetter
from shared.trigger import RetrainTrigger

# The clock of the receiver, which writes letters, may differ by so much from that of the machine that sends them again.
MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """The result of redriving one letter.

    Attributes:
        letter_id: its id.
        triggers: the triggers that were sent.
        error: why nothing was sent and the letter stays; empty if it was sent and deleted.

    """

    letter_id: str
    triggers: tuple[RetrainTrigger, ...] = ()
    error: str = ""


def redrive(
    box: LetterBox,
    wanted: Collection[str] | None,
    triggers_in: Callable[[StoredLetter], Sequence[RetrainTrigger]],
    publish: Callable[[list[RetrainTrigger]], None],
    *,
    started: datetime,
) -> Iterator[Redriven]:
    """Send letters of *box* again, and delete each once the bus has accepted its triggers.

    A crash between the two leaves the letter: sent again, its triggers are repeats, which train nothing.

    Args:
        box: the place of the letters.
        wanted: the ids of the letters; None for all.
        triggers_in: returns the triggers in a letter; raises `PermanentError` if it has no readable one.
        publish: publishes triggers.
        started: when this began. With None for *wanted*, a letter that may have come later, with a trigger that was
            sent here, may be that trigger refused again: it stays, so that this ends and no letter is lost. A letter
            that was named was there before.

    Yields:
        The result of each letter; there is none for a letter that is gone.

    Raises:
        UnavailableError: the bus or the place is unavailable; what is not sent by then stays.

    """
    only = next(iter(wanted)) if wanted is not None and len(wanted) == 1 else ""
    sent: set[tuple[str, str]] = set()
    left = None if wanted is None else set(wanted)
    try:
        for letter in box.read(only):
            if left is not None and letter.letter_id not in left:
                continue
            may_be_new = left is None and letter.at is not None and letter.at >= started - MAX_CLOCK_DIFFERENCE
            done = _send(box, letter, triggers_in, publish, sent, may_be_new=may_be_new)
            if done is not None:
                yield done
            if left is not None:
                left.remove(letter.letter_id)
                if not left:
                    return
    finally:
        box.release()


def _send(
    box: LetterBox,
    letter: StoredLetter,
    triggers_in: Callable[[StoredLetter], Sequence[RetrainTrigger]],
    publish: Callable[[list[RetrainTrigger]], None],
    sent: set[tuple[str, str]],
    *,
    may_be_new: bool,
) -> Redriven | None:
    """Send one letter and delete it; None if it may be one of the triggers *sent* that was refused again."""
    try:
        triggers = list(triggers_in(letter))
        ids = {(trigger.model_id, trigger.trigger_id) for trigger in triggers}
        if may_be_new and ids <= sent:
            return None
        publish(triggers)
    except (PermanentError, BusError) as error:
        return Redriven(letter_id=letter.letter_id, error=str(error))
    sent |= ids
    box.delete(letter)
    return Redriven(letter_id=letter.letter_id, triggers=tuple(triggers))
