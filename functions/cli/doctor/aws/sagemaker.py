"""Checks a model's SageMaker pipeline and the parameters that the configuration sends to it."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from functions.aws.errors import translated
from functions.aws.launcher import pipeline_parameters
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from functions.cli.doctor.parameters import Declared, compare, filled
from shared.config.model import Model
from shared.errors import TargetRefusedError

# The definition of a pipeline (JSON schema of sagemaker.workflow), `Parameters`.
_KINDS: Final[Mapping[str, str]] = {"String": "text", "Integer": "integer", "Float": "number", "Boolean": "boolean"}


class PipelinesClient(Protocol):
    """The part of botocore's client of `sagemaker` that is used."""

    def describe_pipeline(self, **arguments: object) -> Mapping[str, Any]:
        """Describe a pipeline."""


class Pipeline:
    """The pipeline of a model.

    Args:
        client: makes the client of `sagemaker`, in the pipeline's region.
        model: the model.
        pipeline: name or ARN of the pipeline.
        explain: makes a context that translates the errors of a call, given the error for a missing pipeline.

    """

    def __init__(
        self,
        client: Callable[[], PipelinesClient],
        model: Model,
        pipeline: str,
        explain: Callable[[Exception], AbstractContextManager[None]],
    ) -> None:
        """Make no call yet."""
        self._client = client
        self._model = model
        self._pipeline = pipeline
        self._explain = explain

    def checks(self) -> list[Check]:
        """Return the checks of the pipeline."""
        name = self._model.name
        return [
            Check(name=f"pipeline of {name}", about=f"SageMaker has the pipeline {self._pipeline}", run=self._there),
            Check(
                name=f"parameters of {name}",
                about="the pipeline accepts the parameters that it will receive",
                run=self._parameters,
            ),
        ]

    def _there(self) -> None:
        place = f'models."{self._model.name}".target.aws.pipeline'
        missing = CheckFailedError(
            f"SageMaker has no pipeline {self._pipeline} in this account and region; create it, or correct {place}"
        )
        if self._describe(missing).get("PipelineStatus") == "Deleting":
            raise CheckFailedError(f"the pipeline {self._pipeline} is being deleted; correct {place}")

    def _parameters(self) -> None:
        missing = CheckSkippedError("not checked: the pipeline does not exist")
        definition = self._describe(missing).get("PipelineDefinition")
        try:
            parameters = json.loads(str(definition))["Parameters"] if definition else None
            declared = {each["Name"]: _declared(each) for each in parameters} if parameters is not None else None
        except (ValueError, KeyError, TypeError):
            declared = None
        if declared is None:
            raise CheckSkippedError("not checked: SageMaker did not return the parameters of the pipeline")
        compare(self._model, declared)
        try:
            pipeline_parameters(filled(self._model))
        except TargetRefusedError as error:
            raise CheckFailedError(str(error)) from error

    def _describe(self, missing: Exception) -> Mapping[str, Any]:
        with self._explain(missing), translated("SageMaker", f"describe the pipeline {self._pipeline}"):
            return self._client().describe_pipeline(PipelineName=self._pipeline)


def _declared(parameter: Mapping[str, Any]) -> Declared:
    kind = str(parameter.get("Type"))
    return Declared(kind=_KINDS.get(kind, kind), optional="DefaultValue" in parameter)
