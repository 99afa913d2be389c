"""Reads the ARM template as Resource Manager does: the resources, what each waits for, and what each refers to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.deploy.expressions import Scope, evaluate, identifier
from tests.deploy.template import ROOT

FOLDER: Final = ROOT / "deploy" / "azure"
TEMPLATE: Final[dict[str, Any]] = json.loads((FOLDER / "azuredeploy.json").read_text(encoding="utf-8"))
NESTED: Final = "Microsoft.Resources/deployments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of a template for which all parameters are known.

    Attributes:
        id: its resource id.
        kind: its type.
        made: whether its condition holds.
        document: all that the template says of it, evaluated.
        waits: the ids of the resources that must be there before, as it is written.
        referred: the ids of the resources whose state its expressions refer to, created or not.
        within: the id of the nested deployment that makes it; empty: the template itself.

    """

    id: str
    kind: str
    made: bool
    document: Mapping[str, Any]
    waits: frozenset[str]
    referred: frozenset[str]
    within: str = ""


def defaults() -> dict[str, Any]:
    """Return the parameters that a template has by default, with those that it must be given."""
    given: dict[str, Any] = {"environment": "dev", "workspaceName": "acme"}
    for name, declared in TEMPLATE["parameters"].items():
        scope = Scope(parameters=given, variables={})
        given.setdefault(name, evaluate(declared.get("defaultValue"), scope))
    return given


def resources(**parameters: Any) -> list[Resource]:
    """Return the resources of the template, those of nested deployments too.

    Args:
        parameters: what the parameters are, where it is not the default.

    """
    given = {**defaults(), **parameters}
    assert set(given) == set(TEMPLATE["parameters"])
    return list(_resources(TEMPLATE["resources"], Scope(parameters=given, variables=TEMPLATE["variables"])))


def made(kind: str, **parameters: Any) -> list[Resource]:
    """Return the resources of one type whose condition holds."""
    return [each for each in resources(**parameters) if each.kind == kind and each.made]


def outputs(**parameters: Any) -> dict[str, Any]:
    """Return the outputs of the template."""
    scope = Scope(parameters={**defaults(), **parameters}, variables=TEMPLATE["variables"])
    return {name: evaluate(each["value"], scope) for name, each in TEMPLATE["outputs"].items()}


def _resources(declared: list[Mapping[str, Any]], scope: Scope) -> Iterator[Resource]:
    for each in declared:
        count = evaluate(each["copy"]["count"], scope) if "copy" in each else 1
        for index in range(count):
            resource = _resource(each, replace(scope, index=index, referred=set()))
            yield resource
            if resource.kind == NESTED:
                yield from _nested(each, resource)


def _resource(declared: Mapping[str, Any], scope: Scope) -> Resource:
    properties = dict(declared.get("properties", {}))
    if declared["type"] == NESTED:
        properties.pop("template")  # Its expressions mean something else.
    document = evaluate({**declared, "properties": properties}, scope)
    # The id of an extension begins with that of its resource; a nested deployment may be in another group.
    where = f"{scope.group}/providers/{document['scope']}" if "scope" in document else _group(document, scope)
    return Resource(
        id=identifier(where, document["type"], *document["name"].split("/")),
        kind=document["type"],
        made=document.get("condition", True),
        document=document,
        waits=frozenset(document.get("dependsOn", ())),
        referred=frozenset(scope.referred),
    )


def _group(document: Mapping[str, Any], scope: Scope) -> str:
    name = document.get("resourceGroup", scope.group.rpartition("/")[2])
    return f"{scope.group.rpartition('/')[0]}/{name}"


def _nested(declared: Mapping[str, Any], outer: Resource) -> Iterator[Resource]:
    """Yield the resources of a nested deployment, which wait for what it waits for."""
    template = declared["properties"]["template"]
    assert declared["properties"]["expressionEvaluationOptions"] == {"scope": "inner"}
    given = {name: each["value"] for name, each in outer.document["properties"]["parameters"].items()}
    assert set(given) == set(template["parameters"])
    scope = Scope(parameters=given, variables={}, group=outer.id.partition("/providers/")[0])
    for each in _resources(template["resources"], scope):
        yield replace(each, made=outer.made and each.made, waits=each.waits | outer.waits, within=outer.id)
