"""Failures in a run: the rest goes on as far as possible, and no notice or page says anything untrue."""

import json
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pandas as pd
import pytest

from functions.monitor.data.storage import Storage
from functions.monitor.run import RunFailedError, run_checks
from shared.errors import BusError, InvalidTriggerError, UnavailableError
from tests.fakes.faults import Fault, Gate, Script, perform
from tests.monitor.given import MONDAY, STAMP, World, configuration, rows

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "{site}"'


class FailingStorage(Storage):
    """A storage that fails to write below some address.

    Attributes:
        at: a part of the address.
        error: what it raises.

    """

    def __init__(self, folder: Path, at: str, error: Exception) -> None:
        """Fail with *error* where an address has *at* in it."""
        super().__init__(folder)
        self.at = at
        self.error = error

    def write(self, address: str, content: bytes, content_type: str) -> None:
        """Write, or fail."""
        if self.at in address:
            raise self.error
        super().write(address, content, content_type)


def drifting(folder: Path, storage: Storage | None = None, bus_gate: Gate = perform, **sites: str) -> World:
    """Return a world whose data have drifted, with models by the names of *sites*."""
    toml = configuration(**{name: TABLE.format(site=site) for name, site in (sites or {"churn": "site"}).items()})
    world = World(folder, toml, storage=storage, bus_gate=bus_gate)
    world.put(reference=rows(), current=rows(shift=1.0, seed=1))
    return world


def test_a_request_that_is_wrong_publishes_nothing(tmp_path: Path) -> None:
    """The trigger is made and checked before the report is written."""
    toml = configuration(churn=TABLE.format(site="site") + f'\nurl = "https://example.com/{"x" * 20_000}"')
    world = World(tmp_path, toml)
    world.put(reference=rows(), current=rows(shift=1.0, seed=1))
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert str(line["problem"]).startswith("evidence: must have at most 16384 bytes as JSON")
    (page,) = tmp_path.glob("site/models/**/report.html")
    assert "churn: check failed" in page.read_text()
    assert not world.bus.published


def test_many_columns_of_any_alphabet_fit_into_a_trigger(tmp_path: Path) -> None:
    """The evidence is cut by its size on the wire, where a Chinese character takes six bytes."""
    names = [f"{'数据列名称' * 20}{number}" for number in range(60)]
    reference = pd.DataFrame({name: rows(seed=number)["price"] for number, name in enumerate(names)})
    world = World(tmp_path, configuration(churn=TABLE.format(site="site")))
    world.put(reference=reference, current=reference + 3)
    run_checks(world.monitor, [], MONDAY)
    (trigger,) = world.bus.published
    shown = trigger.evidence["columns"]
    assert isinstance(shown, list)
    assert 1 < len(shown) < len(names)
    assert trigger.evidence["report_url"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST])
def test_a_drift_that_the_bus_did_not_take_is_not_the_latest_report(tmp_path: Path, fault: Fault) -> None:
    """`latest` shows no drift without a training request; the check counts as failed."""
    world = drifting(tmp_path, bus_gate=Script({0: fault}))
    with pytest.raises(RunFailedError):
        run_checks(world.monitor, [], MONDAY)
    folder = tmp_path / "site/models/churn"
    assert json.loads((folder / STAMP / "drift.json").read_text())["status"] == "failed"
    assert not (folder / "latest").exists()
    run_checks(world.monitor, [], MONDAY)
    assert json.loads((folder / "latest/drift.json").read_text())["status"] == "drift"


def test_a_bus_that_refuses_a_trigger_fails_the_run(tmp_path: Path) -> None:
    """The run fails, so that the platform retries it: the next one may get the trigger through."""
    world = drifting(tmp_path, bus_gate=_refusing)
    with pytest.raises(RunFailedError, match=r"churn: The bus did not accept 1 trigger\(s\): drift: throttled"):
        run_checks(world.monitor, [], MONDAY)


def _refusing(_call: str, _effect: object) -> NoReturn:
    raise BusError("The bus", {"drift": "throttled"})


@pytest.mark.parametrize("error", [UnavailableError("The storage", "write it"), ValueError("secret")])
def test_a_latest_report_that_fails_is_not_a_failed_check(tmp_path: Path, error: Exception) -> None:
    """The trigger is emitted, so people are notified of the drift; the run fails, and the next one writes the rest."""
    world = drifting(tmp_path, FailingStorage(tmp_path, "/latest/", error))
    with pytest.raises(RunFailedError, match=rf"^churn: the latest report: {type(error).__name__}") as raised:
        run_checks(world.monitor, [], MONDAY)
    assert "secret" not in str(raised.value)
    assert [notice.event for notice in world.mailbox.notices] == ["drift"]
    assert len(world.bus.published) == 1
    assert f"models/churn/{STAMP}/report.html" in (tmp_path / "site/index.html").read_text()


@pytest.mark.parametrize("error", [UnavailableError("The storage", "write it"), ValueError("secret")])
def test_one_site_does_not_hold_up_another(tmp_path: Path, error: Exception) -> None:
    """Whatever one site's storage does, every other model is checked and shown, and its notice is sent."""
    world = drifting(tmp_path, FailingStorage(tmp_path, "/broken/", error), lost="broken", churn="site")
    with pytest.raises(RunFailedError, match="the index: ") as raised:
        run_checks(world.monitor, [], MONDAY)
    assert "secret" not in str(raised.value)
    assert [notice.event for notice in world.mailbox.notices] == ["monitor_failed", "drift"]
    assert [trigger.model_id for trigger in world.bus.published] == ["churn"]
    assert "churn" in (tmp_path / "site/index.html").read_text()


def test_a_storage_that_lacks_a_setting_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account the driver for Azure cannot be made: a message for its model, and the others are checked."""
    for name in ("CONNECTION_STRING", "ACCOUNT_NAME"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    world = drifting(tmp_path, lost="abfs://acme/site", churn="site")
    with pytest.raises(RunFailedError, match="the index: UnusableDataError: abfs://acme/site/"):
        run_checks(world.monitor, [], MONDAY)
    lost, found = world.mailbox.notices
    assert lost.reason.startswith(f"abfs://acme/site/models/lost/{STAMP}/report.html: its driver does not work: ")
    assert (found.event, found.model_id) == ("drift", "churn")


def test_models_of_one_site_share_its_index(tmp_path: Path) -> None:
    """However the folder is spelled."""
    world = drifting(tmp_path, churn="site", prices="./site/", demand="site/")
    run_checks(world.monitor, [], MONDAY)
    page = (tmp_path / "site/index.html").read_text()
    assert all(f">{name}</" in page for name in ("churn", "prices", "demand"))


def test_a_run_for_a_time_far_ahead_is_refused(tmp_path: Path) -> None:
    """Its report would be the latest one until that time has come; tomorrow has begun somewhere already."""
    world = drifting(tmp_path)
    with pytest.raises(InvalidTriggerError, match="at: must not be more than a day ahead, as 2062-11-23T00:00:00Z is"):
        run_checks(world.monitor, [], MONDAY.replace(year=2062, hour=0, minute=0))
    assert run_checks(world.monitor, [], MONDAY + timedelta(hours=23))
