"""The ARM template for Azure fits the code, loses no event, and leaves nothing open."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.config import environment
from tests.deploy.arm import TEMPLATE, made, outputs, resources
from tests.deploy.expressions import Scope, evaluate
from tests.deploy.template import ROOT, texts

MONITOR = {
    "monitorImage": "acme.azurecr.io/drift-monitor@sha256:0a",
    "monitorRegistry": "/subscriptions/s-1/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/acme",
    "monitorStorage": "/subscriptions/s-1/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/acmedata",
}
EVERYTHING = {
    "subscribe": True,
    "signalStorageAccount": "data",
    "githubTokenSecret": "github",
    "alertGroup": "/group",
    **MONITOR,
}
# Built-in roles of Azure, from its reference; none may change rights, and none reaches beyond what it is granted on.
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
# Read by function_app.py itself: the host needs it before anything of ours is imported.
OF_THE_HOST = {"RETRAIN_SCHEDULE", "RETRAIN_ENVIRONMENT"}


def of_type(kind: str) -> list[Mapping[str, Any]]:
    """Return what the template says of its resources of one type, where it makes all that it can."""
    return [resource.document for resource in made(kind, **EVERYTHING)]


def only(kind: str) -> Mapping[str, Any]:
    """Return what it says of the one resource of a type."""
    (resource,) = of_type(kind)
    return resource


def settings(**parameters: Any) -> dict[str, str]:
    """Return the app settings of the functions."""
    (site,) = made("Microsoft.Web/sites", **{**EVERYTHING, **parameters})
    given = site.document["properties"]["siteConfig"]["appSettings"]
    assert len({setting["name"] for setting in given}) == len(given)
    return {setting["name"]: setting["value"] for setting in given}


def subscriptions() -> list[Mapping[str, Any]]:
    """Return every subscription to events."""
    own = of_type("Microsoft.EventGrid/topics/eventSubscriptions")
    found = [*own, *of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")]
    assert len(found) == 3
    return found


def test_what_is_named_exists() -> None:
    """Each parameter and variable that an expression uses is declared, and each that is declared is used."""
    everything = " ".join(texts([TEMPLATE["resources"], TEMPLATE["outputs"], TEMPLATE["variables"]]))
    nested = {"principal", "grants", "name", "function", "storage", "filter"}
    assert set(re.findall(r"parameters\('(\w+)'\)", everything)) == set(TEMPLATE["parameters"]) | nested
    assert set(re.findall(r"variables\('(\w+)'\)", everything)) == set(TEMPLATE["variables"])


def test_the_environment_is_that_of_the_code() -> None:
    """The app is given the bus, the ledger and the dead letters, and no variable that is never read."""
    known = set(re.findall(r'"(RETRAIN_\w+)"', Path(environment.__file__).read_text(encoding="utf-8")))
    given = {name for name in settings() if name.startswith("RETRAIN_")}
    assert {"RETRAIN_BUS", "RETRAIN_LEDGER", "RETRAIN_DEAD_LETTERS", "RETRAIN_SOURCE"} <= given <= known | OF_THE_HOST


def test_the_schedule_has_six_fields() -> None:
    """Timers of Azure Functions begin with the seconds."""
    assert len(TEMPLATE["parameters"]["schedule"]["defaultValue"].split()) == 6
    assert settings(schedule="0 0 6 * * *")["RETRAIN_SCHEDULE"] == "0 0 6 * * *"


def test_settings_are_added_and_win() -> None:
    """The operator's settings are added to those of the template, and win where both have the same name."""
    given = {"RETRAIN_GITHUB_API": "https://github.acme.example/api/v3", "RETRAIN_SOURCE": "acme"}
    assert settings(settings=given) == settings() | given
    assert settings()["RETRAIN_SOURCE"] == "ml3_platform"


def test_events_are_delivered_again_and_kept_in_the_end() -> None:
    """Each subscription says how often and how long it tries, and where an event goes that was given up."""
    for subscription in subscriptions():
        properties = subscription["properties"]
        assert properties["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
        letters = properties["deadLetterWithResourceIdentity"]
        assert letters["identity"] == {"type": "SystemAssigned"}
        assert letters["deadLetterDestination"]["properties"]["blobContainerName"] == "undelivered"
        destination = properties["destination"]
        assert destination["endpointType"] == "AzureFunction"
        assert destination["properties"]["resourceId"].endswith("/functions/retrain_receive")
        # One event a delivery: an error repeats that event and no other.
        assert destination["properties"]["maxEventsPerBatch"] == 1


def test_the_functions_are_those_of_the_bundle() -> None:
    """The subscribed function is in function_app.py."""
    text = (ROOT / "functions/azure/function_app.py").read_text(encoding="utf-8")
    assert re.search(r"^def retrain_receive\(", text, re.MULTILINE)


def test_no_key_opens_anything() -> None:
    """Storage, topic, logs and deployment take identities only."""
    assert only("Microsoft.Storage/storageAccounts")["properties"]["allowSharedKeyAccess"] is False
    assert only("Microsoft.EventGrid/topics")["properties"]["disableLocalAuth"] is True
    assert only("Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True
    assert only("Microsoft.KeyVault/vaults")["properties"]["enableRbacAuthorization"] is True
    publishing = of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert [policy["properties"] for policy in publishing] == [{"allow": False}] * 2


def test_nothing_is_readable_by_everybody() -> None:
    """No container is public, and all traffic is encrypted by TLS 1.2 or newer."""
    account = only("Microsoft.Storage/storageAccounts")["properties"]
    assert (account["allowBlobPublicAccess"], account["minimumTlsVersion"]) == (False, "TLS1_2")
    for container in of_type("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert container["properties"] == {"publicAccess": "None"}
    site = only("Microsoft.Web/sites")["properties"]
    assert (site["httpsOnly"], site["siteConfig"]["minTlsVersion"]) == (True, "1.2")
    # Flex Consumption refuses it with error 51021; publishing by FTP is off all the same, see above.
    assert "ftpsState" not in site["siteConfig"]


def test_only_the_named_roles_are_given() -> None:
    """Each assignment has one of the built-in roles for data, on one resource, for an identity of this template."""
    assignments = of_type("Microsoft.Authorization/roleAssignments")
    assert len(assignments) == 12
    for assignment in assignments:
        (role,) = re.findall(r"/([0-9a-f-]{36})$", assignment["properties"]["roleDefinitionId"])
        assert role in ROLES
        assert assignment["properties"]["principalType"] == "ServicePrincipal"
        assert assignment["scope"].startswith("Microsoft.")


def test_no_secret_is_in_the_template() -> None:
    """The token for GitHub is named by the address of its secret; nothing lists keys."""
    everything = " ".join(texts(TEMPLATE))
    assert "listKeys" not in everything
    named = settings(vaultName="acme-keys")["RETRAIN_GITHUB_TOKEN"]
    assert named == "https://acme-keys.vault.azure.net/secrets/github"
    assert settings(githubTokenSecret="")["RETRAIN_GITHUB_TOKEN"] == ""


def test_role_assignments_survive_an_identity_that_is_made_anew() -> None:
    """Azure never gives an existing assignment to another identity, so the name of each depends on the identity."""
    for resource in resources(**EVERYTHING):
        if resource.kind != "Microsoft.Authorization/roleAssignments":
            continue
        document = resource.document
        values = (document["scope"], document["properties"]["principalId"], document["properties"]["roleDefinitionId"])
        assert document["name"] == evaluate(
            "[guid(parameters('a'), parameters('b'), parameters('c'))]",
            Scope(parameters={"a": values[0], "b": values[1], "c": values[2].rpartition("/")[2]}, variables={}),
        )


def test_without_a_workspace_only_that_is_missing() -> None:
    """Models may train on GitHub only: then nothing of Azure Machine Learning is referred to."""
    without = [each for each in resources(**EVERYTHING, workspaceName="") if each.made]
    assert not [
        text for each in without for text in texts(each.document) if "MachineLearningServices/workspaces" in text
    ]
    assert "Microsoft.EventGrid/topics/eventSubscriptions" in {each.kind for each in without}


def test_there_is_a_vault_only_for_a_secret() -> None:
    """Its name stays taken for 90 days after it is deleted."""
    assert made("Microsoft.KeyVault/vaults", githubTokenSecret="github")
    assert not made("Microsoft.KeyVault/vaults")


def test_the_storage_can_be_less_redundant() -> None:
    """Not every region has redundancy over zones."""
    for sku in TEMPLATE["parameters"]["storageRedundancy"]["allowedValues"]:
        (account,) = made("Microsoft.Storage/storageAccounts", storageRedundancy=sku)
        assert account.document["sku"] == {"name": sku}


def test_alerts_miss_no_rejection() -> None:
    """They read traces, and the host samples none of these; the worker has threads for launches that wait."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    kept = sampling.get("excludedTypes", "").split(";")
    assert not sampling["isEnabled"] or {"Trace", "Exception", "Request"} <= set(kept)
    assert settings()["PYTHON_THREADPOOL_THREAD_COUNT"] == "32"


def test_the_monitor_pulls_its_image_with_its_own_identity() -> None:
    """The right to pull is there before the job, which has the environment of `emit`; no image, no job."""
    assert not [each for each in resources() if each.made and each.kind.startswith("Microsoft.App/")]
    (job,) = made("Microsoft.App/jobs", **EVERYTHING)
    (identity,) = job.document["identity"]["userAssignedIdentities"]
    configuration = job.document["properties"]["configuration"]
    assert configuration["registries"] == [{"server": "acme.azurecr.io", "identity": identity}]
    waited = {name.rpartition("/")[2].rpartition("monitor")[2] for name in job.waits}
    assert {"-rights", "-registry", "-storage"} <= waited
    (container,) = job.document["properties"]["template"]["containers"]
    given = {one["name"] for one in container["env"] if one["name"].startswith("RETRAIN_")}
    assert given == {"RETRAIN_CONFIG", "RETRAIN_ENVIRONMENT", "RETRAIN_BUS", "RETRAIN_LEDGER", "RETRAIN_SOURCE"}
    groups = {
        each.id.split("/")[4] for each in resources(**EVERYTHING) if each.within.endswith(("-registry", "-storage"))
    }
    assert groups == {"images", "data"}


def test_the_outputs_are_the_variables_of_the_functions() -> None:
    """`doctor` gets what the app has, so nothing has to be written down again, and `letters` one place more."""
    given = {name for name in settings() if name.startswith("RETRAIN_")} - {"RETRAIN_SCHEDULE"}
    assert set(outputs(**EVERYTHING)["variables"]) == given | {"RETRAIN_UNDELIVERED"}
