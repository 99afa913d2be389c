"""Native events of Azure: which runs, monitors and blobs are signals, and which of their facts are kept."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.training.admission import is_match
from shared.wire.incoming import Foreign, RunEnded
from shared.wire.signals_azure import BREACHED
from tests.core.native import BREACH, DATASET_DRIFT, RUN_STATUS, azure, breach, changed, sample

WORKSPACE = (
    "/subscriptions/a5fe3bc5-98f0-4c84-affc-a589f54d9b23/resourceGroups/jenns/providers/"
    "Microsoft.MachineLearningServices/workspaces/jenns-canary"
)


def test_a_breached_threshold_is_drift() -> None:
    """A monitor's run with the tag is a signal about its experiment; what the tag says is the reason."""
    signal = azure(breach())
    assert (signal.kind, signal.subject, signal.origin, signal.reason) == (
        "azureml-monitor",
        "monitoring",
        "drift",
        BREACH,
    )
    assert signal.evidence == {"workspace": WORKSPACE, "experiment": "monitoring", "run": "run-1", "breach": BREACH}
    assert (signal.severity, signal.sent_at) == (None, datetime(2020, 3, 9, 23, 53, 4, 457972, UTC))


@pytest.mark.parametrize(
    "name",
    ["monitoring", "moni*", "run-", "run-1", "churn-monitor", "churn-monitor_data_drift", "20"],
)
def test_a_monitor_is_found_by_experiment_run_tag_or_property(name: str) -> None:
    """The experiment as a whole, the beginning of the run, and the value of any tag or property."""
    properties = {"num_iterations": "20", "none": None, "list": [1]}
    assert is_match(f"azureml-monitor:{name}", azure(breach(runProperties=properties)))


@pytest.mark.parametrize("name", ["monitor", "un-1", "fraud-monitor", "income", "target"])
def test_another_monitor_is_not_found(name: str) -> None:
    """Beginning of an experiment, middle of a run, name of a tag or property, feature that drifted: none names it."""
    said = BREACH.replace("churn-monitor_", "") + "\nThe feature names are ['income']"
    assert not is_match(f"azureml-monitor:{name}", azure(breach(runTags={BREACHED: said})))


def test_keys_count_in_every_case() -> None:
    """Documentation and real events spell the same keys differently."""
    event = changed(
        breach(),
        {
            "RunId": "run-1",
            "ExperimentName": "monitoring",
            "RunTags": {BREACHED.upper(): BREACH},
            "RunStatus": "Failed",
        },
        "data",
    )
    assert azure(event).evidence == azure(breach()).evidence
    assert azure(event).trigger_id == azure(breach()).trigger_id


def test_a_run_is_one_trigger_however_often_its_status_changes() -> None:
    """The tag stays on the run; another run is another trigger, and so is one of another workspace."""
    ids = [
        azure(event).trigger_id
        for event in (
            breach(),
            changed(breach(runStatus="Finalizing"), "another", "id"),
            breach(runId="run-2"),
            changed(breach(), "/workspaces/other", "topic"),
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_run_is_named_by_the_subject_where_the_data_does_not() -> None:
    """The subject ends with the run; an event without either is known by its delivery."""
    event = breach(runId=None)
    assert azure(event).evidence["run"] == "AutoML_ad912b2d-6467-4f32-a616-dbe4af6dd8fc"
    nameless = changed(event, "experiments/x", "subject")
    assert "run" not in azure(nameless).evidence
    assert azure(nameless).trigger_id == azure(changed(nameless, "Completed", "data", "runStatus")).trigger_id
    assert azure(nameless).trigger_id != azure(changed(nameless, "other", "id")).trigger_id


@pytest.mark.parametrize("value", [True, 1, "true", "True", "1", "yes"])
def test_a_tag_that_is_a_flag_counts(value: object) -> None:
    """Then the reason is in our words."""
    assert azure(breach(runTags={BREACHED: value})).reason == "monitoring: a threshold is breached"


@pytest.mark.parametrize("value", [False, 0, "false", "False ", "0", "no", "None", "null", "", "  ", None, [], {}, 0.5])
def test_a_tag_that_says_no_is_none(value: object) -> None:
    """A threshold that was kept, and an empty tag, are not signals."""
    assert isinstance(azure(breach(runTags={BREACHED: value})), Foreign)


@pytest.mark.parametrize(
    "event",
    [
        sample(RUN_STATUS)[0],
        breach(runTags={}),
        breach(runTags=BREACHED),
        breach(runTags=[BREACHED]),
        changed(breach(), "x", "data"),
        changed(breach(), ..., "data"),
        changed(breach(), "Microsoft.MachineLearningServices.RunCompleted", "eventType"),
        changed(breach(runId="", experimentName=""), "x", "subject"),
    ],
)
def test_other_news_of_runs_is_none(event: Any) -> None:
    """A run without the tag, without a name, or of another kind of event is foreign."""
    assert isinstance(azure(event), Foreign)


def test_a_training_of_ours_is_not_a_monitor() -> None:
    """Whatever tags it has: its events are those of a training, and never trigger another one."""
    assert isinstance(azure(breach(runId=f"retrain-{'a' * 40}")), RunEnded)


def test_drift_of_a_dataset_is_drift() -> None:
    """The older monitors, which Azure still has, report a coefficient; their name and their run are known."""
    (event,) = sample(DATASET_DRIFT)
    signal = azure(event)
    assert (signal.kind, signal.subject, signal.origin) == ("azureml-monitor", "myDriftMonitor", "drift")
    assert signal.reason == "dataset drift myDriftMonitor: 0.8350349068479208"
    assert signal.evidence["coefficient"] == 0.8350349068479208
    assert is_match("azureml-monitor:01d29aa4-e6a4-470a-9ef3-66660d21f8ef", signal)
    assert azure(changed(event, ..., "data", "DriftCoefficient")).reason == "dataset drift myDriftMonitor"
    assert isinstance(azure(changed(event, {"DriftCoefficient": 1}, "data")), Foreign)
