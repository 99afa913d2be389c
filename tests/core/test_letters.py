"""Dead letters become the triggers that they hold, and are sent once, however often that is tried."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from shared.errors import BusError, PermanentError, UnavailableError
from shared.ports import DeadLetter
from shared.training.letters import StoredLetter, model_of, rejected_letter, triggers_in
from shared.training.redrive import Redriven, redrive
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import decode
from tests.core.deployment import SOURCE, Deployment, event, trigger_event
from tests.core.native import sample
from tests.core.samples import HOUR, MINUTE, NOW, configured, model_text
from tests.fakes.memory import MemoryDeadLetters, MemoryLetterBox

CONFIG: Final = configured(
    model_text("churn") + model_text("signalled", 'signals = ["cloudwatch-alarm:feature_baseline_drift*"]')
)


def letter(*events: object) -> StoredLetter:
    """Return a letter that holds *events*."""
    return StoredLetter(letter_id="rejected/1", kind="rejected", at=NOW, reason="rejected", error="", events=events)


def triggers_of(stored: StoredLetter) -> list[RetrainTrigger]:
    """Return the triggers in a letter of a local deployment."""
    return triggers_in(stored, decode, SOURCE, CONFIG, "local", NOW)


def test_an_event_keeps_the_id_of_its_first_delivery() -> None:
    """An id of its own, or one derived from the event, and the time when it was sent."""
    (named,), (derived,) = triggers_of(letter(trigger_event("t-1"))), triggers_of(letter(event({"model_id": "churn"})))
    assert (named.trigger_id, derived.trigger_id) == ("t-1", "ml3_platform:e-1")
    assert derived.requested_at == datetime.fromisoformat("2026-11-21T02:59:58+00:00")


def test_a_native_signal_is_sent_as_the_trigger_that_it_became() -> None:
    """Each model that names the signal gets its trigger, with the reason and the evidence."""
    alarm = sample("aws/drift-detection-CloudWatchAlarm-feature_baseline_drift.json")
    name = alarm["detail"]["alarmName"]
    config = configured(model_text("churn", f'signals = ["cloudwatch-alarm:{name}"]'))
    (trigger,) = triggers_in(letter(alarm), decode, SOURCE, config, "local", NOW)
    assert (trigger.model_id, trigger.origin, trigger.requested_by) == ("churn", "drift", f"cloudwatch-alarm:{name}")
    with pytest.raises(PermanentError, match="no model of the configuration names cloudwatch-alarm:"):
        triggers_in(letter(alarm), decode, SOURCE, configured(model_text("churn")), "local", NOW)


def test_a_kept_trigger_that_was_refused_later_is_sent() -> None:
    """Its letter holds the fields of the trigger alone, without an envelope."""
    (trigger,) = triggers_of(letter(trigger_event("t-1")))
    plain = letter(trigger.to_fields())
    assert triggers_of(plain) == [trigger]
    assert model_of(plain, decode, SOURCE) == "churn"


def test_what_the_receiver_would_refuse_is_sent_all_the_same() -> None:
    """An unknown model or a forbidden parameter may be known to the receiver by now."""
    unknown = letter(trigger_event(model_id="new"))
    forbidden = letter(trigger_event(parameters={"depth": 3}))
    assert [one.model_id for one in triggers_of(unknown)] == ["new"]
    assert [dict(one.parameters) for one in triggers_of(forbidden)] == [{"depth": 3}]
    assert model_of(unknown, decode, SOURCE) == "new"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("no JSON {", "an event must be an object"),
        (trigger_event(severity="extreme"), "severity"),
        (event({"model_id": "churn"}, **{"detail-type": "retrain_sweep"}), "requests a sweep"),
        (sample("aws/awsdocs-sagemaker-pipeline-execution-status-change.json"), "the end of a training"),
        ({"source": "aws.s3", "detail-type": "Other", "detail": {}}, "not an event that requests a training"),
    ],
)
def test_what_holds_no_readable_trigger_is_refused(content: object, error: str) -> None:
    """The error says why, so that a person can correct the sender."""
    with pytest.raises(PermanentError, match=error):
        triggers_of(letter(content))


@pytest.mark.parametrize("content", [b"\xff{", "text", "[]", '{"at": 5}'])
def test_anything_in_the_place_of_letters_is_shown(content: str | bytes) -> None:
    """Foreign content does not hide the letters beside it."""
    stored = rejected_letter("7", content)
    assert (stored.letter_id, stored.at) == ("rejected/7", None)
    assert stored.error == "this is not a dead letter of the receiver"
    assert model_of(stored, decode, SOURCE) == ""


class Bus:
    """Takes triggers, or fails as a test says.

    Attributes:
        sent: the ids of the triggers that it took.
        error: the error of the next call.

    """

    def __init__(self, deployment: Deployment) -> None:
        """Deliver each trigger to *deployment* immediately."""
        self.sent: list[str] = []
        self.error: Exception | None = None
        self._deployment = deployment

    def publish(self, triggers: list[RetrainTrigger]) -> None:
        """Take *triggers* and deliver them."""
        if self.error is not None:
            raise self.error
        self.sent += [trigger.trigger_id for trigger in triggers]
        for trigger in triggers:
            self._deployment.receive(event(trigger.to_fields(), f"e-{trigger.trigger_id}"))


def kept(*events: Any) -> tuple[Deployment, MemoryLetterBox, Bus]:
    """Return a deployment, its letters of an hour ago about *events*, and a bus that delivers to it."""
    deployment = Deployment()
    letters: MemoryDeadLetters = deployment.dead_letters
    for each in events:
        letters.put(DeadLetter(at=NOW - HOUR, cloud="local", reason="rejected", error="no", event=each))
    return deployment, MemoryLetterBox(letters), Bus(deployment)


def resent(box: MemoryLetterBox, bus: Bus, wanted: list[str] | None = None) -> list[Redriven]:
    """Redrive letters."""
    return list(redrive(box, wanted, triggers_of, bus.publish, started=NOW))


def test_a_trigger_that_is_refused_again_is_a_new_letter_and_sent_once() -> None:
    """Although the new letter is in the same place, sending all letters ends."""
    deployment, box, bus = kept(trigger_event("t-1", model_id="new"), trigger_event("t-2"))
    done = resent(box, bus)
    assert ([each.error for each in done], bus.sent) == (["", ""], ["t-1", "t-2"])
    (left,) = deployment.dead_letters.letters
    assert left["at"] == "2026-11-21T03:00:00Z"
    assert len(deployment.service.running()) == 1
    assert box.released == 1


@pytest.mark.parametrize("ahead", [-5 * MINUTE, 5 * MINUTE])
def test_clocks_may_differ_by_five_minutes(ahead: timedelta) -> None:
    """However far the receiver's clock is off, a trigger that is refused again is sent once, and its letter stays."""
    deployment, box, bus = kept(trigger_event("t-1", model_id="new"))
    deployment.wait(ahead)
    assert [each.error for each in resent(box, bus)] == [""]
    assert (bus.sent, len(deployment.dead_letters.letters)) == (["t-1"], 1)


def test_letters_that_are_named_are_sent_whatever_their_time() -> None:
    """Two letters of one trigger that a receiver with a fast clock wrote are both there before, and both gone."""
    deployment, box, bus = kept(trigger_event("t-1"), trigger_event("t-1"))
    for each in deployment.dead_letters.letters:
        each["at"] = (NOW + 4 * MINUTE).isoformat()
    names = ["rejected/1", "rejected/2"]
    assert [each.letter_id for each in resent(box, bus, names)] == names
    assert (deployment.dead_letters.letters, len(deployment.service.runs)) == ([], 1)


def test_letters_of_one_trigger_are_sent_and_gone() -> None:
    """An event that was rejected twice left two letters, and both are old."""
    deployment, box, bus = kept(trigger_event("t-1"), trigger_event("t-1"))
    resent(box, bus)
    assert deployment.dead_letters.letters == []
    assert len(deployment.service.running()) == 1


def test_only_wanted_letters_are_sent() -> None:
    """The others stay; an id that is gone yields nothing."""
    deployment, box, bus = kept(trigger_event("t-1"), trigger_event("t-2"))
    assert [each.letter_id for each in resent(box, bus, ["rejected/2", "rejected/9"])] == ["rejected/2"]
    assert (bus.sent, len(deployment.dead_letters.letters)) == (["t-2"], 1)


def test_a_letter_that_the_bus_refuses_stays() -> None:
    """The error names the reason; a bus that is away ends the whole, and the letters are visible again."""
    deployment, box, bus = kept(trigger_event("t-1"))
    bus.error = BusError("bus", {"t-1": "TooLarge"})
    (refused,) = resent(box, bus)
    assert "TooLarge" in refused.error
    bus.error = UnavailableError("The bus", "take it")
    with pytest.raises(UnavailableError):
        resent(box, bus)
    assert (len(deployment.dead_letters.letters), box.released) == (1, 2)
