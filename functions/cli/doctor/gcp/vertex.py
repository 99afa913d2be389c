"""Checks the Vertex AI pipelines that the configuration names, and the locations where they run."""

from collections.abc import Callable, Collection
from typing import Final

from functions.cli.doctor.check import ANSWER, Check, CheckFailedError, CheckSkippedError, Setting, explained
from functions.cli.doctor.parameters import filled, sparse
from functions.gcp.errors import translated
from functions.gcp.sessions import Sessions
from functions.gcp.specification import (
    Specification,
    SpecificationError,
    checked_parameters,
    is_template,
    read_specification,
)
from shared.config.model import Configuration, Model
from shared.config.targets import VertexTarget
from shared.errors import UnavailableError

# Raised by `socket` for an unknown host name: each location has its own host.
_UNKNOWN_HOST: Final = "gaierror"


class VertexChecks:
    """The checks of Vertex AI.

    Args:
        setting: the environment and the configuration.
        sessions: makes the session that calls Vertex AI.
        codes_of: returns the service's codes behind an error.

    """

    def __init__(
        self, setting: Setting, sessions: Sessions, codes_of: Callable[[UnavailableError], Collection[str]]
    ) -> None:
        """Make no call yet."""
        self._endpoint = setting.variables.get("RETRAIN_VERTEX_ENDPOINT", "").rstrip("/")
        self._session = sessions.at(self._endpoint)
        setting.opened.callback(self._session.close)
        self._config = setting.config
        self._codes_of = codes_of

    def checks(self) -> list[Check]:
        """Return a check for each location, and two for each model."""
        if self._config is None:
            return []
        targets = {model.name: (model, model.targets.get("gcp")) for model in self._config.models}
        vertex = [(model, target) for model, target in targets.values() if isinstance(target, VertexTarget)]
        locations = dict.fromkeys((target.project, target.location) for _, target in vertex)
        found = [self._location(project, location) for project, location in locations]
        return found + [check for model, target in vertex for check in _pipeline(self._config, model, target)]

    def _location(self, project: str, location: str) -> Check:
        def run() -> None:
            base = self._endpoint or f"https://{location}-aiplatform.googleapis.com"
            parent = f"projects/{project}/locations/{location}"
            denied = (
                f"these credentials may not list the jobs in {parent} ({ANSWER}); enable Vertex AI, or grant access"
            )
            meanings: dict[str, Exception] = {
                "NOT_FOUND": CheckFailedError(f"Vertex AI has no {parent}; correct the target's project or location"),
                "PERMISSION_DENIED": CheckFailedError(denied),
                _UNKNOWN_HOST: CheckFailedError(f"there is no Vertex AI in {location}; correct the target's location"),
                "CredentialsError": CheckSkippedError("not checked: there are no usable credentials for Google"),
            }
            with explained(self._codes_of, meanings), translated("Vertex AI", f"list the jobs in {parent}"):
                self._session.get(f"{base}/v1/{parent}/pipelineJobs", {"pageSize": "1"})

        about = "Vertex AI lists its jobs; the permission to start one is not checked"
        return Check(name=f"Vertex AI in {project}, {location}", about=about, run=run)


def _pipeline(config: Configuration, model: Model, target: VertexTarget) -> list[Check]:
    def read() -> Specification:
        if is_template(target.pipeline):
            raise CheckSkippedError("not checked: the specification is in a template registry, which is not queried")
        try:
            return read_specification(config.folder, target.pipeline)
        except SpecificationError as error:
            raise CheckFailedError(f'{error}; compile it, or correct models."{model.name}".target.gcp') from error

    def parameters() -> None:
        try:
            specification = read()
        except CheckFailedError as error:
            raise CheckSkippedError("not checked: the specification cannot be read") from error
        try:
            # A trigger with only the required fields leaves parameters that are filled from other fields empty.
            for given in (filled(model), sparse(model)):
                checked_parameters(specification, given)
        except SpecificationError as error:
            raise CheckFailedError(f'models."{model.name}".{error}') from error

    return [
        Check(name=f"pipeline of {model.name}", about=f"{target.pipeline} is a compiled pipeline", run=read),
        Check(
            name=f"parameters of {model.name}",
            about="the specification accepts the parameters that it will receive",
            run=parameters,
        ),
    ]
