"""Schedules are checked by the rules of the cloud that takes them, which most tools do not know."""

from pathlib import Path

import pytest

from functions.cli.doctor.check import CheckFailedError, CheckSkippedError
from functions.cli.doctor.schedules import check_schedule, default_schedule

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("cloud", "expression"),
    [
        ("aws", "cron(30 9 ? * MON *)"),
        ("aws", "cron(0/15 8-17 ? * 2,4,6 2026-2030)"),
        ("aws", "cron(*/10 0,12 1-31/7 jan-mar ? *)"),
        ("aws", "cron(0 6 LW * ? *)"),
        ("aws", "cron(0 6 ? * 3#2 *)"),
        ("aws", "rate(1 hour)"),
        ("aws", "rate(12 hours)"),
        ("gcp", "30 9 * * 1"),
        ("gcp", "*/10 8-17 1,15 jan-mar sun"),
        ("azure", "0 30 9 * * 1"),
        ("azure", "*/5 * * * * *"),
        ("azure", "0 0 9-17 * Jan Mon-Fri"),
        ("local", "30 9 * * MON"),
    ],
)
def test_a_schedule_that_the_cloud_takes_passes(cloud: str, expression: str) -> None:
    """Numbers, names, lists, ranges and steps are taken where the cloud takes them."""
    check_schedule(cloud, expression)


@pytest.mark.parametrize(
    ("cloud", "expression", "sentence"),
    [
        ("aws", "30 9 ? * MON *", "must be rate(number unit) or cron(six fields)"),
        (
            "aws",
            "cron(30 9 * * MON)",
            "must have 6 fields, not 5: minute, hour, day of month, month, day of week, year",
        ),
        ("aws", "cron(30 9 * * MON *)", "exactly one of day of month and day of week must be ?"),
        ("aws", "cron(30 9 ? * ? *)", "exactly one of day of month and day of week must be ?"),
        ("aws", "cron(60 9 ? * MON *)", "'60' is no minute"),
        ("aws", "cron(0 9 ? * 0 *)", "'0' is no day of week"),
        ("aws", "cron(0 9 ? * 8#1 *)", "'8#1' is no day of week"),
        ("aws", "cron(0/0 9 ? * MON *)", "'0/0' is no minute"),
        ("aws", "rate(1 hours)", "the unit of 1 is singular, that of more is plural"),
        ("aws", "rate(2 hour)", "the unit of 1 is singular, that of more is plural"),
        ("gcp", "0 30 9 * * 1", "must have 5 fields, not 6: minute, hour, day of month, month, day of week"),
        ("gcp", "30 9 ? * 1", "'?' is no day of month"),
        ("gcp", "30 24 * * 1", "'24' is no hour"),
        ("gcp", "every 5 minutes please now", "'every' is no minute"),
        ("azure", "30 9 * * 1", "must have 6 fields, not 5: second, minute, hour, day of month, month, day of week"),
        ("azure", "0 30 9 * * 7", "'7' is no day of week"),
    ],
)
def test_another_one_is_refused_with_its_fault(cloud: str, expression: str, sentence: str) -> None:
    """The sentence names the expression and what is wrong with it."""
    with pytest.raises(CheckFailedError) as caught:
        check_schedule(cloud, expression)
    assert str(caught.value) == f"{expression}: {sentence}"


@pytest.mark.parametrize(
    ("cloud", "expression"),
    [("aws", "cron(30 9 ? * MON *)"), ("gcp", "30 9 * * 1"), ("azure", "0 30 9 * * 1")],
)
def test_the_schedules_of_the_templates_are_found_and_taken(cloud: str, expression: str) -> None:
    """Without one that is given, the one that would be deployed counts."""
    assert default_schedule(cloud, {}, ROOT) == expression
    check_schedule(cloud, expression)


def test_an_app_setting_goes_before_the_template() -> None:
    """On Azure the function's own setting says when."""
    assert default_schedule("azure", {"RETRAIN_SCHEDULE": "0 0 6 * * *"}, ROOT) == "0 0 6 * * *"


def test_where_none_is_found_none_is_checked(tmp_path: Path) -> None:
    """A bundle has no template, and this machine none at all."""
    for cloud in ("aws", "gcp", "azure", "local"):
        with pytest.raises(CheckSkippedError, match="give one with --schedule"):
            default_schedule(cloud, {}, tmp_path)


def test_a_setting_by_name_is_not_checked() -> None:
    """`%NAME%` means another setting."""
    with pytest.raises(CheckSkippedError, match="%SCHEDULE%"):
        check_schedule("azure", "%SCHEDULE%")
