"""The Terraform files for Google Cloud fit the code, lose no event, and leave nothing open."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.config import environment as read_environment
from shared.decision.transitions import CLAIM_LEASE
from shared.wire.pubsub import is_sweep
from tests.deploy.terraform import FOLDER, Block, blocks, declared, documents, of_kind, texts, variables

ROOT = FOLDER.parents[1]
OPEN_TO_ALL = re.compile(r"\ball(Authenticated)?Users\b")


def members() -> list[tuple[str, str]]:
    """Return the role and the member of every grant."""
    return [
        (block.content["role"], str(block.content["member"]))
        for block in blocks()
        if block.kind.endswith("_iam_member")
    ]


def seconds(text: str) -> float:
    """Return a duration as Terraform spells it in seconds."""
    return float(text.removesuffix("s"))


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_the_files_are_formatted() -> None:
    """`terraform fmt`, which parses them too, would change nothing; the environments' values are not looked at."""
    done = subprocess.run(
        ["terraform", "fmt", "-check", str(FOLDER)],  # noqa: S607 - looked for above
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_declared_twice() -> None:
    """Terraform reads all files of the folder as one, and refuses a name that two of them declare."""
    names = declared()
    assert {name for name in names if names.count(name) > 1} == set()
    assert {"locals.function_logs", "variable.project", "output.variables"} <= set(names)


def test_what_is_referred_to_exists() -> None:
    """Each resource, data source, variable and local that an expression names is declared."""
    known = {f"{block.kind}.{block.name}" for block in blocks()}
    text = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.tf"))
    named = set(re.findall(r"\b(google_\w+\.\w+)\b(?!\.googleapis)", text)) - set(re.findall(r'"(google_\w+)" "', text))
    assert named <= known
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables())
    assert set(re.findall(r"\blocal\.(\w+)", text)) <= set(re.findall(r"^  (\w+) += ", text, re.MULTILINE))


@pytest.mark.parametrize("entry", ["emit", "receive"])
def test_a_function_is_one_of_the_bundle(entry: str) -> None:
    """Its entry point is in main.py, the code reads its environment, and it is over before its claim."""
    function = of_kind("google_cloudfunctions2_function")[entry]
    (build,), (service,) = function["build_config"], function["service_config"]
    assert build["entry_point"] == entry
    assert re.search(rf"^def {entry}\(", (ROOT / "functions/gcp/main.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert 0 < service["timeout_seconds"] <= CLAIM_LEASE.total_seconds()
    given = set(re.findall(r"RETRAIN_\w+", str(service["environment_variables"])))
    known = set(re.findall(r'"(RETRAIN_\w+)"', Path(read_environment.__file__).read_text(encoding="utf-8")))
    assert given <= known | {"RETRAIN_ENVIRONMENT"}  # messages name it
    assert {"RETRAIN_LEDGER", "RETRAIN_SOURCE"} <= given


@pytest.mark.parametrize("entry", ["emit", "receive"])
def test_a_function_works_on_as_many_requests_as_it_is_sent(entry: str) -> None:
    """The framework has as many threads as Cloud Run sends requests at a time: none waits while its time passes."""
    (service,) = of_kind("google_cloudfunctions2_function")[entry]["service_config"]
    assert service["max_instance_request_concurrency"] == "${local.concurrency}"
    assert re.search(r"THREADS\W+local\.concurrency\W", str(service["environment_variables"]))


def test_events_are_delivered_again_and_kept_in_the_end() -> None:
    """The subscription waits longer than a run takes, retries with growing pauses, and has a dead-letter topic."""
    subscription = of_kind("google_pubsub_subscription")["receive"]
    service = of_kind("google_cloudfunctions2_function")["receive"]["service_config"][0]
    assert subscription["ack_deadline_seconds"] > service["timeout_seconds"]
    (retry,), (letters,) = subscription["retry_policy"], subscription["dead_letter_policy"]
    assert seconds(retry["minimum_backoff"]) >= 10
    assert seconds(retry["maximum_backoff"]) == 600
    assert letters["max_delivery_attempts"] == 100
    assert "letters" in letters["dead_letter_topic"]
    (push,) = subscription["push_config"]
    assert push["oidc_token"][0]["service_account_email"] == "${google_service_account.push.email}"


def test_no_subscription_dies_of_neglect() -> None:
    """By default Pub/Sub removes a subscription that was idle for a month, and with it what waits there."""
    for subscription in of_kind("google_pubsub_subscription").values():
        assert subscription["expiration_policy"] == [{"ttl": ""}]


def test_pubsub_may_move_dead_letters() -> None:
    """Without these two rights the dead-letter policy is silently without effect."""
    grants = {
        (kind, str(content["role"]), str(content["member"]))
        for kind in ("google_pubsub_topic_iam_member", "google_pubsub_subscription_iam_member")
        for name, content in of_kind(kind).items()
        if name == "dead_lettering"
    }
    assert grants == {
        ("google_pubsub_topic_iam_member", "roles/pubsub.publisher", "${local.pubsub_agent}"),
        ("google_pubsub_subscription_iam_member", "roles/pubsub.subscriber", "${local.pubsub_agent}"),
    }


def test_every_dead_letter_topic_has_a_subscription_and_an_alert() -> None:
    """A topic without a subscription forgets; a subscription without an alert is not read."""
    letters = of_kind("google_pubsub_topic")["letters"]["for_each"]
    assert of_kind("google_pubsub_subscription")["letters"]["for_each"] == letters
    assert of_kind("google_monitoring_alert_policy")["letters"]["for_each"] == letters


def test_nothing_is_open_to_everybody() -> None:
    """No grant is for all users, and no variable can bring one in."""
    for _, member in members():
        assert not OPEN_TO_ALL.search(member)
    for name in ("callers", "publishers"):
        assert "allUsers" in str(variables()[name]["validation"])
    assert of_kind("google_storage_bucket")["bundles"]["public_access_prevention"] == "enforced"
    assert of_kind("google_cloudfunctions2_function")["receive"]["service_config"][0]["ingress_settings"] == (
        "ALLOW_INTERNAL_ONLY"
    )


def test_no_role_is_a_basic_one() -> None:
    """No account is owner, editor or viewer, or administrator of anything."""
    for role, _ in members():
        assert not re.search(r"roles/(owner|editor|viewer)$|admin", role, re.IGNORECASE)
    (custom,) = of_kind("google_project_iam_custom_role").values()
    assert custom["permissions"] == [f"aiplatform.pipelineJobs.{verb}" for verb in ("cancel", "create", "get")]


def test_rights_on_a_project_are_the_three_that_cannot_be_narrower() -> None:
    """Documents are limited to the one database by a condition, the launcher to jobs; the build has an own account."""
    grants = of_kind("google_project_iam_member")
    assert set(grants) == {"build", "ledger", "launcher"}
    assert grants["build"]["member"] == "${google_service_account.build.member}"
    assert "google_firestore_database.ledger.name" in grants["ledger"]["condition"][0]["expression"]


def test_ticks_and_sweeps_go_by_http() -> None:
    """Only HTTP carries a tick's scheduled time, and a sweep that fails does not pile up behind the next ones."""
    jobs = of_kind("google_cloud_scheduler_job")
    assert jobs["tick"]["http_target"][0]["uri"].endswith("/tick")
    body = re.fullmatch(r"\$\{base64encode\(jsonencode\((.*)\)\)}", jobs["sweep"]["http_target"][0]["body"])
    assert body
    assert is_sweep(json.loads(re.sub(r"(\w+) = ", r'"\1": ', body[1])))
    for job in jobs.values():
        assert job["time_zone"] == "Etc/UTC"
        (target,) = job["http_target"]
        # An API of Google takes access tokens only; our functions take identity tokens.
        assert ("oauth_token" if "run.googleapis.com" in target["uri"] else "oidc_token") in target
    invokers = of_kind("google_cloud_run_service_iam_member")
    assert invokers["sweep"]["service"] == "${google_cloudfunctions2_function.receive.name}"
    assert invokers["sweep"]["member"] == "${google_service_account.schedule.member}"


@pytest.mark.parametrize("name", ["schedule", "sweep_schedule"])
def test_a_schedule_has_five_fields(name: str) -> None:
    """Cloud Scheduler has no seconds, and the variable's own rule says so."""
    declared = variables()[name]
    assert len(declared["default"].split()) == 5
    assert "== 5" in str(declared["validation"])


def test_the_ledger_survives() -> None:
    """The database is protected against removal, can be restored, and does not index the documents' text."""
    (database,) = of_kind("google_firestore_database").values()
    assert database["delete_protection_state"] == "DELETE_PROTECTION_ENABLED"
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    (field,) = of_kind("google_firestore_field").values()
    assert (field["field"], field["index_config"]) == ("document", [{}])


def test_no_secret_is_in_the_files() -> None:
    """The token for GitHub is named, never given: what a variable holds ends up in Terraform's state."""
    named: list[Block] = blocks()
    assert not [block.kind for block in named if block.kind == "google_secret_manager_secret_version"]
    assert not [text for block in named for text in texts(block.content) if re.search(r"gh[pousr]_\w{20,}", text)]


def test_bundles_expire_and_their_bucket_can_go() -> None:
    """Terraform deletes the bucket with what is in it; replaced bundles are deleted after a month."""
    bucket = of_kind("google_storage_bucket")["bundles"]
    assert bucket["force_destroy"] is True
    (rule,) = bucket["lifecycle_rule"]
    assert rule == {"condition": [{"days_since_noncurrent_time": 30}], "action": [{"type": "Delete"}]}


def test_a_database_that_was_kept_is_taken_over() -> None:
    """Destroying leaves it, and an import by its own name, on demand, makes the next apply go on with it."""
    (database,) = of_kind("google_firestore_database").values()
    assert database["deletion_policy"] == "ABANDON"
    (taken,) = [entry for document in documents() for entry in document.get("import", [])]
    assert taken["to"] == "${google_firestore_database.ledger}"
    assert taken["id"] == f"projects/${{var.project}}/databases/{database['name']}"
    assert "var.ledger_exists" in taken["for_each"]
    assert variables()["ledger_exists"]["default"] is False
    # An import can have for_each since Terraform 1.7.
    assert 'required_version = ">= 1.7"' in (FOLDER / "versions.tf").read_text(encoding="utf-8")


def test_the_outputs_are_the_variables_of_the_functions() -> None:
    """`doctor` gets what both functions have, so nothing has to be written down again, and `letters` one place more."""
    functions = of_kind("google_cloudfunctions2_function").values()
    given = {
        name
        for function in functions
        for name in re.findall(r"RETRAIN_\w+", str(function["service_config"][0]["environment_variables"]))
    }
    outputs = {
        name: entry for document in documents() for one in document.get("output", []) for name, entry in one.items()
    }
    assert {name for name in outputs["variables"]["value"] if name.startswith("RETRAIN_")} == given | {
        "RETRAIN_UNDELIVERED"
    }


def test_the_monitor_may_read_write_and_publish_and_is_started_by_its_schedule() -> None:
    """There is one where an image is named; it has the environment of `emit` and rights on its buckets only."""
    (job,) = of_kind("google_cloud_run_v2_job").values()
    assert job["for_each"] == "${local.monitors}"
    (outer,) = job["template"]
    (inner,) = outer["template"]
    (container,) = inner["containers"]
    emit = str(of_kind("google_cloudfunctions2_function")["emit"]["service_config"][0]["environment_variables"])
    assert {one["name"] for one in container["env"]} == set(re.findall(r"RETRAIN_\w+", emit))
    assert container["image"] == "${var.monitor_image}"
    grants = {
        str(content["role"])
        for kind in ("google_pubsub_topic_iam_member", "google_storage_bucket_iam_member")
        for content in of_kind(kind).values()
        if "google_service_account.monitor" in str(content["member"])
    }
    assert grants == {"roles/pubsub.publisher", "roles/storage.objectViewer", "roles/storage.objectUser"}
    schedule = of_kind("google_cloud_scheduler_job")["monitor"]
    assert schedule["http_target"][0]["uri"].endswith("${google_cloud_run_v2_job.monitor[each.key].id}:run")
    assert of_kind("google_cloud_run_v2_job_iam_member")["monitor"]["role"] == "roles/run.invoker"


def test_no_alert_needs_a_metric_that_the_same_deployment_makes() -> None:
    """Google refuses such an alert for minutes after the metric was made, which would fail the first deployment."""
    policies = of_kind("google_monitoring_alert_policy")
    conditions = {name: policy["conditions"][0] for name, policy in policies.items()}
    assert "condition_matched_log" in conditions["failed"]
    (silent,) = conditions["silent"]["condition_prometheus_query_language"]
    assert silent["disable_metric_validation"] is True
    assert "logging.googleapis.com/user/" not in str(conditions)
