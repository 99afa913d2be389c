"""Connects a command to the cloud that it names; the cloud's SDKs are imported only then."""

import logging
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from functions.cli.command import Context, UsageError
from shared.log import log_to
from shared.parts import EmitterParts

if TYPE_CHECKING:
    from functions.cli.doctor.check import Check, Setting
    from functions.github.token import ReadSecret, SecretStore

_LOCAL: Final = "local"
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
    variables = {**context.variables, "RETRAIN_CONFIG": str(context.config_file)}
    if cloud == _LOCAL:
        from functions.local.wiring import local_cloud

        emitter = local_cloud(variables).emitter
    else:
        # The wirings of the clouds read the environment of the process.
        os.environ["RETRAIN_CONFIG"] = variables["RETRAIN_CONFIG"]
        made: EmitterParts = _import(f"functions.{cloud}.wiring", cloud).emitter()
        emitter = made
    _log_warnings_only()
    return emitter


def checks_of(cloud: str, setting: "Setting") -> "list[Check]":
    """Return the checks of `doctor` for *cloud*.

    Raises:
        UsageError: the packages for *cloud* are not installed.

    """
    checks: list[Check] = _import(f"functions.cli.doctor.{cloud}.checks", cloud).checks(setting)
    return checks


def secret_stores_of(cloud: str, setting: "Setting") -> "Mapping[SecretStore, ReadSecret]":
    """Return the secret stores of *cloud*; this machine has none."""
    if cloud == _LOCAL:
        return {}
    stores: Mapping[SecretStore, ReadSecret]
    stores = _import(f"functions.cli.doctor.{cloud}.checks", cloud).secret_stores(setting)
    return stores


def _import(module: str, cloud: str) -> Any:  # noqa: ANN401 - the clouds have the same functions, but no common type
    require_packages(cloud)
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
