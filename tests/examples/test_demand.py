"""Runs the demand example as a launcher does, as a process of its own, and checks its results."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.typing import NDArray

# One worker, which trains the first models once.
pytestmark = [pytest.mark.deep, pytest.mark.xdist_group("demand")]

DEMAND = Path(__file__).parents[2] / "examples" / "demand"
FIRST = {"until": "2011-09-01"}


def train(run: Path, parameters: Mapping[str, str], *, demand: Path = DEMAND) -> subprocess.CompletedProcess[str]:
    """Run the script in the folder *demand* for the folder *run*, which also names the run and its trigger."""
    run.mkdir(parents=True)
    environment = {
        "RETRAIN_MODEL_ID": "demand",
        "RETRAIN_TRIGGER_ID": f"trigger-{run.name}",
        "RETRAIN_RUN_ID": run.name,
        "RETRAIN_RUN_DIR": str(run),
        # Threads that spin while they wait for one another cost minutes when other tests run at the same time.
        "OMP_NUM_THREADS": "1",
        **{f"RETRAIN_PARAM_{name.upper()}": value for name, value in parameters.items()},
    }
    command = [sys.executable, str(demand / "train.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


def metrics(run: Path) -> dict[str, Any]:
    """Return the metrics of *run*."""
    content: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return content


def predictions(run: Path) -> NDArray[np.float64]:
    """Return the predictions of the model of *run* for 500 made-up days."""
    scale = [731, 366, 6, 1, 1, 3, 1, 1, 1]
    days = np.random.default_rng(0).uniform(size=(500, len(scale))) * scale
    answer: NDArray[np.float64] = joblib.load(run / "model.joblib")["estimator"].predict(days)
    return answer


def copy_with_other_counts(folder: Path, first: str, until: str) -> Path:
    """Copy the example into *folder*, with ten times the rentals from *first* on and before *until*."""
    shutil.copytree(DEMAND, folder)
    path = folder / "data" / "bike_sharing_daily.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if first <= row["dteday"] < until:
            row["cnt"] = str(10 * int(row["cnt"]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trainings in one folder: at first, a year later, and a month after that."""
    folder = tmp_path_factory.mktemp("story")
    for name, until in (("first", FIRST["until"]), ("year", "2012-09-01"), ("month", "2012-10-01")):
        done = train(folder / name, {"until": until})
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1
    return folder


def test_data_is_the_published_set() -> None:
    """The data contain every day of 2011 and 2012 once, and have the totals of the published data set."""
    with (DEMAND / "data" / "bike_sharing_daily.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["dteday"]).toordinal() for row in rows]
    assert days == list(range(date(2011, 1, 1).toordinal(), date(2013, 1, 1).toordinal()))
    assert sum(int(row["cnt"]) for row in rows) == 3_292_679
    assert sum(int(row["registered"]) for row in rows) == 2_672_662


def test_first_model_has_nothing_before_it(story: Path) -> None:
    """The first training has no error before it, is promoted, and carries the names from the launcher."""
    found = metrics(story / "first")
    assert (found["model_id"], found["trigger_id"], found["run_id"]) == ("demand", "trigger-first", "first")
    assert (found["mae_before"], found["mape_before"], found["production_before"]) == (None, None, None)
    assert found["promoted"] is True


def test_retraining_after_a_year_more_than_halves_the_error(story: Path) -> None:
    """A year later the old model is far off on recent days, and the new one less than half as far."""
    found = metrics(story / "year")
    assert found["mae_before"] > 2 * metrics(story / "first")["mae_after"]
    assert found["mae_after"] < found["mae_before"] / 2
    assert found["mape_after"] < found["mape_before"] / 2
    assert found["production_before"]["run_id"] == "first"


def test_a_worse_model_is_not_promoted(story: Path) -> None:
    """A retraining with a worse result succeeds, says so, and leaves the production model unchanged."""
    found = metrics(story / "month")
    assert found["mae_after"] > found["mae_before"]
    assert (found["promoted"], found["reason"]) == (False, "worse than the model in production")
    in_production = (story / "production" / "model.joblib").read_bytes()
    assert in_production == (story / "year" / "model.joblib").read_bytes()
    assert json.loads((story / "production" / "model.json").read_text(encoding="utf-8"))["run_id"] == "year"


@pytest.mark.parametrize("name", ["first", "year", "month"])
def test_window_follows_the_training_days(story: Path, name: str) -> None:
    """The window begins the day after the last training day, and no model has seen a day of it."""
    found = metrics(story / name)
    trained, window = found["training"], found["window"]
    assert (date.fromisoformat(window["first_day"]) - date.fromisoformat(trained["last_day"])).days == 1
    assert (date.fromisoformat(found["parameters"]["until"]) - date.fromisoformat(window["last_day"])).days == 1
    assert window["rows"] == found["parameters"]["recent_days"] == 28
    assert (found["production_before"] or {"window_days_seen": 0})["window_days_seen"] == 0


def test_window_does_not_leak_into_the_model(story: Path, tmp_path: Path) -> None:
    """Other rentals in the window and after it do not change the model; in the four weeks before, they do."""
    hidden = copy_with_other_counts(tmp_path / "hidden", "2011-08-04", "2013-01-01")
    seen = copy_with_other_counts(tmp_path / "seen", "2011-07-07", "2011-08-04")
    assert train(tmp_path / "a" / "run", FIRST, demand=hidden).returncode == 0
    assert train(tmp_path / "b" / "run", FIRST, demand=seen).returncode == 0
    assert np.array_equal(predictions(tmp_path / "a" / "run"), predictions(story / "first"))
    assert not np.array_equal(predictions(tmp_path / "b" / "run"), predictions(story / "first"))
    assert metrics(tmp_path / "a" / "run")["mae_after"] > metrics(story / "first")["mae_after"]


def test_same_inputs_give_the_same_metrics(story: Path, tmp_path: Path) -> None:
    """A second run with the same inputs writes the same metrics, byte for byte."""
    assert train(tmp_path / "first", FIRST).returncode == 0
    assert (tmp_path / "first" / "metrics.json").read_bytes() == (story / "first" / "metrics.json").read_bytes()


def test_days_that_production_has_seen_are_counted(story: Path, tmp_path: Path) -> None:
    """Going back in time says how many days of the window the production model was trained on."""
    shutil.copytree(story / "production", tmp_path / "production")
    assert train(tmp_path / "back", {"until": "2012-08-11", "recent_days": "14"}).returncode == 0
    # The window is 28 July to 10 August 2012, and the model in production knows the days up to 3 August.
    assert metrics(tmp_path / "back")["production_before"]["window_days_seen"] == 7


def test_an_unreadable_production_model_is_not_overwritten(tmp_path: Path) -> None:
    """A damaged production model ends the run with exit code 1 and one line, and is kept for inspection."""
    damaged = tmp_path / "production" / "model.joblib"
    damaged.parent.mkdir()
    damaged.write_bytes(b"no model")
    done = train(tmp_path / "run", FIRST)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{damaged} cannot be read as a model" in done.stderr
    assert damaged.read_bytes() == b"no model"
    assert list((tmp_path / "run").iterdir()) == []


def test_finished_runs_leave_no_unfinished_files(story: Path) -> None:
    """A run writes its model and its metrics, production has its model and card, and there are no other files."""
    files = {path.relative_to(story).as_posix() for path in story.rglob("*") if path.is_file()}
    runs = {f"{run}/{name}" for run in ("first", "year", "month") for name in ("model.joblib", "metrics.json")}
    assert files == runs | {"production/model.joblib", "production/model.json"}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("until", "soon", "an ISO date from 2011-03-26 to 2013-01-01"),
        ("until", "2011-03-25", "an ISO date from 2011-03-26 to 2013-01-01"),
        ("until", "2013-01-02", "an ISO date from 2011-03-26 to 2013-01-01"),
        ("recent_days", "0", "a whole number from 1 to 180"),
        ("recent_days", "7.5", "a whole number from 1 to 180"),
        ("max_iter", "2001", "a whole number from 1 to 2000"),
        ("learning_rate", "nan", "a number from 0.001 to 1.0"),
        ("learning_rate", "fast\nfood", "a number from 0.001 to 1.0"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, name: str, value: str, rule: str) -> None:
    """An invalid parameter gives exit code 2, one line with its name, its rule and its value, and no files."""
    done = train(tmp_path / "run", {name: value})
    assert done.returncode == 2
    assert done.stderr == f"train.py: parameter {name} must be {rule}, not {value!r}\n"
    assert done.stdout == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
