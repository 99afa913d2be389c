"""Schedules are checked by the syntax that each cloud documents."""

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
def test_a_valid_schedule_passes(cloud: str, expression: str) -> None:
    """Numbers, names, lists, ranges and steps pass where the cloud documents them."""
    check_schedule(cloud, expression)


@pytest.mark.parametrize(
    ("cloud", "expression", "message"),
    [
        ("aws", "30 9 ? * MON *", "must be rate(number unit) or cron(six fields)"),
        (
            "aws",
            "cron(30 9 * * MON)",
            "must have 6 fields, not 5: minute, hour, day of month, month, day of week, year",
        ),
        ("aws", "cron(30 9 * * MON *)", "exactly one of day of month and day of week must be ?"),
        ("aws", "cron(30 9 ? * ? *)", "exactly one of day of month and day of week must be ?"),
        ("aws", "cron(60 9 ? * MON *)", "'60' is not a valid minute"),
        ("aws", "cron(0 9 ? * 0 *)", "'0' is not a valid day of week"),
        ("aws", "cron(0 9 ? * 8#1 *)", "'8#1' is not a valid day of week"),
        ("aws", "cron(0/0 9 ? * MON *)", "'0/0' is not a valid minute"),
        ("aws", "rate(1 hours)", "the unit must be singular after 1 and plural otherwise"),
        ("aws", "rate(2 hour)", "the unit must be singular after 1 and plural otherwise"),
        ("gcp", "0 30 9 * * 1", "must have 5 fields, not 6: minute, hour, day of month, month, day of week"),
        ("gcp", "30 9 ? * 1", "'?' is not a valid day of month"),
        ("gcp", "30 24 * * 1", "'24' is not a valid hour"),
        ("gcp", "every 5 minutes please now", "'every' is not a valid minute"),
        ("azure", "30 9 * * 1", "must have 6 fields, not 5: second, minute, hour, day of month, month, day of week"),
        ("azure", "0 30 9 * * 7", "'7' is not a valid day of week"),
    ],
)
def test_an_invalid_schedule_fails(cloud: str, expression: str, message: str) -> None:
    """The message has the expression and the problem."""
    with pytest.raises(CheckFailedError) as caught:
        check_schedule(cloud, expression)
    assert str(caught.value) == f"{expression}: {message}"


@pytest.mark.parametrize(
    ("cloud", "expression"),
    [("aws", "cron(30 9 ? * MON *)"), ("gcp", "30 9 * * 1"), ("azure", "0 30 9 * * 1")],
)
def test_the_default_schedules_are_found_and_valid(cloud: str, expression: str) -> None:
    """Without an option the default schedule of the deployment is checked."""
    assert default_schedule(cloud, {}, ROOT) == expression
    check_schedule(cloud, expression)


def test_an_app_setting_overrides_the_template() -> None:
    """On Azure the app setting is checked instead of the template."""
    assert default_schedule("azure", {"RETRAIN_SCHEDULE": "0 0 6 * * *"}, ROOT) == "0 0 6 * * *"


def test_no_default_schedule(tmp_path: Path) -> None:
    """Without a template, and on this machine, the check is skipped."""
    for cloud in ("aws", "gcp", "azure", "local"):
        with pytest.raises(CheckSkippedError, match="pass one with --schedule"):
            default_schedule(cloud, {}, tmp_path)


def test_an_app_setting_by_name_is_not_checked() -> None:
    """`%NAME%` refers to another app setting, which is not checked."""
    with pytest.raises(CheckSkippedError, match="%SCHEDULE%"):
        check_schedule("azure", "%SCHEDULE%")
