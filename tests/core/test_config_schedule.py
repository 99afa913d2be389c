"""Own schedules, `max_age`, notifications of a model and the console's address: valid ones, and every mistake."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from shared.config.follow_ups import Notify
from shared.config.schedule import OwnSchedule
from tests.core.samples import configured, model_text, problems_of

ROME = "Europe/Rome"
FIELDS = "minute hour day month weekday, such as"


def times(expression: str, day: str, timezone: str = ROME) -> list[str]:
    """Return the local times of a schedule on *day*, a local date."""
    schedule, zone = OwnSchedule(expression=expression, timezone=timezone), ZoneInfo(timezone)
    start = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    found: list[str] = []
    moment = schedule.next_after(start)
    while moment is not None and (local := moment.astimezone(zone)).isoformat().startswith(day):
        found.append(f"{local:%H:%M%z}")
        moment = schedule.next_after(moment)
    return found


@pytest.mark.parametrize(
    ("expression", "spring", "autumn"),
    [
        ("30 2 * * *", ["03:00+0200"], ["02:30+0200"]),
        ("0 3 * * *", ["03:00+0200"], ["03:00+0100"]),
        ("0 2,3 * * *", ["03:00+0200"], ["02:00+0200", "03:00+0100"]),
        ("*/30 2 * * *", ["03:00+0200"], ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"]),
    ],
)
def test_both_changes_of_the_clocks_in_rome(expression: str, spring: list[str], autumn: list[str]) -> None:
    """A time that does not exist counts at the change; one that comes twice counts once, with `*` each time."""
    assert times(expression, "2027-03-28") == spring
    assert times(expression, "2027-10-31") == autumn


def test_every_hour_is_every_elapsed_hour() -> None:
    """With `*` as the hour, the day of one change has 23 times, and that of the other 25."""
    assert len(times("30 * * * *", "2027-03-28")) == 23
    assert len(times("30 * * * *", "2027-10-31")) == 25


@pytest.mark.parametrize("expression", ["30 2 * * *", "*/20 2 * * *", "15,45 * * * *", "30 */2 * * *"])
@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31"])
def test_looking_every_five_minutes_finds_every_time_once(expression: str, day: str) -> None:
    """From any moment of a night with a change of the clocks, no time is lost or found twice."""
    schedule = OwnSchedule(expression=expression, timezone=ROME)
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=2)
    looks = [start + timedelta(minutes=5 * number, seconds=7) for number in range(80)]
    found = [time for after, until in pairwise(looks) if (time := schedule.last_between(after, until))]
    listed, moment = [], schedule.next_after(looks[0])
    while moment is not None and moment <= looks[-1]:
        listed.append(moment)
        moment = schedule.next_after(moment)
    assert found == listed


def test_time_zones_need_no_database_of_the_system() -> None:
    """The package `tzdata` has them, since a slim image has none."""
    program = (
        "import zoneinfo; zoneinfo.reset_tzpath(()); from datetime import UTC, datetime;"
        "from shared.config.schedule import OwnSchedule as S;"
        f"print(S(expression='0 9 * * *', timezone={ROME!r}).next_after(datetime(2027, 7, 1, tzinfo=UTC)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "2027-07-01 07:00:00+00:00\n"


def test_an_own_schedule_is_no_tick_of_the_deployment() -> None:
    """A model has one or the other, for the clouds that it has a target on."""
    config = configured(
        model_text("own", 'schedule = " 30 9  * * mon "\ntimezone = "Europe/Rome"\nmax_age = "14d"')
        + model_text("tick", "schedule = true")
        + model_text("none")
    )
    assert config.scheduled("local") == ["tick"]
    assert config.own_schedules("local") == {"own": OwnSchedule(expression="30 9 * * mon", timezone=ROME)}
    assert config.own_schedules("aws") == {}
    assert config.find("own").max_age == timedelta(days=14)
    assert config.find("none").max_age is None


@pytest.mark.parametrize(
    ("keys", "key", "problem"),
    [
        ("schedule = 5", "schedule", 'must be true, false or five fields of cron such as "30 9 * * MON", not 5'),
        ('schedule = ""', "schedule", "must be true, false or five fields of cron such as \"30 9 * * MON\", not ''"),
        ('schedule = "9 * * 1"', "schedule", f"'9 * * 1' has 4 fields, not 5: {FIELDS} \"30 9 * * MON\""),
        ('schedule = "60 9 * * *"', "schedule", "'60 9 * * *': Bad minute; write five fields such as \"30 9 * * MON\""),
        ('schedule = "0 0 30 2 *"', "schedule", "'0 0 30 2 *': Bad day-of-month; write five fields such as"),
        ('timezone = "Europe/Rome"', "timezone", "needs a schedule of the model's own, such as schedule ="),
        ('schedule = true\ntimezone = "UTC"', "timezone", "needs a schedule of the model's own, such as schedule ="),
        (
            'schedule = "0 9 * * *"\ntimezone = "Europe/Roma"',
            "timezone",
            "'Europe/Roma' is not the name of a time zone; use a name such as \"Europe/Rome\"",
        ),
        ('schedule = "0 9 * * *"\ntimezone = "../x"', "timezone", "'../x' is not the name of a time zone"),
        ('max_age = "0s"', "max_age", 'must be a duration over zero such as "30s", "15m", "6h" or "7d", not \'0s\''),
        ("notify = 3", "notify", "must be a table"),
        ('notify.on = ["slack://token"]', "notify.on", "may only contain launched, ended, failed, rejected,"),
        ("notify.channel = []", "notify.channel", "is not a key of this table (did you mean channels?); valid keys: "),
    ],
)
def test_a_mistake_in_a_model_is_named_with_its_place(keys: str, key: str, problem: str) -> None:
    """One problem for each mistake, with the key, the value unless it may be a secret, and what is valid."""
    (found,) = problems_of(model_text("churn", keys))
    assert found.startswith(f'models."churn".{key}: {problem}')


def test_an_own_schedule_needs_a_name() -> None:
    """A pattern cannot be requested."""
    assert problems_of(model_text("c-*", 'schedule = "0 9 * * *"')) == (
        'models."c-*".schedule: needs the name of a model, not a pattern',
    )


def test_what_a_model_leaves_out_is_that_of_all() -> None:
    """Each key of its `notify` table counts for itself; an empty list is a value."""
    config = configured(
        '[notify]\nchannels = ["slack://all"]\non = ["failed"]\n'
        + model_text("on", 'notify.on = ["stale"]')
        + model_text("channels", 'notify.channels = ["slack://own", "slack://all"]')
        + model_text("silent", "notify.channels = []")
        + model_text("plain")
    )

    def of(name: str) -> Notify:
        return config.notify_of(config.find(name))

    assert of("on") == Notify(channels=("slack://all",), on=("stale",))
    assert of("channels") == Notify(channels=("slack://own", "slack://all"), on=("failed",))
    assert of("silent") == Notify(channels=(), on=("failed",))
    assert of("plain") == config.notify_of(None) == Notify(channels=("slack://all",), on=("failed",))
    assert config.channel_places() == {
        "slack://all": "notify.channels[0]",
        "slack://own": 'models."channels".notify.channels[0]',
    }
    assert "slack" not in repr(config)


@pytest.mark.parametrize(
    "url",
    [
        "retrain.example",
        "ftp://a",
        "https://",
        "https://a?b",
        "https://a#b",
        "https://u:p@a",
        "https://a b",
        "https://a/<b>",
    ],
)
def test_the_address_of_the_console_is_a_web_address(url: str) -> None:
    """Messages link to it, and its origin is compared with that of requests."""
    (problem,) = problems_of(f'[console]\nurl = "{url}"\n' + model_text())
    assert problem.startswith("console.url: must be an http or https URL without user, query or fragment, such as")
    assert configured('[console]\nurl = "https://a.example:8443/x/"\n' + model_text()).console_url == (
        "https://a.example:8443/x"
    )
