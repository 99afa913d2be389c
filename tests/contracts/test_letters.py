"""Dead letters are sent again on every cloud: each once, under the id that its event had, whatever crashes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from shared.config.file import parse_configuration
from shared.ports import DeadLetter
from shared.training.letters import StoredLetter, model_of, triggers_in
from shared.training.redrive import Redriven, redrive
from shared.trigger import RetrainTrigger
from shared.wire.incoming import TriggerEvent
from tests.contracts.clouds import Cloud
from tests.fakes.faults import Crash

SOURCE: Final = "ml3_platform"
NUMBER: Final = 50
AT: Final = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CONFIG: Final = parse_configuration(
    '[models."any-*".target]\nlocal = { kind = "command", command = ["true"] }', source="test", folder=Path()
)


def put(cloud: Cloud, event: object) -> None:
    """Keep *event* as a dead letter."""
    letter = DeadLetter(at=AT, cloud=cloud.name, reason="rejected", error="the target refuses", event=event)
    cloud.dead_letters.put(letter)


def resent(cloud: Cloud, wanted: list[str] | None = None, *, crash_at: int = -1) -> Iterator[Redriven]:
    """Redrive letters as the command does; the process is gone between sending and deleting letter *crash_at*."""
    decode = import_module(f"functions.{cloud.name}.letters").decode
    sent: list[str] = []

    def triggers(letter: StoredLetter) -> list[RetrainTrigger]:
        return triggers_in(letter, decode, SOURCE, CONFIG, cloud.name, AT)

    def publish(triggers: list[RetrainTrigger]) -> None:
        cloud.bus.publish(triggers)
        sent.extend(trigger.trigger_id for trigger in triggers)
        if len(sent) == crash_at:
            raise Crash("sent")

    return redrive(cloud.letter_box, wanted, triggers, publish, started=datetime.now(UTC))


@pytest.mark.deep
def test_fifty_letters_are_sent_again_over_a_crash(cloud: Cloud) -> None:
    """The one that was being sent comes twice, under one id, and trains once; nothing is left."""
    events = [cloud.event({"model_id": f"any-{number}"}, id=f"e-{number}") for number in range(NUMBER)]
    for event in events:
        put(cloud, event)
    before: list[Redriven] = []
    with pytest.raises(Crash):
        before.extend(resent(cloud, crash_at=20))
    after = list(resent(cloud))
    assert len(after) == NUMBER - 19
    arrived = [(event, cloud.decode(event)) for event in cloud.arrived()]
    ids = [read.fields["trigger_id"] for _, read in arrived if isinstance(read, TriggerEvent)]
    originals = [read.trigger_id for read in map(cloud.decode, events) if isinstance(read, TriggerEvent)]
    assert (len(ids), sorted(set(map(str, ids)))) == (NUMBER + 1, sorted(originals))
    (twice,) = {each for each in ids if ids.count(each) == 2}
    copies = [event for (event, _), each in zip(arrived, ids, strict=True) if each == twice]
    assert [cloud.deliver(event).verdict for event in copies] == [("launch", "launched"), ("skip", "duplicate")]
    assert cloud.trainings() == [twice]
    assert cloud.letters() == []


def test_a_letter_that_is_not_wanted_stays(cloud: Cloud) -> None:
    """One letter is found by its id, and its model is shown; any other event is refused and stays."""
    put(cloud, cloud.event({"model_id": "any-1"}, id="e-1"))
    put(cloud, cloud.unreadable())
    letters = {letter.letter_id: letter for letter in cloud.letter_box.read()}
    cloud.letter_box.release()
    decode = import_module(f"functions.{cloud.name}.letters").decode
    models = {letter_id: model_of(letter, decode, SOURCE) for letter_id, letter in letters.items()}
    (good,) = [letter_id for letter_id, model in models.items() if model == "any-1"]
    (bad,) = letters.keys() - {good}
    assert all(letter_id.startswith("rejected/") for letter_id in letters)
    (refused,) = resent(cloud, [bad])
    assert refused.error
    (done,) = resent(cloud, [good])
    assert [trigger.model_id for trigger in done.triggers] == ["any-1"]
    assert list(resent(cloud, [good])) == []
    assert len(cloud.letters()) == 1
