"""Random halves of real tables, which must not drift: some that statsmodels brings along.

`python -m bench.tables` does the same with hundreds of tables; its figures are in docs/benchmarks.md.
"""

from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench.tables import Outcome, examine, figures
from tests.monitor.given import check

DATASETS = Path(str(distribution("statsmodels").locate_file("statsmodels"))) / "datasets"
# Surveys, a series of dates with gaps, and a table that is small.
TABLES = [DATASETS / name for name in ("fair/fair.csv", "co2/co2.csv", "heart/heart.csv")]


@pytest.fixture(scope="module", params=TABLES, ids=lambda path: path.stem)
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what a check of two halves of a table ends with."""
    configured = check(reference="reference.csv", current="current.csv")
    return examine(request.param, tmp_path_factory.mktemp("halves"), configured, seed=0)


def test_halves_of_a_table_do_not_drift(outcome: Outcome) -> None:
    """There is a verdict, it is `no_drift`, and every column is compared or left out with a reason."""
    assert outcome.result is not None, outcome.crash or outcome.refused
    assert (outcome.crash, outcome.refused, outcome.silent) == ("", "", ())
    assert not outcome.result.drift
    assert "columns neither compared nor left out: 0" in list(figures([outcome]))


def test_a_verdict_is_that_of_evidently_alone(outcome: Outcome) -> None:
    """Evidently measures the same distance by the same method if pandas reads the files for it."""
    assert outcome.result is not None
    assert not isinstance(outcome.alone, str), outcome.alone
    for column in outcome.result.columns:
        verdict = outcome.alone[column.name]
        assert (column.method, column.values_drifted) == (verdict.method, verdict.drifted), column.name
        assert column.value == pytest.approx(verdict.value), column.name


def test_a_table_that_is_too_small_is_refused_with_the_reason(tmp_path: Path) -> None:
    """The figures count it apart from errors."""
    (tmp_path / "small.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "halves").mkdir()
    configured = check(reference="reference.csv", current="current.csv")
    small = examine(tmp_path / "small.csv", tmp_path / "halves", configured, seed=0)
    assert (small.rows, small.crash) == (2, "")
    assert "needs 30" in small.refused
    assert "tables without a verdict, with a reason: 1" in list(figures([small]))
