"""A trigger that waits for a person: who is notified, what releases it, what becomes of it otherwise."""

from typing import Any, Final

from tests.contracts.clouds import Cloud
from tests.contracts.messages import HttpRequest, Notice, Reply
from tests.contracts.test_entry_points import model
from tests.contracts.test_faults import trigger_event

MODEL: Final = "reviewed"


def wait(cloud: Cloud, trigger_id: str = "t-1") -> object:
    """Let a trigger wait for a person, and return its event."""
    event = trigger_event(cloud, trigger_id, model_id=MODEL)
    assert cloud.deliver(event).verdict == ("wait", "awaiting_approval")
    return event


def decide(cloud: Cloud, verb: str, trigger_id: str = "t-1") -> Reply:
    """Let a person `approve` or `reject` a trigger."""
    return cloud.send(HttpRequest(method="POST", path=f"/models/{MODEL}/{verb}", content={"trigger_id": trigger_id}))


def answered(status: str, trigger_id: str = "t-1") -> tuple[int, Any]:
    """Return what a person is answered."""
    state = "waiting" if status == "approved" else "idle"
    return 200, {"model_id": MODEL, "trigger_id": trigger_id, "state": state, "status": status}


def waits(trigger_id: str) -> Notice:
    """Return the notice of a trigger that waits."""
    return Notice(title=f"The training of {MODEL} waits for an approval", trigger_id=trigger_id)


def test_a_person_releases_a_waiting_trigger(cloud: Cloud) -> None:
    """Nothing trains before a person approves; then it trains once, and the history says who it was."""
    wait(cloud)
    assert (model(cloud, MODEL)["state"], cloud.trainings()) == ("waiting", [])
    assert model(cloud, MODEL)["waiting"]["trigger_id"] == "t-1"
    reply = decide(cloud, "approve")
    assert (reply.status, reply.body) == answered("approved")
    cloud.drain()
    assert cloud.trainings() == ["t-1"]
    decisions = model(cloud, MODEL)["decisions"]
    assert [line["reason"] for line in decisions] == ["launched", "approved", "awaiting_approval"]
    assert decisions[0]["detail"].startswith(f"approved by {cloud.caller}")
    again = decide(cloud, "approve")
    assert (again.status, again.body) == (reply.status, reply.body | {"state": "training"})
    cloud.drain()
    assert cloud.trainings() == ["t-1"]


def test_a_person_drops_a_waiting_trigger(cloud: Cloud) -> None:
    """A rejected trigger never trains, however often its event comes, and the history says who it was."""
    event = wait(cloud)
    for _ in range(2):
        reply = decide(cloud, "reject")
        assert (reply.status, reply.body) == answered("rejected")
    assert cloud.deliver(event).verdict == ("skip", "duplicate")
    assert cloud.trainings() == []
    newest = model(cloud, MODEL)["decisions"][0]
    assert (newest["reason"], newest["detail"]) == ("not_approved", f"rejected by {cloud.caller}")


def test_nothing_on_the_bus_can_approve(cloud: Cloud) -> None:
    """An event that claims to be approved waits like any other."""
    cloud.deliver(trigger_event(cloud, model_id=MODEL, approved_by="me", force=True))
    cloud.deliver(trigger_event(cloud, model_id=MODEL, waiting={"approved_by": "me"}))
    assert (model(cloud, MODEL)["state"], cloud.trainings()) == ("waiting", [])


def test_people_are_notified_once_of_each_waiting_trigger(cloud: Cloud) -> None:
    """The notice arrives through the channel, whatever is delivered again and whatever is decided then."""
    for trigger_id in ("t-1", "t-2"):
        event = wait(cloud, trigger_id)
        assert cloud.deliver(event).verdict == ("skip", "duplicate")
    decide(cloud, "approve", "t-2")
    cloud.drain()
    assert cloud.trainings() == ["t-2"]
    assert cloud.notices() == [waits("t-1"), waits("t-2")]


def test_an_approval_of_a_replaced_trigger_is_refused(cloud: Cloud) -> None:
    """The newest trigger waits in place of the one before it, which can be neither approved nor rejected any more."""
    wait(cloud, "t-1")
    wait(cloud, "t-2")
    for verb in ("approve", "reject"):
        reply = decide(cloud, verb, "t-1")
        problem = "trigger_id: 't-1' no longer waits for an approval: replaced by t-2"
        assert (reply.status, reply.body["detail"]) == (409, problem)
    assert (cloud.arrived(), cloud.trainings()) == ([], [])
    assert model(cloud, MODEL)["waiting"]["trigger_id"] == "t-2"
    reply = decide(cloud, "approve", "t-2")
    assert (reply.status, reply.body) == answered("approved", "t-2")
    cloud.drain()
    assert cloud.trainings() == ["t-2"]


def test_a_channel_that_is_away_keeps_no_trigger_from_waiting(cloud: Cloud) -> None:
    """The event is acknowledged, its repeat is a duplicate, and a person can release it all the same."""
    with cloud.channel_away():
        event = wait(cloud)
    assert cloud.deliver(event).verdict == ("skip", "duplicate")
    assert cloud.notices() == []
    decide(cloud, "approve")
    cloud.drain()
    assert cloud.trainings() == ["t-1"]
