"""The checks of Vertex AI on a request for a pipeline job, before anything is created.

The rules are those of the REST reference of `projects.locations.pipelineJobs` and of KFP's pipeline_spec.proto; the
messages are the stand-in's own.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from emulators.vertex.errors import ApiError

Json = dict[str, Any]

# google-cloud-aiplatform, pipeline_jobs.py, _VALID_NAME_PATTERN.
_JOB_ID: Final = re.compile(r"[a-z][-a-z0-9]{0,127}")
_LABEL: Final = re.compile(r"[\w-]{0,63}")
_LONGEST_NAME: Final = 128
_FIELDS: Final = frozenset(
    {
        "name", "displayName", "pipelineSpec", "labels", "runtimeConfig", "encryptionSpec", "serviceAccount", "network",
        "reservedIpRanges", "pscInterfaceConfig", "templateUri", "scheduleName", "preflightValidations",
    }
)  # fmt: skip
_RUNTIME_FIELDS: Final = frozenset(
    {"parameters", "gcsOutputDirectory", "parameterValues", "failurePolicy", "inputArtifacts", "defaultRuntime"}
)
_SPEC_FIELDS: Final = frozenset({"components", "deploymentSpec", "pipelineInfo", "root", "schemaVersion"})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# JSON numbers become doubles in a Struct: every whole number is an integer, whether written 5 or 5.0.
_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "STRING": lambda value: isinstance(value, str),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "NUMBER_INTEGER": lambda value: _is_number(value) and float(value).is_integer(),  # type: ignore[arg-type]
    "NUMBER_DOUBLE": _is_number,
    "LIST": lambda value: isinstance(value, list),
    "STRUCT": lambda value: isinstance(value, dict),
}


def check_id(job_id: str) -> None:
    """Check the id that a caller chose.

    Raises:
        ApiError: the id is not valid; 400.

    """
    if not _JOB_ID.fullmatch(job_id):
        raise ApiError(400, f"pipeline_job_id: {job_id!r} does not match {_JOB_ID.pattern}")


def check_body(body: object, templates: Mapping[str, Json]) -> Json:
    """Check a job as it was sent, and return its specification, or that of its template if it names one.

    Raises:
        ApiError: the job is not valid; 400. Its template does not exist; 404.

    """
    if not isinstance(body, dict):
        raise ApiError(400, "Invalid JSON payload received.")
    _known(body, _FIELDS, "pipeline_job")
    if len(body.get("displayName", "")) > _LONGEST_NAME:
        raise ApiError(400, f"display_name must be at most {_LONGEST_NAME} characters long")
    for name, value in body.get("labels", {}).items():
        if not _LABEL.fullmatch(name) or not _LABEL.fullmatch(value) or f"{name}{value}".lower() != f"{name}{value}":
            raise ApiError(400, f"The label {name!r}: {value!r} is invalid.")
    spec = _specification(body, templates)
    runtime = body.get("runtimeConfig", {})
    _known(runtime, _RUNTIME_FIELDS, "pipeline_job.runtime_config")
    output = urlsplit(str(runtime.get("gcsOutputDirectory", "")))
    if output.scheme != "gs" or not output.netloc:
        raise ApiError(400, "gcs_output_directory must be a Cloud Storage path such as gs://bucket/folder")
    _check_parameters(spec, runtime)
    return spec


def _specification(body: Json, templates: Mapping[str, Json]) -> Json:
    uri = body.get("templateUri")
    if uri and body.get("pipelineSpec"):
        raise ApiError(400, "Only one of pipeline_spec and template_uri may be set.")
    if uri:
        if uri not in templates:
            raise ApiError(404, f"The template {uri} does not exist.")
        return templates[uri]
    spec = body.get("pipelineSpec")
    if not isinstance(spec, dict) or not spec:
        raise ApiError(400, "Required field is not set: one of pipeline_spec and template_uri.")
    absent = sorted(_SPEC_FIELDS - spec.keys())
    if absent:
        raise ApiError(400, f"pipeline_spec lacks {', '.join(absent)}")
    if not spec["pipelineInfo"].get("name"):
        raise ApiError(400, "pipeline_spec.pipeline_info.name is not set")
    return spec


def _check_parameters(spec: Json, runtime: Json) -> None:
    if runtime.get("parameters"):
        raise ApiError(400, "runtime_config.parameters is for specifications older than 2.1.0; use parameter_values")
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    values = runtime.get("parameterValues", {})
    unknown = sorted(values.keys() - declared.keys())
    if unknown:
        raise ApiError(400, f"The pipeline parameters {', '.join(unknown)} are not found in the pipeline job input.")
    for name, definition in declared.items():
        if name in values:
            kind = definition.get("parameterType", "")
            if not _TYPES[kind](values[name]):
                raise ApiError(400, f"The value of the parameter {name} is not a {kind}: {values[name]!r}")
        elif "defaultValue" not in definition and not definition.get("isOptional"):
            raise ApiError(400, f"The parameter {name} has neither a value nor a default.")


def _known(given: object, names: frozenset[str], place: str) -> None:
    if not isinstance(given, dict):
        raise ApiError(400, f"Invalid value at '{place}'")
    for name in given:
        if name not in names:
            raise ApiError(
                400, f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
            )
