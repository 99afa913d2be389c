"""Signals of other projects and of the platform reach the one topic, and no more of them than the code reads."""

import re

from shared.ports import RunResult
from shared.wire.pubsub_runs import LOG, RESOURCE, run_result
from tests.deploy.terraform import local_values, of_kind

# google.cloud.aiplatform.v1.PipelineState.
STATES = {
    f"PIPELINE_STATE_{state}"
    for state in (
        "UNSPECIFIED", "QUEUED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED", "PAUSED",
    )
}  # fmt: skip


def test_the_sink_takes_the_log_that_the_code_reads() -> None:
    """The filter names the resource and the log of the ends of pipeline jobs, and our jobs only."""
    text = local_values()["logged"]
    assert f'resource.type=\\"{RESOURCE}\\"' in text
    assert f"/{LOG}" in text
    assert 'pipeline_job_id:\\"retrain-\\"' in text


def test_the_sink_takes_ends_only() -> None:
    """Of all states of a job it takes those that the code takes for an end: no other one wakes a function."""
    ends = {state for state in STATES if run_result(state) is not RunResult.RUNNING}
    (states,) = re.findall(r"jsonPayload\.state=\((.+?)\)", local_values()["logged"])
    assert set(states.replace('\\"', "").split(" OR ")) == ends


def test_every_project_that_trains_reports_and_lets_in() -> None:
    """Each has a sink, whose account may publish, and the launcher's role; accounts are found by their addresses."""
    projects = "${local.training_projects}"
    role = of_kind("google_project_iam_custom_role")["launcher"]
    launcher = of_kind("google_project_iam_member")["launcher"]
    sink = of_kind("google_logging_project_sink")["signals"]
    for content in (role, launcher, sink):
        assert (content["for_each"], content["project"]) == (projects, "${each.value}")
    # Several may train in one project.
    assert "var.project" in role["role_id"]
    assert "var.project" in sink["name"]
    grant = of_kind("google_pubsub_topic_iam_member")["sinks"]
    assert grant["for_each"] == projects
    assert grant["member"] == "${google_logging_project_sink.signals[each.key].writer_identity}"
    trainer = of_kind("google_service_account_iam_member")["trainer"]
    assert trainer["service_account_id"] == "projects/-/serviceAccounts/${each.value}"
