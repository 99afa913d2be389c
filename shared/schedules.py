"""The models' own schedules: at each evaluation, a trigger is published for every model whose time has come.

The ledger keeps until when schedules were evaluated, in a document of its own. It moves only after publishing, so a
crash repeats triggers, which are decided once, and loses none.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.config.schedule import OwnSchedule
from shared.emit import publish_in_parts, scheduled_trigger
from shared.fields import format_time, parse_time
from shared.frozen import dataclass
from shared.http.parts import EmitterParts
from shared.ledger.index import OWN
from shared.ports import Stored
from shared.trigger import RetrainTrigger

KEY: Final = f"{OWN}schedules"
# An older time is not requested any more.
LONGEST_DELAY: Final = timedelta(days=1)
# A clock that was wrong by more must not stop the schedules until the wrong time is reached.
LARGEST_STEP_BACK: Final = timedelta(hours=1)

_FORM: Final = 1
# 48 bits: of ten thousand schedules, two have the same digest once in five million configurations.
_DIGEST: Final = 12

log = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The result of the last evaluation.

    Attributes:
        until: the schedules were evaluated until this time.
        known: the digests of the schedules that were evaluated; any other one begins with the next evaluation.

    """

    until: datetime
    known: frozenset[str]


def emit_own_schedules(emitter: EmitterParts) -> list[RetrainTrigger]:
    """Publish a trigger for every model of which a time has come since the last evaluation, and return the triggers.

    Of several times of a model only the last is requested, and only if it is at most a day old. A schedule that is new
    or was changed begins now.

    Raises:
        BusError: the bus refuses some of the triggers.
        UnavailableError: the bus or the ledger is unavailable.

    """
    now, schedules = emitter.clock(), emitter.config.own_schedules(emitter.cloud)
    digests = {name: _digest(name, schedule) for name, schedule in schedules.items()}
    stored = emitter.ledger.load(KEY)
    before = _read(stored)
    if before is not None and before.until - now > LARGEST_STEP_BACK:
        before = None
    triggers = [scheduled_trigger(emitter, name, at) for name, at in _due(schedules, digests, before, now)]
    publish_in_parts(emitter, triggers)
    known = frozenset(digests.values())
    if known or (before is not None and before.known):
        until = max(now, before.until) if before else now
        # If another evaluation was faster, it has published the same triggers.
        emitter.ledger.save(KEY, _written(Evaluated(until=until, known=known)), stored.version)
    log.info("retrain.schedules_evaluated", extra={"schedules": len(schedules), "accepted": len(triggers)})
    return triggers


def _due(
    schedules: Mapping[str, OwnSchedule], digests: Mapping[str, str], before: Evaluated | None, now: datetime
) -> Iterator[tuple[str, datetime]]:
    """Yield the models that are due, with the last time of each."""
    if before is None:
        return
    # A time that is exactly a day old still counts; the search begins after a time.
    after = max(before.until, now - LONGEST_DELAY - timedelta.resolution)
    for name, schedule in schedules.items():
        at = schedule.last_between(after, now) if digests[name] in before.known else None
        if at is not None:
            yield name, at


def _digest(name: str, schedule: OwnSchedule) -> str:
    return hashlib.sha256(json.dumps([name, schedule.expression, schedule.timezone]).encode()).hexdigest()[:_DIGEST]


def _read(stored: Stored) -> Evaluated | None:
    """Return the last evaluation; None if there was none or its document cannot be read: all schedules are new then."""
    if stored.document is None:
        return None
    try:
        content = json.loads(stored.document)
        known = content["known"]
        digests = frozenset(known[start : start + _DIGEST] for start in range(0, len(known), _DIGEST))
        return Evaluated(until=parse_time(content["until"]), known=digests) if content["form"] == _FORM else None
    except (ValueError, LookupError, TypeError):
        log.warning("retrain.schedules_forgotten", extra={"document": stored.document[:200]})
        return None


def _written(evaluated: Evaluated) -> str:
    # Ten thousand digests without quotes and commas fit into an item of every ledger.
    content = {"form": _FORM, "until": format_time(evaluated.until), "known": "".join(sorted(evaluated.known))}
    return json.dumps(content)
