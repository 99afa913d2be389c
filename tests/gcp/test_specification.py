"""A compiled pipeline never reuses old results, and is started only with parameters of its types."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.gcp.specification import (
    SpecificationError,
    checked_parameters,
    is_template,
    parse_specification,
    read_specification,
)
from shared.fields import Parameter
from tests.gcp.pipeline import SPECIFICATION, written

PARSED = parse_specification("churn.json", SPECIFICATION)


def tasks(content: Any) -> Iterator[Any]:
    """Return all tasks of a specification, at whatever depth."""
    for component in (content["root"], *content["components"].values()):
        yield from component.get("dag", {}).get("tasks", {}).values()


def test_no_task_takes_an_old_result() -> None:
    """Caching is disabled in every task, nested ones and those without a setting too; all else is unchanged."""
    assert [task["cachingOptions"] for task in tasks(PARSED.content)] == [{}] * 4
    expected = copy.deepcopy(SPECIFICATION)
    for task in tasks(expected):
        task["cachingOptions"] = {}
    assert PARSED.content == expected


def test_the_parsed_file_is_not_changed() -> None:
    """The result is a copy: the parsed file is unchanged."""
    before = json.dumps(SPECIFICATION)
    parse_specification("churn.json", SPECIFICATION)
    assert json.dumps(SPECIFICATION) == before


def test_a_job_around_the_specification_is_removed() -> None:
    """Files of older compilers are read, too; a pipeline needs no components and no parameters."""
    small = {"pipelineInfo": {"name": "x"}, "root": {"dag": {}}, "schemaVersion": "2.1.0"}
    wrapped = parse_specification("x.json", {"displayName": "x", "pipelineSpec": small, "runtimeConfig": {}})
    assert (wrapped.content, wrapped.parameters) == ({**small, "root": {"dag": {"tasks": {}}}}, {})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"epochs": 3}, {"epochs": 3}),
        ({"epochs": 3.0}, {"epochs": 3}),
        ({"epochs": "3"}, {"epochs": 3}),
        ({"epochs": ""}, {}),
        ({"epochs": 2**53}, {"epochs": 2**53}),
        ({"rate": 1}, {"rate": 1}),
        ({"rate": 0.5}, {"rate": 0.5}),
        ({"rate": "1e-3"}, {"rate": 0.001}),
        ({"full": True}, {"full": True}),
        ({"full": "true"}, {"full": True}),
        ({"until": "2026"}, {"until": "2026"}),
        ({"until": 2026}, {"until": "2026"}),
        ({"until": True}, {"until": "true"}),
        ({"until": 12.0}, {"until": "12"}),
        ({"epochs": 12.0}, {"epochs": 12}),
        ({"until": ""}, {}),
        ({"model_id": ""}, {"model_id": ""}),
        ({"days": "[1, 2]"}, {"days": [1, 2]}),
        ({"options": '{"a": 1}'}, {"options": {"a": 1}}),
    ],
)
def test_a_parameter_gets_the_type_of_the_pipeline(given: dict[str, Parameter], sent: dict[str, object]) -> None:
    """Numbers, booleans, lists and objects may be strings; for an empty one the pipeline's default counts."""
    values = checked_parameters(PARSED, {"model_id": "churn", **given})
    expected = {"model_id": "churn", **sent}
    assert values == expected
    assert {name: type(value) for name, value in values.items()} == {name: type(v) for name, v in expected.items()}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"epochs": 3.5}, "parameters.epochs: the pipeline wants an integer, not 3.5"),
        ({"epochs": True}, "parameters.epochs: the pipeline wants an integer, not True"),
        ({"epochs": "many"}, "parameters.epochs: the pipeline wants an integer, not 'many'"),
        ({"epochs": "1" * 5000}, "parameters.epochs: the pipeline wants an integer, not '1111"),
        ({"epochs": 2**53 + 1}, "parameters.epochs: Vertex AI keeps integers up to 2**53 exactly, not 900"),
        ({"rate": "NaN"}, "parameters.rate: the pipeline wants a number, not 'NaN'"),
        ({"rate": False}, "parameters.rate: the pipeline wants a number, not False"),
        ({"full": 1}, "parameters.full: the pipeline wants true or false, not 1"),
        ({"days": "{}"}, "parameters.days: the pipeline wants a list as JSON, not '{}'"),
        ({"days": "[" * 9999}, "parameters.days: the pipeline wants a list as JSON, not '[[["),
        ({"options": 5}, "parameters.options: the pipeline wants an object as JSON, not 5"),
        ({"status": "x"}, "parameters.status: the pipeline wants TASK_FINAL_STATUS, which a trigger cannot set"),
        ({"image": "x"}, "parameters.image: the pipeline has no such parameter; it has model_id, epochs, rate, full,"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_named(given: dict[str, Parameter], error: str) -> None:
    """The service would refuse it as well, but later and with another message."""
    with pytest.raises(SpecificationError) as raised:
        checked_parameters(PARSED, {"model_id": "churn", **given})
    assert str(raised.value).startswith(error)


def test_a_parameter_that_is_missing_is_named() -> None:
    """A pipeline without a default needs a value."""
    with pytest.raises(SpecificationError, match=r"^parameters.model_id: is missing; the pipeline has no default"):
        checked_parameters(PARSED, {})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "churn.json: is not valid JSON: "),
        ("a: 1\n", "churn.json: is not valid JSON: "),
        ("[" * 99_999, "churn.json: is not valid JSON: "),
        ([], "churn.json: is not a compiled pipeline: it lacks pipelineInfo or root"),
        ({}, "churn.json: is not a compiled pipeline: it lacks pipelineInfo or root"),
        ({"pipelineSpec": 5}, "churn.json: is not a compiled pipeline: it lacks pipelineInfo or root"),
        ({**SPECIFICATION, "schemaVersion": "2.0.0"}, "churn.json: has the schemaVersion 2.0.0; compile it with KFP 2"),
        ({**SPECIFICATION, "schemaVersion": None}, "churn.json: has the schemaVersion none; compile it with KFP 2"),
        ({**SPECIFICATION, "components": []}, "churn.json: is not a compiled pipeline: "),
        ({**SPECIFICATION, "root": {"dag": {"tasks": {"a": 5}}}}, "churn.json: is not a compiled pipeline: "),
    ],
)
def test_a_file_that_is_not_a_pipeline_is_an_error(tmp_path: Path, content: object, error: str) -> None:
    """The build reports it, before anything is deployed."""
    with pytest.raises(SpecificationError) as raised:
        read_specification(written(tmp_path, content, "churn.json"), "churn.json")
    assert str(raised.value).startswith(error)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A missing file, and a folder in its place."""
    with pytest.raises(SpecificationError, match=r"^churn.json: cannot be read: No such file or directory$"):
        read_specification(tmp_path, "churn.json")
    with pytest.raises(SpecificationError, match=r"^\.: cannot be read: Is a directory$"):
        read_specification(tmp_path, ".")


@pytest.mark.parametrize("pipeline", ["../churn.json", "/etc/passwd", "a/../../churn.json"])
def test_a_file_outside_of_the_configurations_folder_is_not_read(tmp_path: Path, pipeline: str) -> None:
    """No bundle has it, so that it must not work on the building machine either."""
    written(tmp_path, name="churn.json")
    (tmp_path / "inside").mkdir()
    with pytest.raises(SpecificationError, match="is outside the folder of the configuration"):
        read_specification(tmp_path / "inside", pipeline)


def test_an_address_is_not_a_file() -> None:
    """Vertex AI itself reads a template registry."""
    assert is_template("https://europe-west4-kfp.pkg.dev/acme/pipelines/churn/v1")
    assert not is_template("pipelines/churn.json")
    with pytest.raises(SpecificationError, match=r"^gs://acme/churn.json: is neither a file nor the https:// address"):
        read_specification(Path(), "gs://acme/churn.json")
