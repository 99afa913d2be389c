"""Checks whether dead letters can still be sent again without a second training."""

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from typing import Final

from functions.cli.doctor.check import Check, CheckWarnedError, Setting
from functions.machine import now
from shared.training.letters import LetterBox

# Ids of decisions without a launch are remembered for so long.
REMEMBERED: Final = timedelta(days=14)
_SHOWN: Final = 3


def letter_checks(setting: Setting, cloud: str) -> list[Check]:
    """Return the check of the letters' age; SQS deletes letters before they are too old."""
    is_known = bool(setting.variables.get("RETRAIN_UNDELIVERED")) or cloud == "local"
    if cloud == "aws" or not is_known or setting.config is None:
        return []

    def run() -> None:
        boxes: Sequence[LetterBox] = import_module(f"functions.{cloud}.letters").boxes(setting.variables)
        old = sorted(letter_id for box in boxes for letter_id in _old_letters(box))
        if old:
            more = f" and {len(old) - _SHOWN} more" if len(old) > _SHOWN else ""
            raise CheckWarnedError(
                f"{', '.join(old[:_SHOWN])}{more}: older than {REMEMBERED.days} days, so their ids may be forgotten"
                " and redriving them may train twice; compare with `retrain show MODEL` first, or delete them"
            )

    return [Check(name="old letters", about=f"no dead letter is older than {REMEMBERED.days} days", run=run)]


def _old_letters(box: LetterBox) -> list[str]:
    limit = now() - REMEMBERED
    try:
        return [letter.letter_id for letter in box.read() if letter.at is not None and letter.at < limit]
    finally:
        box.release()
