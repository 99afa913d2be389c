"""Every wrong key of a model is reported with its place, the valid values and the one that was found."""

import pytest

from tests.core.samples import model_text, problems_of

DURATION = 'such as "30s", "15m", "6h" or "7d"'
KEYS = (
    "after, approval, consecutive, cooldown, cooldown_after, default, drift, max_age, max_run, max_trainings, "
    "min_severity, notify, on_busy, on_cooldown, parameters, quality, retries, retry_delay, schedule, signals, target, "
    "timezone, window"
)
FIELDS = (
    "$model_id, $trigger_id, $origin, $reason, $severity, $parameters, $requested_at, $requested_by, $evidence, "
    "$force, $traceparent, $tracestate"
)
SIGNALS = (
    "must be KIND:NAME, where KIND is one of cloudwatch-alarm, s3-object, vertex-monitoring, gcs-object, "
    "azureml-monitor, blob"
)
BUDGET = 'must be a number from 1 to 100 and a duration over zero, such as "3/7d"'
TEXTS = "must be a list of non-empty strings"
PLAIN = "must be a string, a number of at most 64 bits or a boolean"

SETTINGS = [
    ('default = "yes"', "default: must be true or false, not 'yes'"),
    ("schedule = 1", 'schedule: must be true, false or five fields of cron such as "30 9 * * MON", not 1'),
    ("approval = 0", "approval: must be true or false, not 0"),
    ('signals = "s3-object:b/*"', f"signals: {TEXTS}, not 's3-object:b/*'"),
    ("signals = [1]", f"signals: {TEXTS}, not [1]"),
    ('signals = ["s3:b/*"]', f"signals: 's3:b/*' {SIGNALS}"),
    ('signals = ["blob:"]', f"signals: 'blob:' {SIGNALS}"),
    ('signals = ["blob"]', f"signals: 'blob' {SIGNALS}"),
    ("cooldown = 6", f"cooldown: must be a duration {DURATION}, not 6"),
    ('cooldown = "6"', f"cooldown: must be a duration {DURATION}, not '6'"),
    ('cooldown = "6 h"', f"cooldown: must be a duration {DURATION}, not '6 h'"),
    ('cooldown = "-6h"', f"cooldown: must be a duration {DURATION}, not '-6h'"),
    ('cooldown = "1.5h"', f"cooldown: must be a duration {DURATION}, not '1.5h'"),
    ('cooldown = "6H"', f"cooldown: must be a duration {DURATION}, not '6H'"),
    ('cooldown = "1w"', f"cooldown: must be a duration {DURATION}, not '1w'"),
    ('cooldown = "9999999d"', f"cooldown: must be a duration {DURATION}, not '9999999d'"),
    ('max_run = "0s"', f"max_run: must be a duration over zero {DURATION}, not '0s'"),
    ("max_run = true", f"max_run: must be a duration over zero {DURATION}, not True"),
    ('window = "0d"', f"window: must be a duration over zero {DURATION}, not '0d'"),
    ('on_cooldown = "wait"', "on_cooldown: must be one of skip, queue, not 'wait'"),
    ('on_busy = "wait"', "on_busy: must be one of skip, queue, not 'wait'"),
    ("on_busy = []", "on_busy: must be one of skip, queue, not []"),
    ('cooldown_after = "end"', "cooldown_after: must be one of start, success, not 'end'"),
    ('max_trainings = "0/7d"', f"max_trainings: {BUDGET}, not '0/7d'"),
    ('max_trainings = "101/7d"', f"max_trainings: {BUDGET}, not '101/7d'"),
    ('max_trainings = "3/0d"', f"max_trainings: {BUDGET}, not '3/0d'"),
    ('max_trainings = "3"', f"max_trainings: {BUDGET}, not '3'"),
    ("max_trainings = 3", f"max_trainings: {BUDGET}, not 3"),
    ("retries = -1", "retries: must be an integer from 0 to 10, not -1"),
    ("retries = 11", "retries: must be an integer from 0 to 10, not 11"),
    ("retries = true", "retries: must be an integer from 0 to 10, not True"),
    ('retry_delay = "0s"', f"retry_delay: must be a duration over zero {DURATION}, not '0s'"),
    ('min_severity = "critical"', "min_severity: must be one of low, medium, high, not 'critical'"),
    ('min_severity = ""', "min_severity: must be one of low, medium, high, not ''"),
    ("consecutive = 0", "consecutive: must be an integer from 1 to 100, not 0"),
    ("consecutive = 101", "consecutive: must be an integer from 1 to 100, not 101"),
    ("consecutive = true", "consecutive: must be an integer from 1 to 100, not True"),
    ('cool_down = "6h"', f"cool_down: is not a key of this table (did you mean cooldown?); valid keys: {KEYS}"),
    ("parameters = 3", "parameters: must be a table, not 3"),
    (
        "parameters.d = 2026-01-01",
        f"parameters.d: {PLAIN}, not datetime.date(2026, 1, 1)",
    ),
    ("parameters.l = [1]", f"parameters.l: {PLAIN}, not [1]"),
    ("parameters.t.u = 1", f"parameters.t: {PLAIN}, not {{'u': 1}}"),
    ("parameters.n = nan", f"parameters.n: {PLAIN}, not nan"),
    ("parameters.i = -inf", f"parameters.i: {PLAIN}, not -inf"),
    (
        "parameters.b = 9223372036854775808",
        f"parameters.b: {PLAIN}, not 9223372036854775808",
    ),
    (
        'parameters.m = "$model"',
        f"parameters.m: '$model' is not a field of a trigger; use one of {FIELDS} (write $$ for a leading $)",
    ),
    (
        'parameters.m = "$"',
        f"parameters.m: '$' is not a field of a trigger; use one of {FIELDS} (write $$ for a leading $)",
    ),
    ("after = []", "after: must be a table, not []"),
    ("after.stopped = []", "after.stopped: is not a key of this table; valid keys: failed, succeeded"),
    ('after.failed = "notify"', f"after.failed: {TEXTS}, not 'notify'"),
    ('after.failed = ["mail"]', """after.failed: 'mail' must be "notify" or "github:OWNER/NAME#EVENT_TYPE\""""),
    ('after.succeeded = ["github:a/b#c"]', "after.succeeded: 'a/b' is not in github.repositories"),
]


@pytest.mark.parametrize(("setting", "problem"), SETTINGS, ids=[setting for setting, _ in SETTINGS])
def test_a_wrong_setting_is_reported_with_its_place(setting: str, problem: str) -> None:
    """One wrong key of a model is one problem, which names the model, the key, what is right and what stands there."""
    (found,) = problems_of(model_text(settings=setting))
    assert found == f'models."churn".{problem}'
