"""Quality: the performance of a model as a reason to train it."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.quality import Quality, check_quality
from functions.monitor.run import run_checks
from shared.config.quality import QualityCheck
from tests.monitor.given import MONDAY, World, check, configuration, put

DRIFT = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"\n'
COLUMNS = 'columns = ["x"]\ntarget = "y"\nprediction = "p"\n'
DAY = date(2026, 11, 23)
ROWS = 1500


def regression(error: float, seed: int = 0) -> pd.DataFrame:
    """Return rows whose predictions are wrong by about *error*; x and y are distributed alike for every error."""
    random = np.random.default_rng(seed)
    x = random.normal(10, 1, ROWS)
    return pd.DataFrame({"x": x, "y": x * 10, "p": x * 10 + random.normal(0, error, ROWS)})


def classification(wrong: float, seed: int = 0) -> pd.DataFrame:
    """Return rows of which the share *wrong* is labelled wrongly."""
    random = np.random.default_rng(seed)
    truth = random.random(ROWS) < 0.4
    return pd.DataFrame({"x": random.normal(size=ROWS), "y": truth, "p": truth ^ (random.random(ROWS) < wrong)})


def judged(folder: Path, reference: pd.DataFrame, current: pd.DataFrame, quality: QualityCheck) -> Quality:
    """Return what a check of the quality finds."""
    put(folder, reference=reference, current=current)
    return check_quality(check(target="y", prediction="p"), quality, DAY, Storage(folder))


@pytest.mark.parametrize("metric", ["mae", "rmse", "mape", "r2"])
def test_a_metric_of_regression_is_the_one_that_scikit_learn_gives(tmp_path: Path, metric: str) -> None:
    """Evidently's value for both sides, and how much worse the current one is."""
    sides = regression(1.0), regression(2.0, seed=1)
    of = {
        "mae": metrics.mean_absolute_error,
        "rmse": metrics.root_mean_squared_error,
        "mape": lambda y, p: 100 * metrics.mean_absolute_percentage_error(y, p),
        "r2": metrics.r2_score,
    }[metric]
    expected = [of(side["y"], side["p"]) for side in sides]
    found = judged(tmp_path, *sides, QualityCheck(metric=metric, max_drop=0.01))
    assert [found.reference, found.current] == pytest.approx(expected)
    assert found.worse
    assert found.drop == pytest.approx(abs(expected[1] - expected[0]) / expected[0])


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_metric_of_classification_is_the_one_that_scikit_learn_gives(tmp_path: Path, metric: str, form: str) -> None:
    """Labels may be flags, or texts of a CSV file; what is looked for is true."""
    sides = classification(0.05), classification(0.3, seed=1)
    score = {"accuracy": "accuracy_score", "precision": "precision_score", "recall": "recall_score", "f1": "f1_score"}
    expected = [getattr(metrics, score[metric])(side["y"], side["p"]) for side in sides]
    for name, side in zip(("reference", "current"), sides, strict=True):
        path = tmp_path / f"{name}.{form}"
        side.to_csv(path, index=False) if form == "csv" else side.to_parquet(path)
    checked = check(reference=f"reference.{form}", current=f"current.{form}", target="y", prediction="p")
    found = check_quality(checked, QualityCheck(metric=metric, max_drop=0.05), DAY, Storage(tmp_path))
    assert [found.reference, found.current] == pytest.approx(expected)
    assert found.worse


def test_probabilities_and_many_classes_are_judged(tmp_path: Path) -> None:
    """The area under the curve of two classes, and the share of right labels of three."""
    sides = [classification(0.1, seed).assign(p=lambda frame: frame["p"] * 0.8 + 0.1) for seed in (0, 1)]
    area = judged(tmp_path, sides[0], sides[1], QualityCheck(metric="roc_auc", max_drop=0.2))
    assert area.current == pytest.approx(metrics.roc_auc_score(sides[1]["y"], sides[1]["p"]))
    names = np.array(["a", "b", "c"])[np.arange(ROWS) % 3]
    three = pd.DataFrame({"y": names, "p": np.where(np.arange(ROWS) % 10 == 0, "a", names)})
    right = judged(tmp_path, three, three, QualityCheck(metric="accuracy", limit=0.5))
    assert right.current == pytest.approx((three["y"] == three["p"]).mean())
    assert not right.worse


def test_a_limit_needs_no_value_of_the_reference(tmp_path: Path) -> None:
    """Steps of severity count from the limit; training data often come without predictions."""
    quality = QualityCheck(metric="mae", limit=1.0, severity={"low": 0.1, "high": 0.5})
    found = judged(tmp_path, regression(1.0).drop(columns="p"), regression(2.0), quality)
    assert found.reference is None
    assert (found.worse, found.severity) == (True, "high")
    assert found.summary() == f"mae is {found.current:.4g} (limit 1)"
    both = judged(tmp_path, regression(1.0), regression(2.0), quality)
    assert both.summary() == f"mae is {both.current:.4g} (limit 1; {both.reference:.4g} on the reference)"


@pytest.mark.parametrize(("delay", "file"), [("", "current"), ('delay = "7d"\n', "2026-11-16")])
def test_labels_that_come_late_are_joined_by_a_key(tmp_path: Path, delay: str, file: str) -> None:
    """Until they are there the quality is unknown; the keys may be numbers here and texts there, in any order."""
    toml = DRIFT.replace("current.parquet", "{date}.parquet") if delay else DRIFT
    quality = '[models."churn".quality]\nmetric = "mae"\nmax_drop = 0.2\nlabels = "labels-{date}.csv"\nkey = "id"\n'
    world = World(tmp_path, configuration(churn=toml + COLUMNS + quality + delay))
    frame = regression(3.0, seed=1).assign(id=np.arange(ROWS))
    world.put(**{"reference": regression(1.0), file: frame.drop(columns="y"), "2026-11-23": frame.drop(columns="y")})
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert line["status"] == "no_drift"
    assert "mae is not known: labels-2026-11-23.csv: no such file exists" in str(line["summary"])
    frame[["id", "y"]].sample(frac=0.8, random_state=0).to_csv(tmp_path / "labels-2026-11-23.csv", index=False)
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert line["status"] == "worse"
    (trigger,) = world.bus.published
    assert trigger.evidence["quality"]["rows"] == 1200  # type: ignore[index]  # JSON


def test_labels_beside_the_predictions_may_come_late(tmp_path: Path) -> None:
    """Rows without a target do not count; with too few of them the quality is unknown."""
    current = regression(3.0, seed=1)
    quality = QualityCheck(metric="mae", max_drop=0.2)
    assert "have no column 'y'" in judged(tmp_path, regression(1.0), current.drop(columns="y"), quality).unknown
    current.loc[400:, "y"] = np.nan
    few = judged(tmp_path, regression(1.0), current, quality)
    assert few.unknown == "400 rows have target and prediction, and 500 are needed (min_rows)"
    assert not few.worse


def test_a_reference_without_predictions_is_an_error(tmp_path: Path) -> None:
    """Nothing can be compared with it, today or later."""
    with pytest.raises(UnusableDataError, match=r"the reference data .* need the columns 'y' and 'p'; or set a limit"):
        judged(tmp_path, regression(1.0).drop(columns="p"), regression(1.0), QualityCheck(metric="mae", max_drop=0.2))


def test_a_loss_of_quality_requests_a_training(tmp_path: Path) -> None:
    """The trigger has origin, severity and both values; notice, JSON and report agree; a repeat sends the same id."""
    quality = '[models."churn".quality]\nmetric = "mae"\nmax_drop = 0.2\nseverity = { low = 0.3, high = 1.0 }\n'
    world = World(tmp_path, configuration(churn=DRIFT + COLUMNS + quality))
    world.put(reference=regression(1.0), current=regression(1.5, seed=1))
    for _ in range(2):
        run_checks(world.monitor, [], MONDAY)
    first, second = world.bus.published
    assert first.trigger_id == second.trigger_id
    assert (first.origin, first.severity) == ("drift", "low")
    assert first.reason.startswith("mae is 1.")
    found = first.evidence["quality"]
    assert isinstance(found, dict)
    assert (found["metric"], found["status"]) == ("mae", "worse")
    assert found["current"] > 1.3 * found["reference"]
    notice = world.mailbox.notices[0]
    assert (notice.event, notice.severity) == ("worse", "low")
    assert json.loads(str(notice.evidence["quality"])) == found
    latest = tmp_path / "site/models/churn/latest"
    assert json.loads((latest / "drift.json").read_text())["quality"] == found
    assert "predictions are worse, low" in (latest / "report.html").read_text()


def test_equal_quality_requests_nothing(tmp_path: Path) -> None:
    """The value is in the summary all the same."""
    quality = '[models."churn".quality]\nmetric = "mae"\nmax_drop = 0.2\n'
    world = World(tmp_path, configuration(churn=DRIFT + COLUMNS + quality))
    world.put(reference=regression(1.0), current=regression(1.0, seed=1))
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert line["status"] == "no_drift"
    assert "; mae is 0." in str(line["summary"])
    assert not world.bus.published
