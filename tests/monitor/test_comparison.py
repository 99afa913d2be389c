"""The comparison is Evidently's own."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions.monitor.comparison import compare
from functions.monitor.errors import UnusableDataError
from tests.monitor.given import put, rows, run


def evidently_alone(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Any]:
    """Return what Evidently says of these data without anything of ours: column -> value, method, drifted."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Report([DataDriftPreset()], include_tests=True).run(current, reference).dict()
    status = {test["metric_config"]["metric_id"]: test["status"].value == "FAIL" for test in found["tests"]}
    return {
        metric["config"]["column"]: (metric["value"], metric["config"]["method"], status[metric["id"]])
        for metric in found["metrics"]
        if "column" in metric["config"]
    }


@pytest.mark.parametrize("count", [300, 1500], ids=["tests of significance", "distances"])
@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_every_value_is_the_one_that_evidently_gives(tmp_path: Any, count: int, shift: float) -> None:
    """Value, method and verdict of each column are equal to those of Evidently alone on the same data."""
    reference, current = rows(count), rows(count, shift=shift, seed=1)
    put(tmp_path, reference=reference, current=current)
    result = run(tmp_path)
    assert {column.name: (column.value, column.method, column.drifted) for column in result.columns} == evidently_alone(
        reference, current
    )
    assert result.share == len(result.drifted) / 5


def test_a_p_value_drifts_downwards_and_a_distance_upwards() -> None:
    """Whether a column drifted is Evidently's verdict, not a comparison of ours: both kinds of value occur."""
    for count in (300, 1500):
        found = compare(rows(count), rows(count, shift=3.0), drift_share=0.5)
        price = next(column for column in found.columns if column.name == "price")
        assert price.drifted
        assert price.value is not None
        assert (price.value < price.threshold) == ("p_value" in price.method)


def test_a_constant_column_is_compared_like_any_other() -> None:
    """The same constant does not count as drift; a different constant does."""
    reference = rows().assign(same=1.0, other=1.0, word="x")
    found = compare(reference, rows(seed=1).assign(same=1.0, other=2.0, word="x"), drift_share=0.5)
    assert {column.name for column in found.drifted} == {"other"}


def test_infinite_values_do_not_count() -> None:
    """Infinities are passed over, as Evidently does."""
    some = rows(seed=1)
    some.loc[:10, "price"] = -np.inf
    found = compare(rows(), some, drift_share=0.5)
    assert not found.drifted
    assert not found.left_out


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        (np.arange(1500) % 7 + 1e19, "ValueError"),
        (np.linspace(-1, 1, 1500) * 1.7e308, "ValueError"),
    ],
    ids=["too many bins", "out of range"],
)
def test_a_column_that_evidently_cannot_compare_is_left_out(numbers: Any, why: str) -> None:
    """One awkward column is the end of Evidently's report on all of them; here the others are compared."""
    reference, current = (rows(seed=seed).assign(big=numbers) for seed in (0, 1))
    with pytest.raises(ValueError, match=r"."):
        evidently_alone(reference, current)
    found = compare(reference, current, drift_share=0.5)
    assert found.left_out["big"].startswith(f"cannot be compared by Evidently: {why}: ")
    assert len(found.columns) == 5


@pytest.mark.parametrize("count", [300, 1500], ids=["tests of significance", "distances"])
def test_new_categories_without_number_give_the_value_that_evidently_gives(tmp_path: Any, count: int) -> None:
    """They are put together, as Evidently's time grows with the square of their number; its distance does not."""
    reference, current = (rows(count, seed=seed).assign(code=np.arange(count) % 7) for seed in (0, 1))
    new = np.arange(count) % 3 > 0
    current["region"] = current["region"].mask(new, [f"new {row % 100}" for row in range(count)])
    current["code"] = current["code"].mask(new, np.arange(count) % 100)
    put(tmp_path, reference=reference, current=current)
    every = {column.name: column for column in compare(reference, current, drift_share=0.5).columns}
    for column in run(tmp_path).columns:
        one = every[column.name]
        assert (column.method, column.drifted) == (one.method, one.drifted)
        assert column.value == pytest.approx(one.value)


def test_nothing_that_evidently_can_compare_is_an_error_that_says_why() -> None:
    """When no column is left, each of them is named with its reason."""
    only = pd.DataFrame({"big": np.linspace(-1, 1, 1500) * 1.7e308})
    with pytest.raises(UnusableDataError, match="no column can be compared: 'big' cannot be compared by Evidently"):
        compare(only, only, drift_share=0.5)


def test_the_page_runs_no_script_from_the_data() -> None:
    """Names and values that close Evidently's script and begin another are shown, not run; results keep the names."""
    evil = "</script><script>document.title='pwned'</script>"
    frame = rows().assign(region=evil).rename(columns={"price": evil})
    found = compare(frame, frame, drift_share=0.5)
    assert evil in [column.name for column in found.columns]
    assert "<script>document" not in found.page
    assert "</script>\\u003cscript>document" not in found.page
    assert "/script>\u2039script>document" in found.page or "\\u2039/script>\\u2039script>document" in found.page


def test_names_that_look_alike_on_the_page_stay_apart() -> None:
    """Two columns whose names differ only in the sign that is replaced are both compared."""
    frame = rows().rename(columns={"price": "a<b", "visits": "a\u2039b"})
    assert {column.name for column in compare(frame, frame, drift_share=0.5).columns} >= {"a<b", "a\u2039b"}
