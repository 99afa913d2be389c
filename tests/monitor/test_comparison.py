"""The comparison is Evidently's own."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions.monitor.check import check_drift
from functions.monitor.comparison import compare
from functions.monitor.errors import UnusableDataError
from functions.monitor.storage import Storage
from tests.monitor.given import MONDAY, World, check, configuration, rows

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'


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
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=reference, current=current)
    result = check_drift("churn", check(), MONDAY, Storage(tmp_path)).result
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
        assert (price.value < price.threshold) == ("p_value" in price.method)


def test_a_constant_column_is_compared_like_any_other() -> None:
    """The same constant is no drift; another constant is drift."""
    reference = rows().assign(same=1.0, other=1.0, word="x")
    found = compare(reference, rows(seed=1).assign(same=1.0, other=2.0, word="x"), drift_share=0.5)
    assert {column.name for column in found.drifted} == {"other"}


def test_infinite_values_do_not_count() -> None:
    """Infinities are passed over as Evidently does, and a column of nothing else is left out."""
    broken = rows(seed=1).assign(price=np.inf)
    some = rows(seed=1)
    some.loc[:10, "price"] = -np.inf
    assert compare(rows(), broken, drift_share=0.5).left_out == {"price": "has no finite values in the current data"}
    assert not compare(rows(), some, drift_share=0.5).left_out


def test_identifiers_and_free_text_are_left_out_unless_they_are_named() -> None:
    """A text column with mostly distinct values says nothing by its values; who names it gets it."""
    reference = rows().assign(note=[f"note {number} {'calm' if number % 2 else 'bright'}" for number in range(1500)])
    assert "note" in compare(reference, reference, drift_share=0.5).left_out
    assert "note" not in compare(reference, reference, drift_share=0.5, named=["note"]).left_out


def test_nothing_to_compare_is_an_error_that_says_why() -> None:
    """When no column is left, each of them is named with its reason."""
    only = pd.DataFrame({"id": [f"id-{number}" for number in range(100)]})
    with pytest.raises(UnusableDataError, match="no column can be compared: 'id' holds free text or identifiers"):
        compare(only, only, drift_share=0.5)


def test_the_page_runs_no_script_that_stands_in_the_data() -> None:
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
