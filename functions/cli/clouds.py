"""What the command line takes from a cloud, imported when it is asked for: each brings its own SDKs."""

import logging
import sys
from collections.abc import Mapping

from functions.cli.doctor.check import Check, Setting
from functions.github.token import ReadSecret, SecretStore
from shared.log import log_to
from shared.parts import EmitterParts


def emitter_of(cloud: str, variables: Mapping[str, str]) -> EmitterParts:
    """Return the parts for asking, made by the wiring of *cloud* from the environment.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    match cloud:
        case "aws":
            from functions.aws import wiring

            emitter = wiring.emitter()
        case "gcp":
            from functions.gcp import wiring as gcp_wiring

            emitter = gcp_wiring.emitter()
        case "azure":
            from functions.azure import wiring as azure_wiring

            emitter = azure_wiring.emitter()
        case _:
            from functions.local.wiring import local_cloud

            emitter = local_cloud(variables).emitter
    _quiet()
    return emitter


def checks_of(cloud: str, setting: Setting) -> list[Check]:
    """Return the checks that *cloud* brings."""
    match cloud:
        case "aws":
            from functions.cli.doctor.aws import checks as of_aws

            return of_aws.checks(setting)
        case "gcp":
            from functions.cli.doctor.gcp import checks as of_gcp

            return of_gcp.checks(setting)
        case "azure":
            from functions.cli.doctor.azure import checks as of_azure

            return of_azure.checks(setting)
    from functions.cli.doctor.local import checks as of_local

    return of_local.checks(setting)


def secret_stores_of(cloud: str, setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on *cloud*."""
    match cloud:
        case "aws":
            from functions.cli.doctor.aws import checks as of_aws

            return of_aws.secret_stores()
        case "gcp":
            from functions.cli.doctor.gcp import checks as of_gcp

            return of_gcp.secret_stores(setting)
        case "azure":
            from functions.cli.doctor.azure import checks as of_azure

            return of_azure.secret_stores(setting)
    return {}


def _quiet() -> None:
    """Keep standard output for answers: there a function's wiring sends its log."""
    log_to(sys.stderr)
    logger = logging.getLogger("retrain")
    logger.setLevel(logging.WARNING)
    for each in list(logger.filters):
        logger.removeFilter(each)
