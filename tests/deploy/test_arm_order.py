"""The ARM template makes things in an order that Azure accepts, for every choice of parameters."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pytest

from tests.deploy.arm import Resource, made, outputs, resources
from tests.deploy.expressions import GROUP

SYSTEM = "Microsoft.EventGrid/systemTopics"
ROLES = "Microsoft.Authorization/roleAssignments"
ALERTS = "Microsoft.Insights/metricAlerts"
WRITER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
ELSEWHERE = "/subscriptions/s-1/resourceGroups/ml/providers/Microsoft.EventGrid/systemTopics"
WORKSPACES, BLOBS = f"{ELSEWHERE}/workspace-topic", f"{ELSEWHERE}/blobs-topic"
GIVEN = {WORKSPACES, BLOBS}

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "subscribe": (False, True),
    "workspaceTopic": ("", WORKSPACES),
    "signalStorageAccount": ("", "data"),
    "signalStorageTopic": ("", BLOBS),
    "githubTokenSecret": ("", "github"),
    "alertGroup": ("", "/group"),
    "workspaceName": ("acme", ""),
}
WAYS = [dict(zip(CHOICES, way, strict=True)) for way in product(*CHOICES.values())]


def is_usual(way: Mapping[str, Any]) -> bool:
    """Return whether at most one choice differs from the first values of all, or from the second values of all."""
    firsts = [way[name] == values[0] for name, values in CHOICES.items()].count(True)
    return min(firsts, len(CHOICES) - firsts) <= 1


# All combinations are deep tests.
ways = pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=() if is_usual(way) else pytest.mark.deep) for way in WAYS],
    ids=lambda way: ",".join(name for name, value in way.items() if value),
)
ALL = {name: values[1] for name, values in CHOICES.items() if not name.endswith("Topic") and name != "workspaceName"}


def subscriptions(found: Iterable[Resource]) -> list[Resource]:
    """Return the subscriptions that are made."""
    return [each for each in found if each.made and each.kind.endswith("/eventSubscriptions")]


def before(resource: Resource, everything: Iterable[Resource]) -> set[str]:
    """Return the ids of all that is there before a resource; what is not made is not waited for."""
    by_id = {each.id: each for each in everything if each.made}
    found: set[str] = set()
    waiting = list(resource.waits & by_id.keys())
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(by_id[name].waits & by_id.keys())
    return found


@ways
def test_the_state_of_missing_resources_is_not_requested(way: dict[str, Any]) -> None:
    """Azure evaluates references even in what it does not make, and fails where their resource does not exist."""
    everything = resources(**way)
    there = {each.id for each in everything if each.made} | GIVEN
    assert outputs(**way)
    for each in everything:
        assert each.referred <= there, each.id


@ways
def test_resources_are_created_before_their_state_is_requested(way: dict[str, Any]) -> None:
    """A resource that refers to the state of another waits for it, and everything that is waited for is declared."""
    everything = resources(**way)
    for each in everything:
        assert each.waits <= {other.id for other in everything}, each.id
        if each.made:
            assert each.referred - GIVEN <= before(each, everything), each.id


@ways
def test_a_subscription_waits_for_the_right_to_write_dead_letters(way: dict[str, Any]) -> None:
    """Its topic, its function and the role of its topic on the container's account are there before it."""
    everything = resources(**way)
    (site,) = (each for each in everything if each.kind == "Microsoft.Web/sites")
    for each in subscriptions(everything):
        topic = each.id.partition("/eventSubscriptions/")[0]
        (role,) = (
            other
            for other in everything
            if other.made
            and other.kind == ROLES
            and other.document["properties"]["principalId"] == f"{topic}.identity.principalId"
        )
        letters = each.document["properties"]["deadLetterWithResourceIdentity"]["deadLetterDestination"]
        assert role.id.startswith(f"{letters['properties']['resourceId']}/providers/{ROLES}/")
        assert role.document["properties"]["roleDefinitionId"].endswith(WRITER)
        assert {role.within, site.id} | ({topic} - GIVEN) <= before(each, everything)


@ways
def test_roles_are_given_before_the_code_is_deployed(way: dict[str, Any]) -> None:
    """The first of the two runs makes everything but the subscriptions: a role takes minutes to be known everywhere."""
    first, second = (
        {each.id: each for each in resources(**{**way, "subscribe": subscribe}) if each.made}
        for subscribe in (False, True)
    )
    later = {second[name].kind.rpartition("/")[2] for name in second.keys() - first.keys()}
    assert "eventSubscriptions" in later
    assert later <= {"eventSubscriptions", "deployments"}
    assert not first.keys() - second.keys()


def test_nothing_is_subscribed_by_default() -> None:
    """Event Grid refuses a function that does not exist: the code is deployed between two runs of the template."""
    assert subscriptions(resources()) == []
    assert len(subscriptions(resources(**ALL))) == 3


def test_who_writes_dead_letters_has_an_identity() -> None:
    """The topic and each system topic that is made has one."""
    senders = [*made("Microsoft.EventGrid/topics", **ALL), *made(SYSTEM, **ALL)]
    assert len(senders) == 3
    assert all(sender.document["identity"] == {"type": "SystemAssigned"} for sender in senders)


def test_a_topic_that_a_source_has_already_is_used() -> None:
    """A source has one system topic only: where there is one, it is subscribed in its own group, under our name."""
    everything = resources(**ALL, workspaceTopic=WORKSPACES, signalStorageTopic=BLOBS)
    assert not [each for each in everything if each.kind == SYSTEM and each.made]
    (site,) = (each for each in everything if each.kind == "Microsoft.Web/sites")
    name = site.id.rpartition("/")[2]
    assert {each.id for each in subscriptions(everything)} >= {f"{topic}/eventSubscriptions/{name}" for topic in GIVEN}


def test_system_topics_are_where_their_sources_are() -> None:
    """Event Grid refuses a system topic in another region; the sources may be in other groups."""
    runs, blobs = made(
        SYSTEM,
        **ALL,
        workspaceResourceGroup="ml",
        workspaceLocation="francecentral",
        signalStorageResourceGroup="data",
        signalStorageLocation="swedencentral",
    )
    groups = GROUP.rpartition("/")[0]
    assert (runs.document["location"], blobs.document["location"]) == ("francecentral", "swedencentral")
    assert runs.document["properties"]["source"].startswith(f"{groups}/ml/")
    assert blobs.document["properties"]["source"].startswith(f"{groups}/data/")


@ways
def test_every_topic_that_is_subscribed_is_watched(way: dict[str, Any]) -> None:
    """Each topic has alerts on dead letters and dropped events, if there is an action group."""
    topics = {
        each.id.partition("/eventSubscriptions/")[0]
        for each in subscriptions(
            resources(
                **way,
            )
        )
    }
    watched: dict[str, set[str]] = {}
    for alert in made(ALERTS, **way):
        (scope,) = alert.document["properties"]["scopes"]
        (criterion,) = alert.document["properties"]["criteria"]["allOf"]
        assert f"/providers/{criterion['metricNamespace']}/" in scope
        watched.setdefault(scope, set()).add(criterion["metricName"])
    if not way["alertGroup"]:
        assert watched == {}
    else:
        assert topics <= watched.keys()
        assert all(names == {"DeadLetteredCount", "DroppedEventCount"} for names in watched.values())


def test_no_rejection_falls_between_two_windows() -> None:
    """Logs arrive minutes after their time, so each look reaches further back than the last one."""
    rules = [each.document["properties"] for each in made("Microsoft.Insights/scheduledQueryRules", **ALL)]
    windows = [(properties["evaluationFrequency"], properties["windowSize"]) for properties in rules]
    assert windows == [("PT5M", "PT15M"), ("PT5M", "PT15M"), ("PT15M", "PT30M")]


def test_the_alerts_of_trainings_can_be_switched_off() -> None:
    """Without them only rejected triggers are looked for."""
    without = made("Microsoft.Insights/scheduledQueryRules", **ALL | {"trainingAlerts": False})
    assert len(without) == 1


def test_the_workbook_shows_what_the_functions_log() -> None:
    """Its queries look for log events that exist, in the logs of this deployment."""
    (workbook,) = made("Microsoft.Insights/workbooks", **ALL)
    items = json.loads(workbook.document["properties"]["serializedData"])["items"]
    events = {re.findall(r"line.event == '([a-z_.]+)'", item["content"]["query"])[0] for item in items}
    assert events == {"retrain.decided", "retrain.ended", "retrain.schedules_evaluated", "retrain.queue_age"}
