"""The page of `retrain show` says who requested the trainings of a model, why, and with what parameters."""

from functions.cli.story import model_page
from functions.cli.tables import models_table, to_second
from shared.fields import format_time
from shared.ports import RunResult
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, MINUTE, model_text, trigger

TICK = "schedule:churn:2026-11-21T03:00:00Z"
SETTINGS = 'cooldown = "12h"\nmin_severity = "medium"'
PARAMETERS = '[models."churn".parameters]\nepochs = 8\nmode = "full"'


def busy_week() -> Deployment:
    """Return a deployment whose model was trained by schedule, drift and people; one training failed, one waits."""
    deployment = Deployment(model_text(settings=SETTINGS, tables=PARAMETERS))

    def ask(name: str, **fields: object) -> None:
        fields["requested_at"] = format_time(deployment.now)
        deployment.receive(trigger_event(name, **fields))

    ask(TICK, origin="schedule", reason="weekly schedule")
    deployment.wait(42 * MINUTE)
    deployment.end(trigger(trigger_id=TICK), "run-1")
    deployment.wait(6 * HOUR)
    ask("drift-1", origin="drift", severity="low", reason="drift in 1 of 12 columns")
    ask("drift-2", origin="drift", severity="high", reason="drift in 5 of 12 columns")
    deployment.wait(24 * HOUR)
    ask(
        "drift-3",
        origin="drift",
        severity="high",
        reason="drift in 6 of 12 columns",
        requested_by="drift-monitor",
        evidence={"report_url": "https://reports.example/churn/3", "share": 0.5},
    )
    deployment.wait(5 * MINUTE)
    error = "AlgorithmError: exit code 1\nValueError: no rows in the last 7 days"
    deployment.end(trigger(trigger_id="drift-3"), "run-2", RunResult.FAILED, error)
    deployment.wait(30 * MINUTE)
    anna, ben = "anna@acme.example", "ben@acme.example"
    ask("labels-47", origin="manual", requested_by=anna, reason="labels\x1b[2J", parameters={"epochs": 3}, force=True)
    ask("manual-2", origin="manual", requested_by=ben, reason="once more", force=True)
    return deployment


def test_the_page_says_who_why_with_what_and_what_went_wrong() -> None:
    """Each training and decision with its trigger; the error of a failure; text from others cannot move the cursor."""
    page = model_page(busy_week().get("/models/churn"))
    lines = [line.strip() for line in page.splitlines()]
    for line in (
        "labels-47, since 2026-11-22T10:17:00Z, run run-3",
        "requested  by anna@acme.example (manual) at 2026-11-22T10:17:00Z",
        "why        labels?[2J",
        'with       epochs=3, mode="full"',
        "manual-2, since 2026-11-22T10:17:00Z",
        "2026-11-22T09:42:00Z  failed after 5m  drift-3",
        "error      AlgorithmError: exit code 1 ValueError: no rows in the last 7 days",
        "requested  by drift-monitor (drift) at 2026-11-22T09:42:00Z, severity high",
        "evidence   report_url=https://reports.example/churn/3, share=0.5",
        "2026-11-21T03:00:00Z  succeeded after 42m  schedule:churn:2026-11-21T03:00:00Z",
        "by drift-monitor (drift): drift in 6 of 12 columns",
        "https://reports.example/churn/3",
        "(drift): drift in 1 of 12 columns",
    ):
        assert line in lines, page
    assert all(line.isprintable() for line in lines)


def test_a_model_to_which_nothing_happened_has_a_short_page() -> None:
    """Its state and its configuration, and no empty sections."""
    page = model_page(Deployment(model_text()).get("/models/churn"))
    assert page.splitlines()[:4] == ["model  churn", "state  idle", "", "configuration"]


def test_the_list_shows_the_history_of_each_model() -> None:
    """The strip, the last training and the last decision with who requested it."""
    head, churn = models_table(busy_week().get("/models")["models"]).splitlines()
    assert head.split("  ")[0] == "MODEL"
    assert churn.split() == [
        *("churn", "training", "rf--s", "running", "2026-11-22T10:17:00Z"),
        *("queue", "queued", "2026-11-22T10:17:00Z", "ben@acme.example"),
    ]


def test_times_are_to_the_second() -> None:
    """Fractions of a second are left out of a time, and nothing of a text that is not one."""
    assert to_second("2026-11-21T03:00:00.123456Z") == to_second("2026-11-21T03:00:00Z") == "2026-11-21T03:00:00Z"
    assert to_second("") == ""
