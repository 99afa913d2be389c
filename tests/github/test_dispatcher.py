"""A follow-up reaches the workflow that the configuration names."""

import pytest

from emulators.github import GitHubStandIn
from functions.github.dispatcher import GitHubDispatcher
from functions.github.event_types import event_type_of
from shared.errors import TargetRefusedError
from shared.ports import Dispatch
from tests.github.given import REPOSITORY, client_of


def dispatch(repository: str = REPOSITORY) -> Dispatch:
    """Return a follow-up of a training."""
    return Dispatch(
        repository=repository,
        event_type="machinelearningservices-runcompleted",
        token="a" * 64,
        payload={"token": "a" * 64, "data": {"runId": "run-1", "experimentName": "churn"}},
    )


def test_the_payload_arrives_as_it_is(github: GitHubStandIn) -> None:
    """Workflows written for the Azure template find `client_payload.data.runId`."""
    GitHubDispatcher(client_of(github.url)).dispatch(dispatch())
    (event,) = github.dispatched()
    assert (event.repository, event.event_type) == (REPOSITORY, "machinelearningservices-runcompleted")
    assert event.payload == dispatch().payload


def test_the_allow_list_holds_for_follow_ups_too(github: GitHubStandIn) -> None:
    """It is checked when the configuration is read, and again before sending."""
    with pytest.raises(TargetRefusedError, match="'acme/other' is not in github"):
        GitHubDispatcher(client_of(github.url)).dispatch(dispatch("acme/other"))
    assert github.requests() == []


@pytest.mark.parametrize(
    ("azure_type", "event_type"),
    [
        ("Microsoft.MachineLearningServices.RunCompleted", "machinelearningservices-runcompleted"),
        ("Microsoft.MachineLearningServices.RunStatusChanged", "machinelearningservices-runstatuschanged"),
        ("Microsoft.MachineLearningServices.ModelRegistered", "machinelearningservices-modelregistered"),
        ("Microsoft.MachineLearningServices.ModelDeployed", "machinelearningservices-modeldeployed"),
        ("Microsoft.MachineLearningServices.DatasetDriftDetected", "machinelearningservices-datasetdriftdetected"),
        ("Microsoft.Storage.BlobCreated", "storage-blobcreated"),
        ("Microsoft.Storage.BlobDeleted", "storage-blobdeleted"),
        ("Microsoft.Storage.BlobRenamed", "storage-blobrenamed"),
        ("Microsoft.Storage.DirectoryCreated", "storage-directorycreated"),
        ("Microsoft.Storage.DirectoryRenamed", "storage-directoryrenamed"),
        ("Microsoft.Storage.DirectoryDeleted", "storage-directorydeleted"),
        ("Microsoft.Web/sites.AppUpdated.Stopped", "web/sites-appupdated-stopped"),
        ("Microsoft.ContainerRegistry.ImagePushed", "containerregistry-imagepushed"),
        ("Microsoft.EventHub.CaptureFileCreated", "eventhub-capturefilecreated"),
    ],
)
def test_event_types_of_azure_keep_the_templates_names(azure_type: str, event_type: str) -> None:
    """Workflows that were written for the Azure template's function fire on the same names."""
    assert event_type_of(azure_type) == event_type


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "retrain_trigger",
        "Microsoft",
        "Microsoft.",
        "Microsoft.Storage",
        "Microsoft.Storage.",
        "Microsoft.Storage..BlobCreated",
        "Microsoft.Web/serverfarms.AppServicePlanUpdated",
        "Microsoft.EventGrid.SubscriptionValidationEvent",
        "Contoso.Storage.BlobCreated",
    ],
)
def test_other_types_have_no_name(foreign: str) -> None:
    """They are recognised without an error: a type without dots broke the template's function."""
    assert event_type_of(foreign) is None
