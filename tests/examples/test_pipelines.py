"""The compiled pipeline of the example matches its source, and the bundle would launch it without caching."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from emulators.vertex.checks import check_body
from emulators.vertex.jobs import caching_options
from functions.gcp.specification import checked_parameters, read_specification

FOLDER = Path(__file__).parents[2] / "examples" / "pipelines"
KINDS = {"str": "STRING", "int": "NUMBER_INTEGER"}


def compiled() -> dict[str, Any]:
    """Return the compiled pipeline."""
    content: dict[str, Any] = json.loads((FOLDER / "demand.json").read_text(encoding="utf-8"))
    return content


def declared() -> dict[str, tuple[str, object]]:
    """Return kind and default of the pipeline's parameters, parsed from the source."""
    tree = ast.parse((FOLDER / "demand.py").read_text(encoding="utf-8"))
    (pipeline,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "demand"]
    arguments = zip(pipeline.args.args, pipeline.args.defaults, strict=True)
    return {
        argument.arg: (KINDS[ast.unparse(argument.annotation or argument)], ast.literal_eval(default))
        for argument, default in arguments
    }


def components() -> dict[str, str]:
    """Return the source of each component, which the compiler puts into the file."""
    text = (FOLDER / "demand.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: str(ast.get_source_segment(text, node)) for node in functions if node.name != "demand"}


def test_the_parameters_are_those_of_the_source() -> None:
    """Names, kinds and defaults in the compiled file are those that the source declares."""
    parameters = compiled()["root"]["inputDefinitions"]["parameters"]
    found = {name: (each["parameterType"], each["defaultValue"]) for name, each in parameters.items()}
    assert found == declared()


def test_the_steps_are_those_of_the_source() -> None:
    """Each step of the compiled file runs the function in the source, so a change must be compiled."""
    executors = compiled()["deploymentSpec"]["executors"]
    for name, source in components().items():
        command = executors[f"exec-{name}"]["container"]["command"]
        assert source in command[-1]


def test_no_step_installs_anything() -> None:
    """A step starts without `pip install`, with the packages in its image."""
    assert "pip install" not in (FOLDER / "demand.json").read_text(encoding="utf-8")


def test_compiled_it_would_reuse_steps_and_launched_it_does_not() -> None:
    """The compiler switches caching on in every task, and the launcher switches it off in every task."""
    assert {bool(options.get("enableCache")) for options in caching_options(compiled())} == {True}
    specification = read_specification(FOLDER, "demand.json")
    options = list(caching_options(dict(specification.content)))
    assert len(options) == len(list(caching_options(compiled()))) == 2
    assert not any(each.get("enableCache") for each in options)


@pytest.mark.parametrize("parameters", [{}, {"until": "2012-06-01", "max_iter": 300, "trigger_id": "t-1"}])
def test_vertex_accepts_it(parameters: dict[str, Any]) -> None:
    """With its defaults and with a trigger's parameters it passes the checks of the stand-in for Vertex AI."""
    specification = read_specification(FOLDER, "demand.json")
    runtime = {
        "gcsOutputDirectory": "gs://acme-pipelines",
        "parameterValues": checked_parameters(specification, parameters),
    }
    assert check_body({"pipelineSpec": dict(specification.content), "runtimeConfig": runtime}, {})
