"""A training that ends in a deployment where something follows it."""

from typing import Any

from shared.ports import RunResult
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, model_text, trigger

DONE = "machinelearningservices-runcompleted"
GITHUB = f"github:acme/churn#{DONE}"
SLACK, MAIL = "slack://token-a/token-b", "mailto://ada:secret@example.com"
OUTLETS = f'[notify]\nchannels = ["{SLACK}", "{MAIL}"]\n[github]\nrepositories = ["acme/churn"]\n'


def after(succeeded: str = f'["{GITHUB}", "notify"]', failed: str = '["notify"]', outlets: str = OUTLETS) -> str:
    """Return a configuration with what follows a training of `churn`."""
    table = f'[models."churn".after]\nsucceeded = {succeeded}\nfailed = {failed}\n'
    return model_text(settings='max_run = "2h"', tables=table) + outlets


def over(deployment: Deployment, result: RunResult = RunResult.SUCCEEDED, times: int = 1) -> None:
    """Let the training of `t-1` start, run for an hour and end, which is reported so many times."""
    deployment.receive(trigger_event(reason="PSI 0.4", severity="high", requested_by="ada"))
    deployment.wait(HOUR)
    for _ in range(times):
        assert deployment.end(trigger(), "run-1", result).decision == "ended"


def letters(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the dead letters without the time."""
    return [{name: letter[name] for name in ("reason", "error", "event")} for letter in deployment.dead_letters.letters]
