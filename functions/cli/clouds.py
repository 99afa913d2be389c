"""Connects a command to the cloud that it names; the cloud's SDKs are imported only then."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from functions.cli.command import Context, UsageError
from shared.http.parts import EmitterParts
from shared.log import log_to

if TYPE_CHECKING:
    from shared.training.letters import Decode, LetterBox, StoredLetter
    from shared.training.redrive import Redriven
    from shared.trigger import RetrainTrigger

_LOCAL: Final = "local"
# Loggers that write warnings of many lines, such as every kind of credentials that was not found.
_LOUD: Final = ("azure", "google", "msal")
_NOWHERE: Final = logging.NullHandler()
# Modules of each extra.
_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": ("botocore", "aws_lambda_powertools"),
    "gcp": ("google.auth", "google.cloud.pubsub_v1"),
    "azure": ("azure.core", "azure.identity"),
}


def emitter_of(cloud: str, context: Context) -> EmitterParts:
    """Return the parts of *cloud* for emitting, made from the environment.

    Raises:
        ConfigError: the environment or the configuration is wrong.
        UsageError: the packages for *cloud* are not installed.

    """
    variables = _variables(cloud, context)
    if cloud == _LOCAL:
        from functions.local.wiring import local_cloud

        emitter = local_cloud(variables).emitter
    else:
        made: EmitterParts = module_of(f"functions.{cloud}.wiring", cloud).emitter()
        emitter = made
    _log_warnings_only()
    return emitter


def _variables(cloud: str, context: Context) -> dict[str, str]:
    """Return the variables with the configuration's path; the wirings of clouds read those of the process."""
    variables = {**context.variables, "RETRAIN_CONFIG": str(context.config_file)}
    if cloud != _LOCAL:
        os.environ["RETRAIN_CONFIG"] = variables["RETRAIN_CONFIG"]
    use_region(cloud, variables)
    return variables


def use_region(cloud: str, variables: Mapping[str, str]) -> None:
    """Let `AWS_REGION` count, which Lambda and many tools set; botocore itself reads AWS_DEFAULT_REGION only."""
    if cloud == "aws" and (region := variables.get("AWS_REGION")):
        os.environ["AWS_DEFAULT_REGION"] = os.environ.get("AWS_DEFAULT_REGION") or region


def module_of(module: str, cloud: str) -> Any:  # noqa: ANN401 - the clouds have the same functions, but no common type
    """Return *module* of *cloud*, imported now.

    Raises:
        UsageError: the packages for *cloud* are not installed.

    """
    require_packages(cloud)
    for library in _LOUD:
        # Their warnings would be among the answers on a terminal, and the error that follows says the same.
        logging.getLogger(library).addHandler(_NOWHERE)
    return import_module(module)


def require_packages(cloud: str) -> None:
    """Check that the packages for *cloud* are installed; most of them are imported only when they are used.

    Raises:
        UsageError: they are not.

    """
    missing = [name for name in _PACKAGES.get(cloud, ()) if not _is_installed(name)]
    if missing:
        raise UsageError(
            f"the packages for --cloud {cloud} are not installed ({missing[0]} is missing);"
            f" install them with: pip install 'retrain-trigger[{cloud}]'"
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False  # Its parent package is missing.


def _log_warnings_only() -> None:
    """Keep standard output for answers: the wiring of a function sends its log there."""
    log_to(sys.stderr)
    logger = logging.getLogger("retrain")
    logger.setLevel(logging.WARNING)
    for each in list(logger.filters):
        logger.removeFilter(each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The dead letters of a deployment.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`.
        context: the surroundings of the command.
        boxes: where the letters are.
        decode: the codec of the events in them.
        source: the prefix of the sources of trigger events.

    """

    cloud: str
    context: Context
    boxes: "Sequence[LetterBox]"
    decode: "Decode"
    source: str

    @property
    def rejected_only(self) -> bool:
        """Whether it is not known where the undelivered events are."""
        return not any("undelivered" in box.kinds for box in self.boxes)

    def model_of(self, letter: "StoredLetter") -> str:
        """Return the model that *letter* names; empty if it is not known."""
        from shared.training.letters import model_of

        return model_of(letter, self.decode, self.source)

    def redrive(self, wanted: "Sequence[str] | None") -> "Iterator[Redriven]":
        """Send letters again; see `shared.training.redrive`. With None for *wanted*, all.

        Raises:
            UnavailableError: the bus or a place of letters is unavailable.

        """
        from shared.training.letters import triggers_in
        from shared.training.redrive import redrive

        emitter = emitter_of(self.cloud, self.context)
        started = emitter.clock()

        def triggers_of(letter: "StoredLetter") -> "list[RetrainTrigger]":
            return triggers_in(letter, self.decode, self.source, emitter.config, self.cloud, started)

        for box in self.boxes:
            ids = None if wanted is None else [each for each in wanted if each.partition("/")[0] in box.kinds]
            if ids is None or ids:
                yield from redrive(box, ids, triggers_of, emitter.bus.publish, started=started)


def letters_of(cloud: str, context: Context) -> Letters:
    """Return the dead letters of the deployment on *cloud* that the environment names.

    Raises:
        ConfigError: the environment or the configuration is wrong.
        UsageError: the packages for *cloud* are not installed, or no place of dead letters is named.

    """
    from shared.config.environment import SOURCE

    variables = _variables(cloud, context)
    module = module_of(f"functions.{cloud}.letters", cloud)
    boxes: Sequence[LetterBox] = module.boxes(variables)
    if not boxes:
        raise UsageError("RETRAIN_DEAD_LETTERS and RETRAIN_UNDELIVERED are not set; name the deployment with --env")
    source = variables.get("RETRAIN_SOURCE") or SOURCE
    return Letters(cloud=cloud, context=context, boxes=boxes, decode=module.decode, source=source)
