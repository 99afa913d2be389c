"""On an empty project the Terraform files make first what the rest needs: services, accounts, rights."""

import re

import pytest

from tests.deploy.terraform import Block, blocks, local_values, of_kind, references, texts

# By the first letters of a type.
SERVICES = {
    "google_cloud_run_": "run",
    "google_cloud_scheduler_": "cloudscheduler",
    "google_cloudfunctions2_": "cloudfunctions",
    "google_firestore_": "firestore",
    "google_logging_": "logging",
    "google_monitoring_": "monitoring",
    "google_project_iam_custom_role": "iam",
    "google_pubsub_": "pubsub",
    "google_secret_manager_": "secretmanager",
    "google_service_account": "iam",
    "google_storage_": "storage",
}
# Without them Terraform itself can do nothing: they are switched on by hand.
BY_HAND = {"google_project", "google_project_iam_member", "google_project_service"}
# The services that build the functions and keep their images, and the one that trains.
BEHIND = {"artifactregistry", "cloudbuild", "aiplatform"}


def resources() -> list[Block]:
    """Return everything that is made, without what is only read."""
    return [block for block in blocks() if block.section == "resource"]


@pytest.fixture(scope="module")
def order() -> dict[str, set[str]]:
    """Return all that must be there before a resource is made, by its address."""
    direct = references()

    def before(address: str, seen: set[str]) -> set[str]:
        for needed in direct[address] - seen:
            seen.add(needed)
            before(needed, seen)
        return seen

    return {address: before(address, set()) for address in direct}


def test_nothing_waits_for_itself(order: dict[str, set[str]]) -> None:
    """There is an order in which all of it can be made."""
    assert [address for address, needed in order.items() if address in needed] == []


def test_services_are_switched_on_first(order: dict[str, set[str]]) -> None:
    """Whatever is made waits for them, directly or by way of something else."""
    waiting = {block.address for block in resources()} - {"google_project_service.used"}
    assert [address for address in waiting if "google_project_service.used" not in order[address]] == []


def test_the_services_are_those_that_are_used() -> None:
    """Each type of resource has its service among them, and none is switched on for nothing."""
    kinds = {block.kind for block in blocks()} - BY_HAND
    used = {next(service for start, service in SERVICES.items() if kind.startswith(start)) for kind in kinds}
    assert set(re.findall(r'"(\w+)"', local_values()["services"])) == used | BEHIND
    (switched,) = of_kind("google_project_service").values()
    assert switched["disable_on_destroy"] is False


@pytest.mark.parametrize("entry", ["emit", "receive"])
def test_a_function_is_built_by_an_account_that_may(entry: str, order: dict[str, set[str]]) -> None:
    """The default account has no rights in a new organisation; that of the build has its rights before it builds."""
    (build,) = of_kind("google_cloudfunctions2_function")[entry]["build_config"]
    assert build["service_account"] == "${google_service_account.build.id}"
    assert "google_project_iam_member.build" in order[f"google_cloudfunctions2_function.{entry}"]
    # "Custom service account for Cloud Build", the roles of a build from source.
    roles = of_kind("google_project_iam_member")["build"]["for_each"]
    assert re.findall(r'"(.+?)"', roles) == ["artifactregistry.writer", "logging.logWriter", "storage.objectViewer"]


def test_nothing_is_delivered_before_the_receiver_may_act(order: dict[str, set[str]]) -> None:
    """An event that comes before a right is there would be refused, and might be given up."""
    grants = {
        block.address
        for block in resources()
        if block.kind.endswith("_iam_member")
        and "google_service_account.receive.member" in "".join(texts(block.content))
    }
    assert len(grants) == 5
    delivers = {"google_cloud_run_service_iam_member.push", "google_service_account_iam_member.push_token"}
    gives_up = {"google_pubsub_topic_iam_member.dead_lettering"}
    assert grants | delivers | gives_up <= order["google_pubsub_subscription.receive"]


def test_nothing_is_granted_to_pubsub_before_it_is_used(order: dict[str, set[str]]) -> None:
    """Its account comes into being with the first topic and the first subscription."""
    grants = [block.address for block in resources() if "local.pubsub_agent" in "".join(texts(block.content))]
    assert len(grants) == 3
    for address in grants:
        assert {"google_pubsub_topic.letters", "google_pubsub_subscription.letters"} <= order[address]
