"""The drift table of the configuration."""

from datetime import date
from pathlib import Path

import pytest

from shared.config.drift import DriftCheck, site_problems
from shared.config.file import parse_configuration
from shared.errors import ConfigError

TARGET = '[models."churn".target.local]\nkind = "command"\ncommand = ["true"]\n'
LEAST = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"\n'


def read(drift: str) -> DriftCheck:
    """Return the drift table *drift* of a model."""
    text = f'{TARGET}[models."churn".drift]\n{drift}'
    found = parse_configuration(text, source="retrain.toml", folder=Path()).models[0].drift
    assert found is not None
    return found


def test_three_keys_are_a_check() -> None:
    """Reference, current data and site are enough; half of the columns must drift, and 100,000 rows are compared."""
    found = read(LEAST)
    assert (found.drift_share, found.max_rows, found.columns, found.severity) == (0.5, 100_000, (), {})


def test_a_model_without_a_table_is_not_monitored() -> None:
    """No drift table, no check."""
    assert parse_configuration(TARGET, source="retrain.toml", folder=Path()).models[0].drift is None


@pytest.mark.parametrize(
    ("current", "filled"),
    [
        ("s3://acme/churn/{date}.parquet", "s3://acme/churn/2026-11-23.parquet"),
        ("days/{date:%Y/%m/%d}/*.csv", "days/2026/11/23/*.csv"),
        ("{yesterday:%G-W%V}.csv", "2026-W47.csv"),
        ("{{date}}.csv", "{date}.csv"),
    ],
)
def test_the_current_data_may_have_a_date_in_their_address(current: str, filled: str) -> None:
    """`{date}` is the day of the run, `{yesterday}` the day before: on a Monday the week that is over."""
    assert read(LEAST.replace("current.parquet", current)).current_on(date(2026, 11, 23)) == filled


@pytest.mark.parametrize(
    ("share", "severity"), [(0.5, "low"), (0.6, "low"), (0.7, "medium"), (0.89, "medium"), (0.9, "high"), (1.0, "high")]
)
def test_a_severity_begins_at_its_step(share: float, severity: str | None) -> None:
    """The severity is the highest whose share is reached."""
    assert read(LEAST + "severity = { low = 0.5, medium = 0.7, high = 0.9 }").severity_of(share) == severity


def test_a_drift_below_every_step_is_low() -> None:
    """A trigger without a severity passes every `min_severity`, so none is sent where there are steps."""
    assert read(LEAST + "severity = { medium = 0.7, high = 0.9 }").severity_of(0.5) == "low"
    assert read(LEAST).severity_of(0.5) is None


@pytest.mark.parametrize(("reference", "least"), [(91, 30), (1000, 30), (1001, 500), (100_000, 500)])
def test_distances_need_more_rows_than_tests_of_significance(reference: int, least: int) -> None:
    """Beyond 1,000 rows of reference Evidently uses distances, which ignore chance; `min_rows` overrides it."""
    assert read(LEAST).least_rows(reference) == least
    assert read(LEAST + "min_rows = 20").least_rows(reference) == 20


def test_a_site_is_the_same_with_a_slash_at_its_end() -> None:
    """Models of one site share its index."""
    assert read(LEAST.replace('"site"', '"s3://acme/drift/"')).site == "s3://acme/drift"


def test_one_site_is_read_at_one_address() -> None:
    """Two addresses of one site are a problem of the second model."""
    first = read(LEAST + 'url = "https://drift.example.com"')
    other = read(LEAST)
    problem = """must be the same for all of site 'site', not 'https://drift.example.com' for models."a" and '' here"""
    assert site_problems({"a": first, "b": other}) == [f'models."b".drift.url: {problem}']
    assert not site_problems({"a": first, "b": first, "c": read(LEAST.replace('"site"', '"other"'))})


@pytest.mark.parametrize(("share", "drift"), [(0.49, False), (0.5, True), (1.0, True)])
def test_drift_begins_at_its_share(share: float, drift: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The share itself is drift already, as with Evidently."""
    assert read(LEAST).is_drift(share) is drift


@pytest.mark.parametrize(
    ("drift", "problem"),
    [
        ("", "drift.reference: is missing"),
        (LEAST + "drift_share = 0", "drift.drift_share: must be a share over 0 and at most 1, such as 0.5, not 0"),
        (
            LEAST + "drift_share = true",
            "drift.drift_share: must be a share over 0 and at most 1, such as 0.5, not True",
        ),
        (
            LEAST + "severity = { low = 0.7, high = 0.3 }",
            "drift.severity: must increase from low to high, not low = 0.7",
        ),
        (LEAST + "severity = { grave = 0.7 }", "drift.severity.grave: is not a key of this table"),
        (
            LEAST + "severity = { low = 0.3, medium = 0.5, high = 0.7 }",
            "drift.severity.low: is never used: drift begins at drift_share = 0.5, which is already medium",
        ),
        (LEAST + "min_rows = 0", "drift.min_rows: must be a positive integer, not 0"),
        (LEAST + "min_rows = 200\nmax_rows = 100", "drift.min_rows: must be at most max_rows, 100, not 200"),
        (LEAST.replace('"site"', '"s3://"'), "drift.site: 's3://' does not name a bucket"),
        (LEAST.replace('"reference.parquet"', '"gs:///"'), "drift.reference: 'gs:///' does not name a bucket"),
        (LEAST + "max_rows = 0", "drift.max_rows: must be a positive integer, not 0"),
        (LEAST + 'url = "example.com"', "drift.url: must be an http or https URL without a query"),
        (LEAST + 'column = ["price"]', "drift.column: is not a key of this table"),
        (LEAST.replace("current.parquet", "{day}.csv"), "drift.current: may contain {date} and {yesterday}"),
        (LEAST.replace("current.parquet", "{date"), "drift.current: may contain {date} and {yesterday}"),
        (LEAST.replace('"site"', '"ftp://site"'), "drift.site: 'ftp://site' must be a path or begin with one of s3://"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(drift: str, problem: str) -> None:
    """A mistake names the model, the key and what would be right."""
    with pytest.raises(ConfigError, match="churn") as raised:
        read(drift)
    assert any(found.startswith(f'models."churn".{problem}') for found in raised.value.problems)


def test_a_pattern_has_no_data_of_its_own() -> None:
    """A drift table needs a model's name."""
    text = f'{TARGET}[models."churn".drift]\n{LEAST}'.replace('"churn"', '"churn-*"')
    with pytest.raises(ConfigError, match="drift: needs the name of a model, not a pattern"):
        parse_configuration(text, source="retrain.toml", folder=Path())
