"""`doctor` on Azure: everything there is found there, and each broken precondition has its own sentence."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulators.arm import Identity
from emulators.arm.standin import WORKSPACE
from emulators.event_grid import EventGridStandIn
from emulators.storage import Storage, azurite
from tests.cli.azure_subscription import (
    COMPONENT,
    COMPUTE,
    CONFIGURATION,
    INPUTS,
    RECEIVE,
    SUBSCRIPTIONS,
    TOPICS,
    AzureGate,
    Deployment,
)
from tests.cli.given import diagnose
from tests.contracts.azure_account import need_azurite

pytestmark = pytest.mark.xdist_group("cli-azure")

SERVICES = tuple[AzureGate, Storage, EventGridStandIn]


@pytest.fixture(scope="module")
def services() -> Iterator[SERVICES]:
    """Return the gate before the services, the storage account and the topic."""
    need_azurite()
    with ExitStack() as running:
        storage = running.enter_context(azurite())
        topic = running.enter_context(EventGridStandIn())
        yield running.enter_context(AzureGate(storage, topic.endpoint)), storage, topic


@pytest.fixture
def deployment(services: SERVICES, tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Return a complete deployment, to which the environment points."""
    gate, storage, topic = services
    made = Deployment(gate=gate, storage=storage, topic=topic, folder=tmp_path)
    for name, value in made.variables.items():
        environment.setenv(name, value)
    yield made
    made.close()


@pytest.mark.usefixtures("deployment")
def test_a_complete_deployment_passes() -> None:
    """Where everything is there no check fails, and next to none is skipped."""
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert found.passed >= {
        "topic",
        "publishing",
        "subscription",
        "ledger, writing",
        "dead letters",
        "compute of churn",
    }
    assert set(found.skipped) == {"GitHub token", "starting"}


def test_nothing_is_left_behind(deployment: Deployment) -> None:
    """What is written to prove a right is refused by its condition, and the topic gets no event."""
    found = diagnose("azure")
    assert {"ledger, writing", "dead letters", "publishing"} <= found.passed
    assert list(deployment.table.list_entities()) == []
    assert list(deployment.container.list_blob_names()) == []
    assert deployment.topic.events == []


Break = Callable[[Deployment], object]


def configured(old: str, new: str) -> Break:
    """Return what replaces something in the configuration."""
    return lambda deployment: deployment.configure(CONFIGURATION.replace(old, new, 1))


def answered(method: str, part: str, status: int, code: str) -> Break:
    """Return what lets calls be answered with an error."""
    return lambda deployment: deployment.gate.answers.update({(method, part): (status, code)})


def subscribed(**other: object) -> Break:
    """Return what gives the subscription other properties."""
    return lambda deployment: deployment.subscribe(RECEIVE | other)


def forgotten(path: str) -> Break:
    """Return what lets Resource Manager not know a resource."""
    return lambda deployment: deployment.forget(path)


DROPPED = (
    "no event subscription of the topic asks for events of the type retrain_trigger from ml3_platform, so they are"
)
BROKEN: dict[str, tuple[Break, str, str]] = {
    "no right to send": (
        answered("POST", "/api/events", 403, "Forbidden"),
        "publishing",
        "the topic takes nothing from us: grant the role EventGrid Data Sender, or correct RETRAIN_EVENT_GRID_KEY",
    ),
    "another schema": (
        lambda it: it.take_schema("CloudEventSchemaV1_0"),
        "topic's schema",
        "the topic takes CloudEventSchemaV1_0 only, and refuses our events: make one of the EventGridSchema",
    ),
    "no subscription": (
        lambda it: it.gate.resources.update({SUBSCRIPTIONS: {"value": []}}),
        "subscription",
        f"{DROPPED} dropped in silence: deploy with `subscribe`, or make one",
    ),
    "another type": (subscribed(filter={"includedEventTypes": ["Other"]}), "subscription", DROPPED),
    "another subject": (subscribed(filter={"subjectBeginsWith": "somebody"}), "subscription", DROPPED),
    "an advanced filter": (
        subscribed(filter={"advancedFilters": [{"operatorType": "StringIn", "key": "EventType", "values": ["a"]}]}),
        "subscription",
        DROPPED,
    ),
    "no dead letters of the subscription": (
        subscribed(deadLetterWithResourceIdentity=None),
        "subscription's dead letters",
        "the event subscription receive has no dead-letter destination, so what cannot be delivered for 24 hours",
    ),
    "no table": (
        lambda it: it.table.delete_table(),
        "ledger, reading",
        r"there is no table table\d+ in this storage account: deploy, or correct RETRAIN_LEDGER",
    ),
    "no right to read": (
        answered("GET", "table", 403, "AuthorizationPermissionMismatch"),
        "ledger, reading",
        r"this login may not use the table table\d+: grant the role Storage Table Data Contributor",
    ),
    "no right to write": (
        answered("PUT", "table", 403, "AuthorizationPermissionMismatch"),
        "ledger, writing",
        r"this login may not use the table table\d+: grant the role Storage Table Data Contributor",
    ),
    "no container": (
        lambda it: it.container.delete_container(),
        "dead letters",
        r"there is no container rejected-\d+ in this storage account: deploy, or correct RETRAIN_DEAD_LETTERS",
    ),
    "no right to write dead letters": (
        answered("PUT", "rejected", 403, "AuthorizationPermissionMismatch"),
        "dead letters",
        r"this login may not use the container rejected-\d+: grant the role Storage Blob Data Contributor",
    ),
    "no workspace": (
        forgotten(WORKSPACE),
        "workspace acme",
        "Azure ML has no /subscriptions/.*/workspaces/acme: make it, or correct the model's target.azure",
    ),
    "no component": (
        forgotten(COMPONENT),
        "component of churn",
        "Azure ML has no /subscriptions/.*/components/train/versions/1: make it, or correct",
    ),
    "a component that is no pipeline": (
        lambda it: it.component(INPUTS, "command"),
        "component of churn",
        "the component is of the type command, and only a pipeline can be started: put it into a pipeline component",
    ),
    "no compute": (
        forgotten(COMPUTE),
        "compute of churn",
        "Azure ML has no /subscriptions/.*/computes/cpu-cluster: make it, or correct",
    ),
    "an unknown parameter": (
        configured("epochs = 8", "layers = 8"),
        "parameters of churn",
        'models."churn".parameters.layers: the pipeline has no such parameter, it has epochs, rate, full, model_id',
    ),
    "a missing parameter": (
        configured('model_id = "$model_id"\n', ""),
        "parameters of churn",
        'models."churn".parameters.model_id: is missing, and the pipeline has no default for it',
    ),
    "a parameter of another type": (
        configured("full = true", "full = 1"),
        "parameters of churn",
        'models."churn".parameters.full: the pipeline wants true or false, not 1',
    ),
    "data": (
        lambda it: it.component(INPUTS | {"rate": {"type": "uri_folder", "optional": True}}),
        "parameters of churn",
        'models."churn".parameters.rate: the pipeline takes uri_folder there, which cannot be set',
    ),
}


@pytest.mark.parametrize(("breaks", "name", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_has_its_own_sentence(deployment: Deployment, breaks: Break, name: str, sentence: str) -> None:
    """Each thing that is not there, or not as it must be, is told by one check alone, and the exit code is 1."""
    breaks(deployment)
    found = diagnose("azure")
    ((failed, detail),) = found.failed.items()
    assert failed == name
    assert re.match(sentence, detail)
    assert found.code == 1


@pytest.mark.parametrize("kind", ["Pipeline", "PipelineComponent@1-legacy", ""])
def test_a_pipeline_by_another_name(deployment: Deployment, kind: str) -> None:
    """Azure ML has written the type in several ways, and one that it does not tell fails nothing."""
    deployment.component(INPUTS, kind)
    assert diagnose("azure").failed == {}


def test_a_topic_that_is_not_there(deployment: Deployment) -> None:
    """That is told, and what depends on the topic is not told again."""
    deployment.gate.answers[("POST", "/api/events")] = (404, "NotFound")
    found = diagnose("azure")
    assert found.failed == {"topic": f"there is no topic at {deployment.endpoint}: deploy, or correct RETRAIN_BUS"}
    assert found.skipped["publishing"] == "not checked: the topic is not there"


def test_a_topic_that_looks_at_content_first(deployment: Deployment) -> None:
    """An empty list that is refused for its content tells nothing of rights."""
    deployment.gate.answers[("POST", "/api/events")] = (400, "BadRequest")
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped["publishing"].startswith("not checked: the topic does not tell our rights without an event")


@pytest.mark.usefixtures("deployment")
def test_a_key_that_is_wrong(environment: pytest.MonkeyPatch) -> None:
    """The key is tried, and told nowhere."""
    environment.setenv("RETRAIN_EVENT_GRID_KEY", "bm90IHRoZSBrZXk=")
    found = diagnose("azure")
    assert list(found.failed) == ["publishing"]
    assert "bm90" not in str(found)


@pytest.mark.usefixtures("deployment")
def test_an_identity(services: SERVICES, environment: pytest.MonkeyPatch) -> None:
    """Without a key the login counts: the topic takes its token, and refuses that of nobody."""
    _, _, topic = services
    environment.delenv("RETRAIN_EVENT_GRID_KEY")
    assert list(diagnose("azure").failed) == ["publishing"]
    with Identity() as identity:
        topic.identity = identity
        for name, value in identity.variables.items():
            environment.setenv(name, value)
        assert diagnose("azure").failed == {}
        topic.identity = None
        assert {"https://eventgrid.azure.net", "https://management.azure.com"} <= set(identity.asked)


def test_a_topic_that_nobody_finds(deployment: Deployment) -> None:
    """Where Resource Manager does not show the topic, its subscriptions are not checked."""
    deployment.gate.resources[TOPICS] = {"value": []}
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert "set AZURE_SUBSCRIPTION_ID to its own" in found.skipped["subscription"]


@pytest.mark.parametrize("part", [WORKSPACE, TOPICS])
def test_a_missing_right_to_look_fails_nothing(deployment: Deployment, part: str) -> None:
    """What only `doctor` needs is no precondition; it says what it could not check, and why."""
    deployment.gate.answers[("GET", part)] = (403, "AuthorizationFailed")
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert "not checked: this login lacks the role Reader there, which only this check needs" in found.skipped.values()


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RETRAIN_BUS", "", "RETRAIN_BUS is not set; it must be the endpoint of a topic, https://.../api/events"),
        (
            "RETRAIN_BUS",
            "retraining",
            "RETRAIN_BUS must be the endpoint of a topic, https://.../api/events, not 'retraining'",
        ),
        (
            "RETRAIN_LEDGER",
            "https://acme.table.core.windows.net/retrain?sig=S3CRET",
            "RETRAIN_LEDGER must be the URL of a table: the endpoint of the service, a slash and the name",
        ),
    ],
)
def test_a_variable_of_the_wrong_form(environment: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    """Each variable has its own line, which shows no signature."""
    environment.setenv(name, value)
    found = diagnose("azure")
    assert found.failed == {name: sentence}
    assert "parameters of churn" in found.passed
