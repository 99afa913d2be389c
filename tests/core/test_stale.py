"""Models past `max_age`, and where messages go and what they show."""

import dataclasses
import shlex
from datetime import timedelta
from typing import Never

import pytest

from shared.decision.state import Paused
from shared.errors import UnavailableError
from shared.ledger.document import read_state, write_state
from shared.notice import Notice, command, notice_document, notice_text
from shared.ports import IndexEntry
from shared.training.stale import KEY
from shared.training.sweep import sweep
from tests.core.deployment import Deployment
from tests.core.samples import HOUR, MINUTE, NOW, model_text

DAY = timedelta(days=1)
AGED = '[notify]\nchannels = ["json://all"]\n' + model_text(settings='max_age = "3d"')


def stale(deployment: Deployment) -> list[str]:
    """Sweep, and return the models that people were notified of as stale, so far."""
    sweep(deployment.receiver)
    return [notice.model_id for _, notice in deployment.channels.sent if notice.event == "stale"]


def test_a_model_that_was_never_requested_becomes_stale() -> None:
    """The time counts from when the sweep first saw it; the notice comes once a day, until a training succeeds."""
    deployment = Deployment(AGED)
    assert stale(deployment) == []
    assert deployment.state().first_seen == NOW
    deployment.wait(3 * DAY - MINUTE)
    assert stale(deployment) == []
    deployment.wait(MINUTE)
    for _ in range(3):
        assert stale(deployment) == ["churn"]
        deployment.wait(HOUR)
    deployment.wait(DAY)
    assert stale(deployment) == ["churn", "churn"]
    deployment.emit("t-1")
    ((run_id, run),) = deployment.service.runs.items()
    deployment.end(run.request.trigger, run_id)
    deployment.wait(3 * DAY - MINUTE)
    assert stale(deployment) == ["churn", "churn"]
    deployment.wait(MINUTE)
    assert stale(deployment) == ["churn"] * 3


def test_a_model_whose_training_cannot_start_becomes_stale() -> None:
    """The training service is away for days: people are notified all the same."""

    def away(call: str, _effect: object) -> Never:
        raise UnavailableError("The training service", call)

    deployment = Deployment(AGED, launcher_gate=away)
    sweep(deployment.receiver)
    deployment.wait(HOUR)
    sweep(deployment.receiver)  # This one completes the index.
    with pytest.raises(UnavailableError):
        deployment.emit("t-1")
    deployment.wait(3 * DAY - HOUR - MINUTE)
    for events in ([], ["stale"]):  # Only in the first sweep, a pass reads all models.
        with pytest.raises(UnavailableError):
            sweep(deployment.receiver)
        assert [notice.event for _, notice in deployment.channels.sent] == events
        deployment.wait(10 * MINUTE)


def test_a_sweep_that_sees_nothing_new_writes_nothing() -> None:
    """The models that were seen are known from one document, whatever their number."""
    deployment = Deployment(AGED + model_text("fraud", 'max_age = "3d"') + model_text("plain"))
    sweep(deployment.receiver)
    assert {name for name, _ in deployment.ledger.history} >= {"churn", "fraud", KEY}
    deployment.wait(HOUR)
    sweep(deployment.receiver)  # This one completes the index.
    written = len(deployment.ledger.history)
    deployment.wait(HOUR)
    sweep(deployment.receiver)
    assert [name for name, _ in deployment.ledger.history[written:] if name in ("churn", "fraud", KEY)] == []


def test_a_pause_holds_the_notice_back_and_not_the_time() -> None:
    """Nothing comes during a pause; after it the notice comes immediately."""
    deployment = Deployment(AGED)
    sweep(deployment.receiver)
    paused = dataclasses.replace(deployment.state(), paused=Paused(since=NOW, by="ann"))
    deployment.ledger.save("churn", write_state(paused), deployment.ledger.peek("churn").version)
    deployment.wait(4 * DAY)
    assert stale(deployment) == []
    resumed = dataclasses.replace(deployment.state(), paused=None)
    deployment.ledger.save(
        "churn", write_state(resumed), deployment.ledger.peek("churn").version, IndexEntry(attention=NOW)
    )
    assert stale(deployment) == ["churn"]
    assert read_state(deployment.ledger.peek("churn").document).stale_notice == deployment.now


def test_each_model_has_its_own_channels_and_events() -> None:
    """A notice goes to the channels of its model, if these get such notices."""
    deployment = Deployment(
        '[notify]\nchannels = ["json://all"]\non = ["launched"]\n'
        + model_text("own", 'notify.channels = ["json://own"]')
        + model_text("silent", "notify.on = []")
        + model_text("plain")
    )
    for name in ("own", "silent", "plain"):
        deployment.emit("t-1", name)
    sent = [(channel, notice.model_id) for channel, notice in deployment.channels.sent]
    assert sent == [("json://own", "own"), ("json://all", "plain")]


@pytest.mark.parametrize(
    ("event", "model_id", "shown"),
    [
        ("awaiting_approval", "churn", "retrain approve churn t-1 --cloud aws --env prod"),
        ("failed", "two words", "retrain show 'two words' --cloud aws --env prod"),
        ("stale", "churn", "retrain show churn --cloud aws --env prod"),
        ("launched", "churn", ""),
        ("failed", "$(reboot)", ""),
        ("failed", "--help", ""),
        ("failed", "<!channel>", ""),
    ],
)
def test_the_command_in_a_message(event: str, model_id: str, shown: str) -> None:
    """It names the environment, and is quoted for a shell; a name that a shell or a channel could misread has none."""
    notice = Notice(event=event, cloud="aws", at=NOW, model_id=model_id, trigger_id="t-1", environment="prod")
    assert command(notice) == shown
    assert (f"Command: {shown}" in notice_text(notice).splitlines()) is bool(shown)
    assert model_id in shlex.split(shown) or not shown


def test_a_message_links_to_the_console() -> None:
    """The link shows the model, whatever its name is; it changes nothing."""
    notice = Notice(event="failed", cloud="aws", at=NOW, model_id="a/b&c", console="https://desk.example/x")
    assert "Console: https://desk.example/x/?model=a%2Fb%26c" in notice_text(notice).splitlines()
    assert notice_document(notice)["console_url"] == "https://desk.example/x/?model=a%2Fb%26c"


def test_the_list_of_models_shows_what_is_overdue_and_what_comes_next() -> None:
    """Both are times, and null where the model has no `max_age` or no schedule of its own."""
    deployment = Deployment(
        model_text("a", 'schedule = "30 9 * * *"\ntimezone = "Europe/Rome"\nmax_age = "3d"') + model_text("b")
    )
    sweep(deployment.receiver)
    deployment.wait(4 * DAY)
    first, second = deployment.get("/models")["models"]
    assert (first["stale_since"], first["next_scheduled"]) == ("2026-11-24T03:00:00Z", "2026-11-25T08:30:00Z")
    assert (second["stale_since"], second["next_scheduled"]) == (None, None)
