"""`doctor` on Azure: a complete deployment passes, and each broken precondition has its own message."""

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
from tests.cli.running import diagnose
from tests.contracts.azure_account import need_azurite

pytestmark = pytest.mark.xdist_group("cli-azure")

SERVICES = tuple[AzureGate, Storage, EventGridStandIn]


@pytest.fixture(scope="module")
def services() -> Iterator[SERVICES]:
    """Return the gate in front of the services, the storage account and the topic."""
    need_azurite()
    with ExitStack() as running:
        storage = running.enter_context(azurite())
        topic = running.enter_context(EventGridStandIn())
        yield running.enter_context(AzureGate(storage, topic.endpoint)), storage, topic


@pytest.fixture
def deployment(services: SERVICES, tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Return a complete deployment, configured in the environment."""
    gate, storage, topic = services
    made = Deployment(gate=gate, storage=storage, topic=topic, folder=tmp_path)
    for name, value in made.variables.items():
        environment.setenv(name, value)
    yield made
    made.close()


@pytest.mark.usefixtures("deployment")
def test_a_complete_deployment_passes() -> None:
    """In a complete deployment no check fails, and hardly any is skipped."""
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


def test_the_checks_change_nothing(deployment: Deployment) -> None:
    """The conditional writes that test permissions are refused, and the topic receives no event."""
    found = diagnose("azure")
    assert {"ledger, writing", "dead letters", "publishing"} <= found.passed
    assert list(deployment.table.list_entities()) == []
    assert list(deployment.container.list_blob_names()) == []
    assert deployment.topic.events == []


Break = Callable[[Deployment], object]


def configured(old: str, new: str) -> Break:
    """Return a change that replaces a text in the configuration."""
    return lambda deployment: deployment.configure(CONFIGURATION.replace(old, new, 1))


def answered(method: str, part: str, status: int, code: str) -> Break:
    """Return a change that answers calls with an error."""
    return lambda deployment: deployment.gate.answers.update({(method, part): (status, code)})


def subscribed(**other: object) -> Break:
    """Return a change of the event subscription's properties."""
    return lambda deployment: deployment.subscribe(RECEIVE | other)


def forgotten(path: str) -> Break:
    """Return a change that removes a resource from Azure Resource Manager."""
    return lambda deployment: deployment.forget(path)


DROPPED = "no event subscription of the topic matches events of the type retrain_trigger from ml3_platform, so they are"
BROKEN: dict[str, tuple[Break, str, str]] = {
    "no permission to send": (
        answered("POST", "/api/events", 403, "Forbidden"),
        "publishing",
        "the topic refuses events; grant the role EventGrid Data Sender, or correct RETRAIN_EVENT_GRID_KEY",
    ),
    "another schema": (
        lambda it: it.take_schema("CloudEventSchemaV1_0"),
        "topic's schema",
        "the topic accepts CloudEventSchemaV1_0 only, so triggers are refused; create a topic of the EventGridSchema",
    ),
    "no subscription": (
        lambda it: it.gate.resources.update({SUBSCRIPTIONS: {"value": []}}),
        "subscription",
        f"{DROPPED} silently dropped; deploy with `subscribe`, or create one",
    ),
    "another type": (subscribed(filter={"includedEventTypes": ["Other"]}), "subscription", DROPPED),
    "another subject": (subscribed(filter={"subjectBeginsWith": "elsewhere"}), "subscription", DROPPED),
    "an advanced filter": (
        subscribed(filter={"advancedFilters": [{"operatorType": "StringIn", "key": "EventType", "values": ["a"]}]}),
        "subscription",
        DROPPED,
    ),
    "no dead letters of the subscription": (
        subscribed(deadLetterWithResourceIdentity=None),
        "subscription's dead letters",
        "the event subscription receive has no dead-letter destination, so events that cannot be delivered for",
    ),
    "no table": (
        lambda it: it.table.delete_table(),
        "ledger, reading",
        r"there is no table table\d+ in this storage account; deploy, or correct RETRAIN_LEDGER",
    ),
    "no permission to read": (
        answered("GET", "table", 403, "AuthorizationPermissionMismatch"),
        "ledger, reading",
        r"this login may not use the table table\d+; grant the role Storage Table Data Contributor",
    ),
    "no permission to write": (
        answered("PUT", "table", 403, "AuthorizationPermissionMismatch"),
        "ledger, writing",
        r"this login may not use the table table\d+; grant the role Storage Table Data Contributor",
    ),
    "no container": (
        lambda it: it.container.delete_container(),
        "dead letters",
        r"there is no container rejected-\d+ in this storage account; deploy, or correct RETRAIN_DEAD_LETTERS",
    ),
    "no permission to write dead letters": (
        answered("PUT", "rejected", 403, "AuthorizationPermissionMismatch"),
        "dead letters",
        r"this login may not use the container rejected-\d+; grant the role Storage Blob Data Contributor",
    ),
    "no workspace": (
        forgotten(WORKSPACE),
        "workspace acme",
        "Azure ML has no /subscriptions/.*/workspaces/acme; create it, or correct the model's target.azure",
    ),
    "no component": (
        forgotten(COMPONENT),
        "component of churn",
        "Azure ML has no /subscriptions/.*/components/train/versions/1; create it, or correct",
    ),
    "a component of another type": (
        lambda it: it.component(INPUTS, "command"),
        "component of churn",
        "the component has the type command, and only a pipeline can be started; wrap it in a pipeline component",
    ),
    "no compute": (
        forgotten(COMPUTE),
        "compute of churn",
        "Azure ML has no /subscriptions/.*/computes/cpu-cluster; create it, or correct",
    ),
    "an unknown parameter": (
        configured("epochs = 8", "layers = 8"),
        "parameters of churn",
        'models."churn".parameters.layers: the pipeline has no such parameter .it has epochs, rate, full, model_id',
    ),
    "a missing parameter": (
        configured('model_id = "$model_id"\n', ""),
        "parameters of churn",
        'models."churn".parameters.model_id: is missing, and the pipeline has no default for it; set it',
    ),
    "a parameter of another type": (
        configured("full = true", "full = 1"),
        "parameters of churn",
        'models."churn".parameters.full: the pipeline expects true or false, not 1',
    ),
    "data": (
        lambda it: it.component(INPUTS | {"rate": {"type": "uri_folder", "optional": True}}),
        "parameters of churn",
        'models."churn".parameters.rate: the pipeline expects uri_folder here, which a trigger cannot set; remove it',
    ),
}


@pytest.mark.parametrize(("breaks", "name", "message"), BROKEN.values(), ids=BROKEN)
def test_each_broken_precondition_fails_one_check(
    deployment: Deployment, breaks: Break, name: str, message: str
) -> None:
    """Each missing or wrong resource is reported by exactly one check, and the exit code is 1."""
    breaks(deployment)
    found = diagnose("azure")
    ((failed, detail),) = found.failed.items()
    assert failed == name
    assert re.match(message, detail)
    assert found.code == 1


@pytest.mark.parametrize("kind", ["Pipeline", "PipelineComponent@1-legacy", ""])
def test_a_pipeline_by_another_name(deployment: Deployment, kind: str) -> None:
    """Every spelling of the pipeline type passes, and so does a missing type."""
    deployment.component(INPUTS, kind)
    assert diagnose("azure").failed == {}


def test_a_missing_topic(deployment: Deployment) -> None:
    """A missing topic fails one check, and the checks that depend on the topic are skipped."""
    deployment.gate.answers[("POST", "/api/events")] = (404, "NotFound")
    found = diagnose("azure")
    assert found.failed == {"topic": f"there is no topic at {deployment.endpoint}; deploy, or correct RETRAIN_BUS"}
    assert found.skipped["publishing"] == "not checked: the topic does not exist"


def test_a_topic_that_looks_at_content_first(deployment: Deployment) -> None:
    """If the empty list is refused for its content, the permission is unknown."""
    deployment.gate.answers[("POST", "/api/events")] = (400, "BadRequest")
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped["publishing"].startswith(
        "not checked: this topic does not reveal the permission without an event"
    )


@pytest.mark.usefixtures("deployment")
def test_a_key_that_is_wrong(environment: pytest.MonkeyPatch) -> None:
    """A wrong key is reported and not shown."""
    environment.setenv("RETRAIN_EVENT_GRID_KEY", "bm90IHRoZSBrZXk=")
    found = diagnose("azure")
    assert list(found.failed) == ["publishing"]
    assert "bm90" not in str(found)


@pytest.mark.usefixtures("deployment")
def test_an_identity(services: SERVICES, environment: pytest.MonkeyPatch) -> None:
    """Without a key the login is used, and the check fails without one."""
    _, _, topic = services
    environment.delenv("RETRAIN_EVENT_GRID_KEY")
    assert list(diagnose("azure").failed) == ["publishing"]
    with Identity() as identity:
        topic.identity = identity
        for name, value in identity.variables.items():
            environment.setenv(name, value)
        assert diagnose("azure").failed == {}
        topic.identity = None
        assert {"https://eventgrid.azure.net", "https://management.azure.com"} <= set(identity.requested)


def test_a_topic_that_is_not_found(deployment: Deployment) -> None:
    """If Azure Resource Manager does not list the topic, its event subscriptions are not checked."""
    deployment.gate.resources[TOPICS] = {"value": []}
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert "set AZURE_SUBSCRIPTION_ID to its subscription" in found.skipped["subscription"]


@pytest.mark.parametrize("part", [WORKSPACE, TOPICS])
def test_a_missing_permission_to_look_is_skipped(deployment: Deployment, part: str) -> None:
    """A permission that only `doctor` needs is not a precondition; the check is skipped with the reason."""
    deployment.gate.answers[("GET", part)] = (403, "AuthorizationFailed")
    found = diagnose("azure")
    assert (found.code, found.failed) == (0, {})
    assert "not checked: this login lacks the role Reader there, which only this check needs" in found.skipped.values()


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RETRAIN_BUS", "", "RETRAIN_BUS is not set; set it to the endpoint of a topic, https://.../api/events"),
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
def test_an_invalid_variable(environment: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    """Each variable has its own check, which does not show a signature."""
    environment.setenv(name, value)
    found = diagnose("azure")
    assert found.failed == {name: message}
    assert "parameters of churn" in found.passed
