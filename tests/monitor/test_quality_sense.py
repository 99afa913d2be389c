"""Quality where the metric means nothing for the data: it is unknown, or an error that says what to do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.quality import Quality, check_quality
from shared.config.quality import QualityCheck
from tests.monitor.given import check, put
from tests.monitor.test_quality import DAY, ROWS, classification, judged, regression


def several(names: str, wrong: float = 0.1, seed: int = 0) -> pd.DataFrame:
    """Return rows of classes, named by the letters *names*, of which about the share *wrong* is labelled wrongly."""
    random = np.random.default_rng(seed)
    truth, other = (random.choice(list(names), ROWS) for _ in range(2))
    return pd.DataFrame({"y": truth, "p": np.where(random.random(ROWS) < wrong, other, truth)})


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("r2", "all true values are equal"),
        ("f1", "no row is of the class '1'"),
        ("recall", "no row is of the class '1'"),
        ("roc_auc", "all rows are of one class"),
    ],
)
def test_a_metric_that_the_true_values_do_not_define_is_unknown(tmp_path: Path, metric: str, why: str) -> None:
    """A week without a positive row would have an f1 of 0, and a constant target an r2 of 0: no loss of the model."""
    rows = regression(1.0) if metric == "r2" else classification(0.1)
    if metric == "roc_auc":
        rows["p"] = np.linspace(0, 1, ROWS)
    calm = rows.assign(y=np.zeros(ROWS, dtype=rows["y"].dtype))
    quality = QualityCheck(metric=metric, max_drop=0.1)
    found = judged(tmp_path, rows, calm, quality)
    assert (found.unknown, found.worse) == (f"in the current data {why}", False)
    with pytest.raises(UnusableDataError, match=rf"^the reference data .*: {metric} is not defined: {why}$"):
        judged(tmp_path, calm, rows, quality)


@pytest.mark.parametrize("side", ["reference", "current"])
def test_predictions_of_other_classes_than_the_target_are_an_error(tmp_path: Path, side: str) -> None:
    """Yes and no beside 1 and 0, another spelling, or probabilities: they would count as wrong, every one of them."""
    for wrong in ({"a": "1", "b": "0"}, {"a": "A", "b": "B"}, {"a": 0.2, "b": 0.7}):
        sides = {"reference": several("ab"), "current": several("ab", seed=1)}
        sides[side]["p"] = sides[side]["p"].map(wrong)
        with pytest.raises(UnusableDataError, match=rf"half of the values in the {side} data are not classes of the"):
            judged(tmp_path, sides["reference"], sides["current"], QualityCheck(metric="accuracy", max_drop=0.1))


def test_classes_that_come_or_go_are_judged(tmp_path: Path) -> None:
    """With a third class in one of the sides, both are judged as data of several classes."""
    for sides in ((several("ab"), several("abc")), (several("abc"), several("ab"))):
        found = judged(tmp_path, *sides, QualityCheck(metric="f1", max_drop=0.1))
        assert [found.reference, found.current] == pytest.approx([0.94, 0.94], abs=0.02)
    probabilities = several("abc").assign(p=0.5)
    with pytest.raises(UnusableDataError, match="the target has 3 classes, and roc_auc is of two"):
        judged(tmp_path, probabilities, probabilities, QualityCheck(metric="roc_auc", max_drop=0.1))


def late(folder: Path, predictions: pd.DataFrame, labels: pd.DataFrame) -> Quality:
    """Return the quality of *predictions* whose true values are in *labels*, a CSV file."""
    put(folder, reference=regression(1.0), current=predictions)
    labels.to_csv(folder / "labels.csv", index=False)
    quality = QualityCheck(metric="mae", max_drop=0.2, labels="labels.csv", key="id")
    return check_quality(check(target="y", prediction="p"), quality, DAY, Storage(folder))


def test_labels_need_one_true_value_for_each_key(tmp_path: Path) -> None:
    """Equal rows are one; a key may be missing, unknown, or a broken number for pandas."""
    rows = regression(1.0)
    # A single null makes 1.0 of 1.
    keys = pd.Series([None, *range(1, ROWS)], dtype=float)
    predictions, labels = rows.drop(columns="y").assign(id=keys), pd.DataFrame({"id": np.arange(ROWS), "y": rows["y"]})
    assert late(tmp_path, predictions, pd.concat([labels, labels])).rows == ROWS - 1
    assert late(tmp_path, predictions, labels.assign(id=labels["id"] + ROWS)).unknown == (
        "none of the labels has the key of a prediction"
    )
    with pytest.raises(UnusableDataError, match=r"3 values of the key 'id' occur again with another 'y'; keep one row"):
        late(tmp_path, predictions, pd.concat([labels, labels[:3].assign(y=0.0)]))


def test_infinite_predictions_are_not_judged(tmp_path: Path) -> None:
    """Their errors are not numbers, so the rows that are judged do not include them."""
    rows = regression(1.0)
    found = judged(
        tmp_path, rows, rows.assign(p=[np.inf] * 5 + list(rows["p"][5:])), QualityCheck(metric="mae", limit=2)
    )
    assert (found.rows, found.worse) == (ROWS - 5, False)
