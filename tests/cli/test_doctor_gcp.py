"""`doctor` on Google Cloud: a complete deployment passes, and each broken precondition has its own message."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulators.google_emulators import firestore_emulator, pubsub_emulator
from emulators.vertex import VertexStandIn
from tests.cli.google_project import CONFIGURATION, Deployment, GoogleGate
from tests.cli.running import diagnose
from tests.contracts.google_project import emulators_needed

pytestmark = pytest.mark.xdist_group("cli-gcp")

SERVICES = tuple[GoogleGate, str]


@pytest.fixture(scope="module")
def services() -> Iterator[SERVICES]:
    """Return the gate in front of the services and the address of Pub/Sub itself."""
    emulators_needed()
    with ExitStack() as running:
        pubsub, firestore = (running.enter_context(run()) for run in (pubsub_emulator, firestore_emulator))
        vertex = running.enter_context(VertexStandIn())
        yield running.enter_context(GoogleGate(pubsub=pubsub, firestore=firestore, vertex=vertex.url)), pubsub


@pytest.fixture
def deployment(services: SERVICES, tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Return a complete deployment, configured in the environment."""
    gate, pubsub = services
    made = Deployment(gate=gate, pubsub=pubsub, folder=tmp_path)
    for name, value in made.variables.items():
        environment.setenv(name, value)
    yield made
    gate.reset()


@pytest.mark.usefixtures("deployment")
def test_a_complete_deployment_passes() -> None:
    """In a complete deployment no check fails, and the checks that cannot be made are skipped."""
    found = diagnose("gcp")
    assert (found.code, found.failed) == (0, {})
    assert found.passed >= {"topic", "publishing", "subscription", "ledger, writing", "parameters of churn", "schedule"}
    assert set(found.skipped) == {"credentials", "starting", "pipeline of fraud", "parameters of fraud", "GitHub token"}


def test_the_checks_change_nothing(deployment: Deployment) -> None:
    """The conditional writes that test permissions are refused, and no topic receives a message."""
    found = diagnose("gcp")
    assert {"ledger, writing", "publishing"} <= found.passed
    assert deployment.topics.take("rejected") == []
    assert deployment.documents() == []


Break = Callable[[Deployment], object]


def configured(old: str, new: str) -> Break:
    """Return a change that replaces a text in the configuration."""
    return lambda deployment: deployment.configure(CONFIGURATION.replace(old, new, 1))


def resubscribed(**other: object) -> Break:
    """Return a change of the subscription's settings."""
    return lambda deployment: deployment.resubscribe(**other)


def answered(end: str, status: int) -> Break:
    """Return a change that answers calls with an error."""
    return lambda deployment: deployment.gate.answers.update({end: status})


BROKEN: dict[str, tuple[Break, str, str]] = {
    "no permission to publish": (
        lambda it: it.gate.lacking.add(it.topic),
        "publishing",
        "these credentials lack pubsub.topics.publish on projects/.*/topics/triggers; grant roles/pubsub.publisher",
    ),
    "no permission to publish dead letters": (
        lambda it: it.gate.lacking.add(it.letters),
        "dead letters, writing",
        "these credentials lack pubsub.topics.publish on projects/.*/topics/rejected; grant roles/pubsub.publisher",
    ),
    "no subscription": (
        lambda it: it.topics.remove("receive"),
        "subscription",
        "no subscription of projects/.*/topics/triggers pushes to a function, so triggers are never received; deploy",
    ),
    "no push": (resubscribed(pushConfig=None), "subscription", "no subscription of .* pushes to a function"),
    "no retry policy": (
        resubscribed(retryPolicy=None),
        "retries",
        "the subscription receive has no retry policy, so a failed delivery is repeated immediately",
    ),
    "no dead-letter policy": (
        resubscribed(deadLetterPolicy=None),
        "undelivered",
        "the subscription receive has no dead-letter policy, so messages that keep failing are dropped",
    ),
    "the default expiration": (
        resubscribed(expirationPolicy=None),
        "expiration",
        "the subscription receive expires after a time without deliveries, 31 days by default",
    ),
    "an expiration": (
        resubscribed(expirationPolicy={"ttl": "864000s"}),
        "expiration",
        "the subscription receive expires",
    ),
    "a short ack deadline": (
        resubscribed(ackDeadlineSeconds=10),
        "ack deadline",
        "the subscription receive delivers a second copy .*; set its ack deadline to at least 60 s",
    ),
    "dead letters without a subscription": (
        lambda it: it.topics.remove("rejected"),
        "dead letters",
        "projects/.*/topics/rejected has no subscription, so rejected events are lost; create one",
    ),
    "no database": (
        answered(":runQuery", 404),
        "ledger, reading",
        r"there is no Firestore database projects/.*/databases/\(default\); deploy, or correct RETRAIN_LEDGER",
    ),
    "no permission to read": (
        answered(":runQuery", 403),
        "ledger, reading",
        "these credentials may not read projects/.*/documents/retrain .PERM.*; grant roles/datastore.user",
    ),
    "no permission to write": (
        answered(":commit", 403),
        "ledger, writing",
        "these credentials may not write to projects/.*/documents/retrain .PERM.*; grant roles/datastore.user",
    ),
    "no specification": (
        configured("google_pipeline.json", "nowhere.json"),
        "pipeline of churn",
        "nowhere.json: cannot be read: No such file or directory; compile it, or correct models",
    ),
    "an unknown parameter": (
        configured("epochs = 8", "epochs = 8\nlayers = 2"),
        "parameters of churn",
        'models."churn".parameters.layers: the pipeline has no such parameter; it has epochs, note',
    ),
    "a missing parameter": (
        configured('note = "$trigger_id"\n', ""),
        "parameters of churn",
        'models."churn".parameters.note: is missing; the pipeline has no default for it',
    ),
    "a parameter of another type": (
        configured("epochs = 8", 'epochs = "many"'),
        "parameters of churn",
        "models.\"churn\".parameters.epochs: the pipeline wants an integer, not 'many'",
    ),
    "no permission to see jobs": (
        answered("/pipelineJobs", 403),
        "Vertex AI in doctor-.*, europe-west4",
        r"these credentials may not list the jobs in projects/doctor-.*/locations/europe-west4 .*PERMISSION_DENIED",
    ),
    "no such project": (
        answered("/pipelineJobs", 404),
        "Vertex AI in doctor-.*, europe-west4",
        "Vertex AI has no projects/doctor-.*/locations/europe-west4; correct the target's project or location",
    ),
}


@pytest.mark.parametrize(("breaks", "name", "message"), BROKEN.values(), ids=BROKEN)
def test_each_broken_precondition_fails_one_check(
    deployment: Deployment, breaks: Break, name: str, message: str
) -> None:
    """Each missing or wrong resource is reported by exactly one check, and the exit code is 1."""
    breaks(deployment)
    found = diagnose("gcp")
    ((failed, detail),) = found.failed.items()
    assert re.fullmatch(name, failed)
    assert re.match(message, detail)
    assert found.code == 1


@pytest.mark.usefixtures("deployment")
def test_a_missing_topic(environment: pytest.MonkeyPatch) -> None:
    """A missing topic fails one check, and the checks that depend on the topic are skipped."""
    environment.setenv("RETRAIN_BUS", "projects/acme/topics/nowhere")
    found = diagnose("gcp")
    assert found.failed == {"topic": "there is no topic projects/acme/topics/nowhere; deploy, or correct RETRAIN_BUS"}
    assert found.skipped["subscription"] == "not checked: the topic does not exist"


@pytest.mark.usefixtures("deployment")
def test_a_missing_topic_of_dead_letters(environment: pytest.MonkeyPatch) -> None:
    """The topic of the rejected events has its own check."""
    environment.setenv("RETRAIN_DEAD_LETTERS", "projects/acme/topics/nowhere")
    found = diagnose("gcp")
    assert found.failed == {
        "dead letters": "there is no topic projects/acme/topics/nowhere; deploy, or correct RETRAIN_DEAD_LETTERS"
    }


def test_a_filter_is_shown(deployment: Deployment) -> None:
    """A subscription silently drops messages that its filter does not match, so the filter is shown."""
    deployment.resubscribe(filter='attributes.event_type = "retrain_trigger"')
    found = diagnose("gcp")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped["filter"].startswith(
        'not checked: receive (attributes.event_type = "retrain_trigger") drops messages'
    )


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RETRAIN_BUS", "", "RETRAIN_BUS is not set; set it to a topic, projects/P/topics/T"),
        ("RETRAIN_BUS", "triggers", "RETRAIN_BUS must be a topic, projects/P/topics/T, not 'triggers'"),
        (
            "RETRAIN_LEDGER",
            "projects/acme",
            "RETRAIN_LEDGER must be a collection, projects/P/databases/D/documents/COLLECTION, not 'projects/acme'",
        ),
    ],
)
def test_an_invalid_variable(environment: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    """Each variable has its own check."""
    environment.setenv(name, value)
    found = diagnose("gcp")
    assert found.failed[name] == message
    assert "parameters of churn" in found.passed


@pytest.mark.usefixtures("deployment")
def test_no_credentials(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Missing credentials fail one check, and the checks that depend on them are skipped."""
    key_file = tmp_path / "key.json"
    key_file.write_text("{}")
    environment.delenv("PUBSUB_EMULATOR_HOST")
    environment.delenv("FIRESTORE_EMULATOR_HOST")
    environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
    found = diagnose("gcp")
    assert set(found.failed) == {"credentials"}
    assert found.failed["credentials"].startswith("there are no usable credentials for Google; run `gcloud auth")
    assert found.skipped["topic"] == "not checked: there are no usable credentials for Google"
    assert found.skipped["ledger, reading"] == "not checked: there are no usable credentials for Google"
