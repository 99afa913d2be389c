"""Reads the compiled specification of a pipeline, disables its caching, and checks parameters against it."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Final

from shared.config.parameters import spelled
from shared.fields import Parameter, brief
from shared.frozen import dataclass

# IR of KFP 2, pipeline_spec.proto: ParameterType. Parameters of other types cannot be set by a trigger.
_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "NUMBER_INTEGER": ((int,), "an integer"),
    "NUMBER_DOUBLE": ((int, float), "a number"),
    "BOOLEAN": ((bool,), "true or false"),
    "STRING": ((str,), "a string"),
    "LIST": ((list,), "a list as JSON"),
    "STRUCT": ((dict,), "an object as JSON"),
}
# Parameters are sent as google.protobuf.Struct, which has doubles only.
LARGEST_INTEGER: Final = 2**53


class SpecificationError(Exception):
    """The file cannot be launched, or the parameters do not fit it; the text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A compiled pipeline.

    Attributes:
        content: the specification for `pipelineSpec`, with caching disabled in every task; never to be changed.
        parameters: the definitions of the pipeline's parameters by name.

    """

    content: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]


def is_template(pipeline: str) -> bool:
    """Whether *pipeline* is an address in a template registry, not a file of the bundle."""
    return pipeline.startswith("https://")


def read_specification(folder: Path, pipeline: str) -> Specification:
    """Read the file *pipeline*, a path relative to *folder*.

    Raises:
        SpecificationError: it is missing, is outside *folder*, or is not a compiled pipeline in JSON.

    """
    path = specification_path(folder, pipeline)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecificationError(f"{pipeline}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SpecificationError(
            f"{pipeline}: is not valid JSON: {brief(str(error), 120)}; compile the pipeline to a .json file"
        ) from error
    return parse_specification(pipeline, content)


def specification_path(folder: Path, pipeline: str) -> Path:
    """Return where the file *pipeline* is.

    Raises:
        SpecificationError: it is outside *folder*, so that no bundle has it, or is not a file.

    """
    if "://" in pipeline:
        # Vertex AI reads templates from registries, but not from Cloud Storage.
        raise SpecificationError(f"{pipeline}: is neither a file nor the https:// address of a template")
    root = folder.resolve()
    path = (root / pipeline).resolve()
    if not path.is_relative_to(root):
        raise SpecificationError(f"{pipeline}: is outside the folder of the configuration, {root}")
    return path


def parse_specification(pipeline: str, content: object) -> Specification:
    """Read a specification from JSON *content*; *pipeline* names it in errors.

    Raises:
        SpecificationError: it is not a compiled pipeline of KFP 2.

    """
    # Older compilers wrote a whole PipelineJob.
    inner = content.get("pipelineSpec", content) if isinstance(content, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("root"), Mapping) or "pipelineInfo" not in inner:
        raise SpecificationError(f"{pipeline}: is not a compiled pipeline: it lacks pipelineInfo or root")
    version = str(inner.get("schemaVersion") or "none")
    if not version.startswith("2.") or version.startswith("2.0"):
        raise SpecificationError(f"{pipeline}: has the schemaVersion {version}; compile it with KFP 2")
    try:
        defined = inner["root"].get("inputDefinitions", {}).get("parameters", {})
        parameters = {name: dict(definition) for name, definition in defined.items()}
        return Specification(content=without_caching(inner), parameters=parameters)
    except (AttributeError, TypeError, ValueError) as error:
        raise SpecificationError(f"{pipeline}: is not a compiled pipeline: {error}") from error


def without_caching(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a specification in which no task reuses the result of an earlier run.

    Vertex AI has no setting for it, and with caching a retraining with equal parameters would train nothing.
    """
    components = {name: _component_without(component) for name, component in content.get("components", {}).items()}
    copy = {**content, "root": _component_without(content["root"])}
    return {**copy, "components": components} if "components" in content else copy


def checked_parameters(specification: Specification, given: Mapping[str, Parameter]) -> dict[str, object]:
    """Return *given* in the types of the pipeline's parameters.

    For an empty string the default of the pipeline counts, where it has one.

    Raises:
        SpecificationError: names a parameter that is unknown, missing, or of another type.

    """
    known = specification.parameters
    for name in given:
        _check_known(specification, name)
    values = {
        name: checked_parameter(specification, name, value)
        for name, value in given.items()
        if value != "" or not _is_optional(known[name])
    }
    for name, definition in known.items():
        if name not in values and not _is_optional(definition):
            raise SpecificationError(f"parameters.{name}: is missing; the pipeline has no default for it")
    return values


def checked_parameter(specification: Specification, name: str, value: Parameter) -> object:
    """Return *value* in the type of the pipeline's parameter *name*.

    Raises:
        SpecificationError: the pipeline has no such parameter, or the value is of another type.

    """
    _check_known(specification, name)
    return _value(name, str(specification.parameters[name].get("parameterType", "")), value)


def _check_known(specification: Specification, name: str) -> None:
    known = specification.parameters
    if name not in known:
        raise SpecificationError(f"parameters.{name}: the pipeline has no such parameter; it has {_listed(known)}")


def _component_without(component: Mapping[str, Any]) -> dict[str, Any]:
    if "dag" not in component:
        return dict(component)
    dag = component["dag"]
    # An empty message means "off" in the IR: false is the default of enableCache.
    tasks = {name: {**task, "cachingOptions": {}} for name, task in dag.get("tasks", {}).items()}
    return {**component, "dag": {**dag, "tasks": tasks}}


def _is_optional(definition: Mapping[str, Any]) -> bool:
    return "defaultValue" in definition or definition.get("isOptional") is True


def _value(name: str, kind: str, value: Parameter) -> object:
    if kind not in _KINDS:
        raise SpecificationError(
            f"parameters.{name}: the pipeline wants {kind or 'an unknown type'}, which a trigger cannot set"
        )
    types, wanted = _KINDS[kind]
    read = spelled(value) if kind == "STRING" else _as_json(value)
    if kind == "NUMBER_INTEGER" and isinstance(read, float) and read.is_integer():
        read = int(read)
    # In Python a boolean is an integer, too.
    if not isinstance(read, types) or (isinstance(read, bool) and bool not in types):
        raise SpecificationError(f"parameters.{name}: the pipeline wants {wanted}, not {brief(value)}")
    if isinstance(read, int) and abs(read) > LARGEST_INTEGER:
        raise SpecificationError(f"parameters.{name}: Vertex AI keeps integers up to 2**53 exactly, not {read}")
    return read


def _as_json(value: Parameter) -> object:
    """Return the JSON value of a string: some senders of triggers have only strings, as ML cube Platform has."""
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    # Python reads NaN and Infinity, which are not JSON.
    return value if isinstance(read, float) and not isfinite(read) else read


def _listed(known: Mapping[str, object]) -> str:
    return ", ".join(known) or "none"
