"""Parameters of an execution fit the limits of SageMaker, or are refused by name."""

import dataclasses
import json
from typing import Any

import pytest

from emulators.sagemaker import Pipeline, SageMakerStandIn
from functions.aws.launcher import SageMakerLauncher, pipeline_parameters, provenance
from shared.errors import TargetRefusedError
from tests.aws.adapters import launcher_of
from tests.contracts.adapters import TRIGGER, request


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"with space": 1}, "parameters.with space: SageMaker takes names of 1 to 256 letters, digits, - and _"),
        ({"": 1}, "parameters.: SageMaker takes names of"),
        ({"n" * 257: 1}, "parameters.nnn"),
        ({"name\n": 1}, "parameters.name"),
        ({"name": "x" * 1025}, "parameters.name: SageMaker takes values of at most 1024 characters, not 1025"),
        ({f"p{number}": number for number in range(201)}, "parameters: SageMaker takes at most 200, not 201"),
    ],
)
def test_illegal_parameters_are_refused_without_a_call(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn, parameters: dict[str, Any], problem: str
) -> None:
    """The limits of the service model are checked here, where the parameter can be named."""
    with pytest.raises(TargetRefusedError) as raised:
        launcher.start(request(parameters=parameters), again=False)
    assert str(raised.value).startswith(problem)
    assert not pipelines.all_calls()


def test_the_largest_parameters_are_taken(environment: pytest.MonkeyPatch) -> None:
    """Parameters exactly at the limits pass the service's own checks."""
    names = [f"{number:03}-_{'n' * 251}" for number in range(200)]
    with SageMakerStandIn(pipelines={"full": Pipeline(parameters=names)}) as full:
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", full.url)
        launcher_of("full").start(request(parameters=dict.fromkeys(names, "x" * 1024)), again=False)
        assert full.executions()[0].parameters == dict.fromkeys(names, "x" * 1024)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (8, "8"),
        (-1, "-1"),
        (0.1, "0.1"),
        (1e-07, "1e-07"),
        (2.0, "2"),
        ("True", "True"),
    ],
)
def test_every_value_is_a_text(value: Any, text: str) -> None:
    """Flags are written as in JSON; texts stay as they are."""
    assert pipeline_parameters({"name": value}) == [{"Name": "name", "Value": text}]


@pytest.mark.parametrize("character", ["x", '"', "é", "\U0001f4c9", "\x01"])
def test_a_description_never_breaks(launcher: SageMakerLauncher, pipelines: SageMakerStandIn, character: str) -> None:
    """However long the texts, the description is JSON that SageMaker takes; the reason gives way first."""
    longest = dataclasses.replace(
        TRIGGER, reason=character * 512, requested_by=character * 512, trigger_id=character * 128
    )
    description = provenance(longest)
    fields = json.loads(description)
    assert len(description) <= 3072
    assert fields["trigger_id"] == longest.trigger_id
    assert fields["model_id"] == "churn"
    assert longest.reason.startswith(fields.get("reason", ""))
    launcher.start(dataclasses.replace(request(), trigger=longest), again=False)
    assert pipelines.executions()[0].description == description


def test_even_ids_are_cut_rather_than_breaking_the_description() -> None:
    """Ids of the longest kind leave no room for both; what is left is JSON, with the request's time and origin."""
    longest = dataclasses.replace(TRIGGER, trigger_id="\U0001f4c9" * 128, model_id="\U0001f4c9" * 256)
    fields = json.loads(provenance(longest))
    assert 3000 < len(provenance(longest)) <= 3072
    assert fields["trigger_id"] == longest.trigger_id
    assert longest.model_id.startswith(fields["model_id"])
    assert fields["origin"] == "drift"


def test_what_the_pipeline_does_not_take_is_refused(launcher: SageMakerLauncher) -> None:
    """A parameter that the pipeline does not declare is named by the service, and its value is shown nowhere."""
    with pytest.raises(TargetRefusedError, match=r"ValidationException: Unknown parameters: \[depth\]") as raised:
        launcher.start(request(parameters={"depth": "hunter2"}), again=False)
    assert "hunter2" not in str(raised.value)
