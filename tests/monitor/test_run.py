"""A run over all models: the triggers it emits, the notices it sends, and the failures of single models."""

import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from functions.monitor.run import RunFailedError, run_checks
from shared.errors import PermanentError, UnavailableError, UnknownModelError
from shared.http.parts import EmitterParts
from tests.fakes.faults import Fault, Gate, Script, perform
from tests.monitor.given import MONDAY, STAMP, World, configuration, problem_of, rows

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'
STEPS = TABLE + "\nseverity = { low = 0.5, medium = 0.7, high = 0.9 }"


def drifting(folder: Path, toml: str = "", bus_gate: Gate = perform) -> World:
    """Return a world whose data have drifted."""
    world = World(folder, toml or configuration(churn=STEPS), bus_gate=bus_gate)
    world.put(reference=rows(), current=rows(shift=1.0, seed=1))
    return world


def test_drift_requests_a_training(tmp_path: Path) -> None:
    """The trigger has origin, severity and reason, and the report's address as its evidence."""
    world = drifting(tmp_path)
    (line,) = run_checks(world.monitor, [], MONDAY)
    (trigger,) = world.bus.published
    report = str(tmp_path / f"site/models/churn/{STAMP}/report.html")
    assert (trigger.model_id, trigger.origin, trigger.severity) == ("churn", "drift", "medium")
    assert trigger.reason == (
        "4 of 5 columns drifted (80%, drift is 50% and more; 1,500 rows against 1,500): price, visits, region, target"
    )
    assert trigger.evidence["report_url"] == report
    assert trigger.evidence["columns"] == ["price", "visits", "region", "target"]
    assert trigger.requested_by == "drift monitor"
    assert line == {"model_id": "churn", "status": "drift", "summary": trigger.reason, "report_url": report}


def test_no_drift_requests_nothing_and_says_so(tmp_path: Path) -> None:
    """People are notified of a check without drift, too; no trigger is emitted."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(seed=1))
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert line["status"] == "no_drift"
    assert not world.bus.published
    assert [notice.event for notice in world.mailbox.notices] == ["no_drift"]


def test_people_get_the_status_of_each_column_as_json(tmp_path: Path) -> None:
    """The notice holds a text of JSON with method, value, threshold and status, and the report's address."""
    world = drifting(tmp_path)
    run_checks(world.monitor, [], MONDAY)
    (notice,) = world.mailbox.notices
    assert (notice.event, notice.model_id, notice.severity) == ("drift", "churn", "medium")
    assert notice.url.endswith(f"{STAMP}/report.html")
    assert notice.trigger_id == world.bus.published[0].trigger_id
    statuses = json.loads(str(notice.evidence["columns"]))
    assert {name: column["status"] for name, column in statuses.items()} == {
        **dict.fromkeys(("price", "visits", "region", "target"), "drift"),
        "member": "no_drift",
    }
    assert set(statuses["price"]) == {"status", "method", "value", "threshold", "missing"}


def test_the_address_is_the_one_where_people_read_it(tmp_path: Path) -> None:
    """With `url`, evidence and notice lead there, and not into the storage."""
    world = drifting(tmp_path, configuration(churn=STEPS + '\nurl = "https://drift.example.com/"'))
    run_checks(world.monitor, [], MONDAY)
    url = f"https://drift.example.com/models/churn/{STAMP}/report.html"
    assert world.bus.published[0].evidence["report_url"] == world.mailbox.notices[0].url == url


def test_a_repeated_run_has_the_same_trigger_id(tmp_path: Path) -> None:
    """Drift found twice in the same data counts as one request."""
    world = drifting(tmp_path)
    run_checks(world.monitor, [], MONDAY)
    run_checks(world.monitor, [], MONDAY)
    first, second = world.bus.published
    assert first.trigger_id == second.trigger_id


def test_equal_data_of_two_models_are_two_requests(tmp_path: Path) -> None:
    """The id is made of the model, too."""
    world = drifting(tmp_path, configuration(churn=TABLE, prices=TABLE))
    run_checks(world.monitor, [], MONDAY)
    assert len({trigger.trigger_id for trigger in world.bus.published}) == 2


def test_a_check_that_fails_is_reported_and_requests_nothing(tmp_path: Path) -> None:
    """Missing data end in one message; the index shows the problem, the last report stays."""
    world = drifting(tmp_path)
    (tmp_path / "current.parquet").unlink()
    lines = run_checks(world.monitor, [], MONDAY)
    assert problem_of(lines) == "current.parquet: no such file exists"
    assert not world.bus.published
    (notice,) = world.mailbox.notices
    assert (notice.event, notice.reason) == ("monitor_failed", "current.parquet: no such file exists")
    assert "current.parquet: no such file exists" in (tmp_path / "site/index.html").read_text()
    assert not (tmp_path / "site/models/churn/latest").exists()


def test_a_check_that_fails_where_no_one_is_notified_fails_the_run(tmp_path: Path) -> None:
    """Without a channel the platform's own alarm is the only one left."""
    world = drifting(tmp_path, configuration(churn=STEPS).partition("[notify]")[0])
    (tmp_path / "current.parquet").unlink()
    with pytest.raises(RunFailedError, match=r"^churn: current\.parquet: no such file exists$"):
        run_checks(world.monitor, [], MONDAY)


def test_one_model_does_not_hold_up_another(tmp_path: Path) -> None:
    """A model whose data are missing fails alone."""
    world = drifting(tmp_path, configuration(broken=TABLE.replace("reference.p", "nothing.p"), churn=TABLE))
    lines = run_checks(world.monitor, [], MONDAY)
    assert [line["status"] for line in lines] == ["failed", "drift"]
    assert [trigger.model_id for trigger in world.bus.published] == ["churn"]


def test_a_check_without_comparable_columns_fails(tmp_path: Path) -> None:
    """Columns without values do not cause a training."""
    world = drifting(tmp_path)
    world.put(current=rows().assign(**dict.fromkeys(rows().columns, np.nan)))
    assert problem_of(run_checks(world.monitor, [], MONDAY)).startswith("no column can be compared: 'price' has no")
    assert not world.bus.published


def test_a_trigger_that_did_not_get_through_is_reported_and_tried_again(tmp_path: Path) -> None:
    """With the bus away, people learn of it and the run fails, so that the platform repeats it."""
    world = drifting(tmp_path, bus_gate=Script({0: Fault.THROTTLED}))
    with pytest.raises(RunFailedError, match="churn: The fake service could not publish"):
        run_checks(world.monitor, [], MONDAY)
    assert [notice.event for notice in world.mailbox.notices] == ["monitor_failed"]
    run_checks(world.monitor, [], MONDAY)
    assert [notice.event for notice in world.mailbox.notices] == ["monitor_failed", "drift"]
    assert len(world.bus.published) == 1


@pytest.mark.parametrize(
    "error", [UnavailableError("Slack", "take a notice"), PermanentError("no"), ValueError("secret")]
)
def test_a_channel_that_fails_fails_the_run_at_its_end(tmp_path: Path, error: Exception) -> None:
    """The notice was lost: everything else is done, and then the run fails, without the channel's address."""
    world = drifting(tmp_path)
    world.mailbox.error = error
    with pytest.raises(RunFailedError, match="churn: the notice did not reach slack-") as raised:
        run_checks(world.monitor, [], MONDAY)
    assert "secret" not in str(raised.value)
    assert len(world.bus.published) == 1
    assert (tmp_path / "site/index.html").is_file()


def test_an_unexpected_error_is_reported_without_its_text(tmp_path: Path) -> None:
    """A bug ends in a message, too; its text may hold anything, so it goes to the log only."""
    world = drifting(tmp_path, bus_gate=_broken)
    lines = run_checks(world.monitor, [], MONDAY)
    assert problem_of(lines) == "an unexpected ZeroDivisionError; see the log"
    assert world.mailbox.notices[0].event == "monitor_failed"


def _broken(_call: str, _effect: object) -> NoReturn:
    raise ZeroDivisionError("secret")


@pytest.mark.parametrize(
    ("model_id", "problem"),
    [("unknown", "the configuration has no model 'unknown'"), ("plain", "has no drift table")],
)
def test_a_model_that_is_not_monitored_cannot_be_checked(tmp_path: Path, model_id: str, problem: str) -> None:
    """The error for a model that was requested by name says why it cannot be checked."""
    plain = '[models."plain".target.local]\nkind = "command"\ncommand = ["true"]\n'
    world = World(tmp_path, configuration(churn=TABLE) + plain)
    with pytest.raises(UnknownModelError, match=problem):
        run_checks(world.monitor, [model_id], MONDAY)


def test_models_of_another_cloud_are_not_checked(tmp_path: Path) -> None:
    """A monitor looks after the models that train where it runs."""
    world = World(tmp_path, configuration(churn=TABLE).replace("local = ", "gcp = ").replace(*_VERTEX))
    assert run_checks(world.monitor, [], MONDAY) == []
    assert isinstance(world.monitor.emitter, EmitterParts)


_VERTEX = (
    '{ kind = "command", command = ["true"] }',
    '{ kind = "vertex", pipeline = "p.json", project = "p", location = "l", root = "gs://r" }',
)
