"""Checks the Azure ML workspaces, components and computes that the configuration names."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from functions.azure.launcher import API_VERSION
from functions.cli.doctor.azure.eventgrid import Get
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from functions.cli.doctor.parameters import Declared, compare
from shared.config.model import Configuration, Model
from shared.config.targets import AzureMlTarget

# Component schema of Azure ML, `inputs`; all other types are data.
_KINDS: Final[Mapping[str, str]] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}

Explain = Callable[[Exception], AbstractContextManager[None]]
"""Makes a context that translates the errors of a call, given the error for a missing resource."""


def azureml_checks(config: Configuration | None, get: Get, explain: Explain) -> list[Check]:
    """Return the checks of every model that trains on Azure Machine Learning.

    Args:
        config: the configuration.
        get: reads a resource of Azure Resource Manager.
        explain: see `Explain`.

    """
    models = [(model, model.targets.get("azure")) for model in (config.models if config else ())]
    azureml = [(model, target) for model, target in models if isinstance(target, AzureMlTarget)]
    workspaces = dict.fromkeys("/" + target.workspace.strip("/") for _, target in azureml)
    found = [_exists(f"workspace {each.rpartition('/')[2]}", each, get, explain) for each in workspaces]
    return found + [check for model, target in azureml for check in _of_model(model, target, get, explain)]


def _of_model(model: Model, target: AzureMlTarget, get: Get, explain: Explain) -> list[Check]:
    def component() -> None:
        _check_pipeline(_read(target.component, get, explain))

    def parameters() -> None:
        with explain(CheckSkippedError("not checked: the component does not exist")):
            declared = _inputs(get(_path(target.component), API_VERSION))
        compare(model, declared)

    found = [
        Check(name=f"component of {model.name}", about="the component exists and is a pipeline", run=component),
        Check(
            name=f"parameters of {model.name}",
            about="the component accepts the parameters that it will receive",
            run=parameters,
        ),
    ]
    if target.compute:
        compute = target.compute
        path = compute if compute.startswith("/") else f"/{target.workspace.strip('/')}/computes/{compute}"
        found.append(_exists(f"compute of {model.name}", path, get, explain))
    return found


def _exists(name: str, path: str, get: Get, explain: Explain) -> Check:
    def run() -> None:
        _read(path, get, explain)

    return Check(name=name, about="the resource exists", run=run)


def _read(path: str, get: Get, explain: Explain) -> Mapping[str, Any]:
    with explain(CheckFailedError(f"Azure ML has no {path}; create it, or correct the model's target.azure")):
        return get(_path(path), API_VERSION)


def _path(resource: str) -> str:
    if not resource.lower().lstrip("/").startswith("subscriptions/"):
        raise CheckSkippedError(f"not checked: {resource} is in a registry, which is not queried")
    return "/" + resource.strip("/")


def _check_pipeline(component: Mapping[str, Any]) -> None:
    kind = _specification(component).get("type")
    # Older components have a suffix: `PipelineComponent@1-legacy`.
    if kind and not str(kind).lower().startswith("pipeline"):
        raise CheckFailedError(
            f"the component has the type {kind}, and only a pipeline can be started; wrap it in a pipeline"
            " component, or correct the model's target.azure"
        )


def _specification(component: Mapping[str, Any]) -> Mapping[str, Any]:
    found = component.get("properties", {}).get("componentSpec")
    # Without a specification the inputs are unknown, which is not the same as none.
    return found if isinstance(found, Mapping) else {"inputs": None}


def _inputs(component: Mapping[str, Any]) -> dict[str, Declared]:
    inputs = _specification(component).get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise CheckSkippedError("not checked: Azure ML did not return the inputs of the component")
    return {name: _declared(each) for name, each in inputs.items()}


def _declared(entry: Mapping[str, Any]) -> Declared:
    kind = str(entry.get("type", "")).lower()
    optional = str(entry.get("optional", "")).lower() == "true" or entry.get("default") is not None
    return Declared(kind=_KINDS.get(kind, kind), optional=optional)
