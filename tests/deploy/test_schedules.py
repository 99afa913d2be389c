"""The check of schedule expressions refuses what EventBridge would refuse, and nothing else."""

import re

import pytest

from tests.deploy.schedules import check_schedule


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(1 hour)",
        "rate(12 hours)",
        "cron(30 9 ? * MON *)",
        "cron(0 10 * * ? *)",
        "cron(15 12 ? * MON-FRI *)",
        "cron(0/15 8-17 ? * 2,4,6 2026-2030)",
        "cron(*/10 0,12 1-31/7 jan-mar ? *)",
        "cron(0 6 L * ? *)",
        "cron(0 6 LW * ? *)",
        "cron(0 6 15W * ? *)",
        "cron(0 6 ? * 6L *)",
        "cron(0 6 ? * 3#2 *)",
    ],
)
def test_an_expression_of_the_user_guide_passes(expression: str) -> None:
    """Numbers, names, lists, ranges, steps and the signs of the days are taken where EventBridge takes them."""
    check_schedule(expression)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("cron(30 9 * * MON)", "has 5 fields, not 6"),
        ("cron(0 30 9 ? * MON *)", "has 7 fields, not 6"),
        ("cron()", "has 0 fields, not 6"),
        ("cron(30 9 * * MON *)", "exactly one of the two fields of the day must be ?"),
        ("cron(30 9 * * * *)", "exactly one of the two fields of the day must be ?"),
        ("cron(30 9 ? * ? *)", "exactly one of the two fields of the day must be ?"),
        ("cron(60 9 ? * MON *)", "minutes: '60'"),
        ("cron(? 9 ? * MON *)", "minutes: '?'"),
        ("cron(-5 9 ? * MON *)", "minutes: '-5'"),
        ("cron(0/0 9 ? * MON *)", "minutes: '0/0'"),
        ("cron(0,,5 9 ? * MON *)", "minutes: '0,,5'"),
        ("cron(0 24 ? * MON *)", "hours: '24'"),
        ("cron(0 9 0 * ? *)", "day of month: '0'"),
        ("cron(0 9 32W * ? *)", "day of month: '32W'"),
        ("cron(0 9 1 13 ? *)", "month: '13'"),
        ("cron(0 9 1 * MON-XYZ *)", "day of week: 'MON-XYZ'"),
        ("cron(0 9 ? * 0 *)", "day of week: '0'"),
        ("cron(0 9 ? * 1#6 *)", "day of week: '1#6'"),
        ("cron(0 9 ? * MON 1969)", "year: '1969'"),
        ("rate(1 hours)", "singular"),
        ("rate(2 hour)", "singular"),
        ("rate(0 hours)", "neither rate"),
        ("rate(1 week)", "neither rate"),
        ("30 9 ? * MON *", "neither rate"),
        ("", "neither rate"),
    ],
)
def test_another_one_is_refused_with_its_fault(expression: str, complaint: str) -> None:
    """The message names the expression and what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{re.escape(expression)}: .*{re.escape(complaint)}"):
        check_schedule(expression)
