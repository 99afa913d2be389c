"""The quality table of the configuration."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.config.file import parse_configuration
from shared.config.quality import QualityCheck
from shared.errors import ConfigError

TARGET = '[models."churn".target.local]\nkind = "command"\ncommand = ["true"]\n'
DRIFT = '[models."churn".drift]\nreference = "reference.csv"\ncurrent = "{date}.csv"\nsite = "site"\n'
COLUMNS = 'target = "y"\nprediction = "p"\n'


def read(quality: str, drift: str = DRIFT + COLUMNS) -> QualityCheck:
    """Return the quality table *quality* of a model that has the table *drift*."""
    text = f'{TARGET}{drift}[models."churn".quality]\n{quality}\n'
    found = parse_configuration(text, source="retrain.toml", folder=Path()).models[0].quality
    assert found is not None
    return found


def test_a_model_without_a_table_is_not_judged() -> None:
    """No quality table, no check of the predictions."""
    assert parse_configuration(TARGET + DRIFT, source="retrain.toml", folder=Path()).models[0].quality is None


@pytest.mark.parametrize(
    ("metric", "reference", "current", "drop"),
    [
        ("mae", 2.0, 3.0, 0.5),
        ("mae", 2.0, 1.0, -0.5),
        ("log_loss", 0.5, 0.75, 0.5),
        ("accuracy", 0.8, 0.6, 0.25),
        ("accuracy", 0.8, 1.0, -0.25),
        ("r2", -0.5, -1.0, 1.0),
        ("mae", 2.0, 2.0, 0.0),
        ("mae", 0.0, 0.0, 0.0),
        ("mae", 0.0, 0.1, float("inf")),
        ("r2", 0.0, 0.1, float("-inf")),
    ],
)
def test_a_drop_is_a_share_of_the_reference(metric: str, reference: float, current: float, drop: float) -> None:
    """Errors get worse when they rise, all other metrics when they fall; from 0, each change is endless."""
    assert read(f'metric = "{metric}"\nmax_drop = 0.3').drop(reference, current) == pytest.approx(drop)


def test_a_loss_exceeds_what_is_allowed() -> None:
    """`max_drop` itself is allowed; beyond a limit, everything is a loss."""
    allowed, limited = read('metric = "mae"\nmax_drop = 0.2'), read('metric = "mae"\nlimit = 4')
    assert [allowed.is_loss(drop) for drop in (-1.0, 0.2, 0.21)] == [False, False, True]
    assert limited.drop(None, 5.0) == limited.drop(1.0, 5.0) == 0.25
    assert [limited.is_loss(limited.drop(None, value)) for value in (3.0, 4.0, 4.1)] == [False, False, True]
    with pytest.raises(ValueError, match="a reference is needed"):
        allowed.drop(None, 1.0)


def test_a_severity_begins_at_its_loss() -> None:
    """Losses have no upper end, so a step may be over 1; below the lowest step the severity is `low`."""
    found = read('metric = "mae"\nmax_drop = 0.1\nseverity = { medium = 0.5, high = 2.0 }')
    assert [found.severity_of(drop) for drop in (0.2, 0.5, 1.99, 2.0)] == ["low", "medium", "medium", "high"]
    assert read('metric = "mae"\nmax_drop = 0.1').severity_of(3.0) is None


def test_labels_that_come_late_belong_to_earlier_data() -> None:
    """The labels are those of the run's day, and the data are older by the delay."""
    late = 'metric = "mae"\nlimit = 4\nlabels = "labels-{date}.csv"\nkey = "id"\ndelay = "7d"'
    found, day = read(late), date(2026, 11, 23)
    assert (found.labels_on(day), found.data_day(day)) == ("labels-2026-11-23.csv", date(2026, 11, 16))
    assert (found.delay, read('metric = "mae"\nlimit = 4').delay) == (timedelta(days=7), timedelta())


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("max_drop = 0.2", "quality.metric: is missing; it is one of mae, rmse"),
        ('metric = "gini"\nmax_drop = 0.2', "quality.metric: must be one of mae, rmse"),
        ('metric = "mae"', "quality: needs either max_drop"),
        ('metric = "mae"\nmax_drop = 0.2\nlimit = 3', "quality: needs either max_drop"),
        ('metric = "mae"\nmax_drop = 0', "quality.max_drop: must be a share over 0"),
        ('metric = "mae"\nlimit = 3\nlabels = "l.csv"', "quality.key: is missing"),
        ('metric = "mae"\nlimit = 3\nkey = "id"', "quality.labels: is missing"),
        ('metric = "mae"\nlimit = 3\nlabels = "{day}.csv"\nkey = "id"', "quality.labels: may contain {date}"),
        ('metric = "mae"\nlimit = 3\ndelay = "6h"', "quality.delay: must be a number of days"),
        ('metric = "mae"\nlimit = 3\nseverity = { low = 2, high = 1 }', "quality.severity: must increase"),
        ('metric = "mae"\nlimit = 3\nspeed = 3', "quality.speed: is not a key of this table"),
        ('metric = "mae"\nlimit = true', "quality.limit: must be a number, not True"),
        ('metric = "mae"\nmax_drop = "a lot"', "quality.max_drop: must be a share over 0, such as 0.2, not 'a lot'"),
    ],
)
def test_a_mistake_in_the_table_is_named(table: str, problem: str) -> None:
    """With its place, and what would be right."""
    with pytest.raises(ConfigError, match="churn") as raised:
        read(table)
    assert any(found.startswith(f'models."churn".{problem}') for found in raised.value.problems)


def test_quality_needs_a_target_and_a_prediction() -> None:
    """They are in the drift table, which also says where the data are."""
    for drift in (DRIFT, ""):
        with pytest.raises(ConfigError, match="needs a drift table with target and prediction"):
            read('metric = "mae"\nlimit = 3', drift)
