"""Checks the parameters of a trigger against the specification of the pipeline, before anything is accepted."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.config.parameters import ParameterCheck
from shared.config.targets import Target, VertexTarget
from shared.errors import InvalidTriggerError
from shared.fields import Parameter

# The module of the specification is imported for the first trigger that sets a parameter: imports cost a cold start.
if TYPE_CHECKING:
    from functions.gcp.specification import Specification


def check_parameters(folder: Path) -> ParameterCheck:
    """Return the check of parameters that Vertex AI pipelines get.

    A pipeline in a template registry has no specification here, and one whose specification cannot be read is reported
    when it is launched.

    Args:
        folder: the folder to which the paths of the configuration are relative.

    """

    @cache
    def specification(pipeline: str) -> "Specification | None":
        from functions.gcp.specification import SpecificationError, read_specification

        try:
            return read_specification(folder, pipeline)
        except SpecificationError:
            return None

    def check(target: Target, parameters: Mapping[str, Parameter]) -> None:
        from functions.gcp.specification import SpecificationError, checked_parameter, is_template

        if not isinstance(target, VertexTarget) or is_template(target.pipeline):
            return
        known = specification(target.pipeline)
        if known is None:
            return
        for name, value in parameters.items():
            # For an empty text the default of the pipeline counts, as at the launch.
            if value == "":
                continue
            try:
                checked_parameter(known, name, value)
            except SpecificationError as error:
                place = f"parameters.{name}"
                raise InvalidTriggerError(place, str(error).removeprefix(f"{place}: ")) from error

    return check
