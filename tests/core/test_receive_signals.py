"""Native signals arrive, and trigger each model that names one."""

import pytest

from shared.config.file import SIGNALS
from shared.errors import TargetRefusedError, UnavailableError
from shared.receive import receive
from shared.training.arrivals import Outcome
from tests.core.deployment import Deployment
from tests.core.native import ALARM, ANOMALY, S3_OBJECT, aws, azure, breach, changed, gcp, message, sample
from tests.core.samples import HOUR, model_text
from tests.fakes.faults import Fault, Script

ALARM_ID = "aws.cloudwatch:ac2d4fbb-ccaa-4c95-4a82-55a9ff9a6b64"
DRIFT = 'signals = ["cloudwatch-alarm:sagemaker-*"]'
EVERYTHING = f"signals = {[f'{kind}:*' for kind in SIGNALS]}"
THREE = model_text("churn", DRIFT) + model_text("price", DRIFT) + model_text("fraud", 'signals = ["s3-object:*"]')


def test_a_signal_trains_the_model_that_names_it() -> None:
    """The alarm becomes a trigger: reason, evidence and requester are its own, the parameters those of the model."""
    deployment = Deployment(model_text("churn", DRIFT, '[models."churn".parameters]\nepochs = 8\nwhy = "$origin"'))
    outcome = deployment.receive(sample(ALARM))
    assert outcome == Outcome(decision="launch", reason="launched", model_id="churn", trigger_id=ALARM_ID)
    (run,) = deployment.service.runs.values()
    trigger = run.request.trigger
    assert (trigger.origin, trigger.severity, trigger.force) == ("drift", None, False)
    assert trigger.requested_by == "cloudwatch-alarm:sagemaker-<<project_name>>-prod-threshold"
    assert trigger.requested_at.isoformat() == "2021-07-28T07:02:04.149000+00:00"
    assert trigger.evidence == aws(sample(ALARM)).evidence
    assert run.request.parameters == {"epochs": 8, "why": "drift"}


def test_a_signal_triggers_every_model_that_names_it() -> None:
    """Two models train under the same id, the third one does not; each outcome is returned."""
    deployment = Deployment(THREE)
    outcome = deployment.receive(sample(ALARM))
    assert (outcome.decision, outcome.model_id) == ("launch", "churn")
    assert outcome.detail == "churn: launched; price: launched"
    triggers = [run.request.trigger for run in deployment.service.runs.values()]
    assert [(trigger.model_id, trigger.trigger_id) for trigger in triggers] == [
        ("churn", ALARM_ID),
        ("price", ALARM_ID),
    ]


def test_a_signal_that_comes_again_is_a_repeat() -> None:
    """However often it is delivered, it trains each model once; an alarm that goes off anew is a new trigger."""
    deployment = Deployment(THREE)
    outcomes = [deployment.receive(sample(ALARM)) for _ in range(10)]
    assert [outcome.reason for outcome in outcomes] == ["launched"] + ["duplicate"] * 9
    assert outcomes[1].detail == "churn: duplicate; price: duplicate"
    anew = deployment.receive(changed(sample(ALARM), "another", "id"))
    assert (anew.decision, anew.detail) == ("queue", "churn: queued; price: queued")
    assert len(deployment.service.runs) == 2


def test_the_outcome_is_the_weightiest() -> None:
    """Where one model trains and another one does not, the event counts as a launch."""
    deployment = Deployment(model_text("churn", f'{DRIFT}\non_busy = "skip"') + model_text("price", DRIFT))
    deployment.emit("t-1")
    outcome = deployment.receive(sample(ALARM))
    assert (outcome.decision, outcome.model_id, outcome.detail) == ("launch", "price", "churn: busy; price: launched")


@pytest.mark.parametrize("failing", [0, 1])
def test_one_failure_of_several_brings_the_event_back(failing: int) -> None:
    """The other model trains immediately, its repeat is a duplicate; the failed one trains on the redelivery."""
    deployment = Deployment(THREE, launcher_gate=Script({failing: Fault.THROTTLED}))
    with pytest.raises(UnavailableError):
        deployment.receive(sample(ALARM))
    assert len(deployment.service.runs) == 1
    deployment.wait(HOUR)
    outcome = deployment.receive(sample(ALARM))
    assert outcome.decision == "launch"
    assert sorted(run.request.trigger.model_id for run in deployment.service.runs.values()) == ["churn", "price"]


def test_a_refusal_does_not_hide_a_failure() -> None:
    """With no dead letters of ours a refusal is raised, but only when nothing else has to come again."""
    deployment = Deployment(THREE, dead_letters=False, launcher_gate=Script({1: Fault.THROTTLED}))
    deployment.service.refusing = True
    with pytest.raises(UnavailableError):
        deployment.receive(sample(ALARM))
    deployment.wait(HOUR)
    with pytest.raises(TargetRefusedError):
        deployment.receive(sample(ALARM))


def test_a_refusal_is_a_dead_letter_for_each_model() -> None:
    """The event is kept with each refusal, and acknowledged."""
    deployment = Deployment(THREE)
    deployment.service.refusing = True
    assert deployment.receive(sample(ALARM)).decision == "reject"
    assert [letter["event"] for letter in deployment.dead_letters.letters] == [sample(ALARM)] * 2


def test_what_no_model_names_is_ignored_by_its_name() -> None:
    """The log shows the name that `signals` would have to hold; the default model is not triggered."""
    deployment = Deployment(model_text("churn", "default = true"))
    outcome = deployment.receive(sample(S3_OBJECT))
    assert (outcome.decision, outcome.detail) == ("ignore", "s3-object:example-bucket/IMG_m7fzo3.jpg")
    assert (deployment.ledger.history, deployment.dead_letters.letters) == ([], [])


def test_a_model_that_trains_elsewhere_gets_no_trigger() -> None:
    """A signal on this cloud does not concern a model that has no target here."""
    elsewhere = f'[models."churn"]\n{DRIFT}\n[models."churn".target.aws]\nkind = "sagemaker"\npipeline = "p"\n'
    deployment = Deployment(elsewhere + model_text("price", DRIFT))
    assert deployment.receive(sample(ALARM)).model_id == "price"


def test_drift_that_is_signalled_obeys_the_rules_for_drift() -> None:
    """It counts towards `consecutive`, and a severity in it is judged; one without a severity passes."""
    rules = 'min_severity = "high"\nconsecutive = 2\nwindow = "9999d"'
    deployment = Deployment(model_text("churn", f"{EVERYTHING}\n{rules}"))
    warning, error = sample(ANOMALY), changed(changed(sample(ANOMALY), "ERROR", "severity"), "e-2", "insertId")
    reasons = [
        receive(deployment.receiver, message(warning), gcp).reason,
        receive(deployment.receiver, message(error), gcp).reason,
        deployment.receive(sample(ALARM)).reason,
    ]
    assert reasons == ["low_severity", "not_consecutive", "launched"]


def test_an_alert_that_repeats_is_held_by_the_cooldown() -> None:
    """Vertex alerts with every interval; each alert is a trigger, and the cooldown decides on it."""
    deployment = Deployment(model_text("churn", 'signals = ["vertex-monitoring:6680511704087920640"]\ncooldown = "6h"'))
    reasons = []
    for number in range(3):
        event = message(changed(sample(ANOMALY), f"e-{number}", "insertId"))
        reasons.append(receive(deployment.receiver, event, gcp).reason)
        if number == 0:
            deployment.end(next(iter(deployment.service.runs.values())).request.trigger, "run-1")
    assert reasons == ["launched", "cooldown", "cooldown"]


def test_a_signal_without_an_id_is_known_by_what_it_reports() -> None:
    """The same alarm at the same time is the same signal; at another time it is another one."""
    deployment = Deployment(model_text("churn", f'{DRIFT}\non_busy = "skip"'))
    nameless = changed(sample(ALARM), ..., "id")
    later = changed(nameless, "2021-07-29T07:02:04.149+0000", "detail", "state", "timestamp")
    outcomes = [deployment.receive(event) for event in (nameless, nameless, later)]
    assert [outcome.reason for outcome in outcomes] == ["launched", "duplicate", "busy"]
    assert {len(outcome.trigger_id) for outcome in outcomes} == {64}


def test_a_status_that_goes_on_changing_is_one_breach() -> None:
    """Every status that follows on a breach carries its tag: the first one trains, the others are repeats."""
    deployment = Deployment(model_text("churn", 'signals = ["azureml-monitor:churn-monitor"]'))
    events = [changed(breach(runStatus=status), f"e-{status}", "id") for status in ("Running", "Finalizing", "Failed")]
    reasons = [receive(deployment.receiver, event, azure).reason for event in events]
    assert reasons == ["launched", "duplicate", "duplicate"]
