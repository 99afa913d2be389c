"""Builds the monitor once: finds the cloud that it runs on, and takes that cloud's own parts."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from functions.monitor.data.storage import Storage
from functions.monitor.messages import People
from functions.monitor.run import Monitor
from functions.notify.wiring import channel_notifiers
from shared.errors import ConfigError
from shared.http.parts import EmitterParts
from shared.log import log_to
from shared.ports import Notifier

# Variables that a platform sets in a container: Lambda, Cloud Run jobs and services, Container Apps jobs and apps.
_SIGNS: Final = {
    "aws": ("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI_V4"),
    "gcp": ("CLOUD_RUN_JOB", "K_SERVICE"),
    "azure": ("CONTAINER_APP_JOB_NAME", "CONTAINER_APP_NAME", "WEBSITE_INSTANCE_ID"),
}


@cache
def monitor() -> Monitor:
    """Return the parts.

    Raises:
        ConfigError: the environment or the configuration is wrong.

    """
    cloud = cloud_of(os.environ)
    emitter = _EMITTERS[cloud]()
    config = emitter.config
    sns: Callable[[str], Notifier] | None = _sns() if cloud == "aws" else None
    notifier = channel_notifiers(config.channel_places(), sns=sns)
    people = People(channels=lambda model_id: config.notify_of(config.find(model_id)).channels, notifier=notifier)
    return Monitor(emitter=emitter, people=people, storage=storage(emitter.config.folder, os.environ))


def cloud_of(variables: Mapping[str, str]) -> str:
    """Return the cloud: `RETRAIN_CLOUD`, else the platform that set one of its *variables*, else `local`.

    Raises:
        ConfigError: `RETRAIN_CLOUD` is not the name of a cloud.

    """
    named = variables.get("RETRAIN_CLOUD")
    if named and named not in _EMITTERS:
        raise ConfigError("environment", [f"RETRAIN_CLOUD: must be one of {', '.join(_EMITTERS)}, not {named!r}"])
    found = (cloud for cloud, signs in _SIGNS.items() if any(variables.get(sign) for sign in signs))
    return named or next(found, "local")


def storage(folder: Path, variables: Mapping[str, str]) -> Storage:
    """Return a storage with the permissions of this machine; relative paths begin at *folder*.

    Without a setting, Google's driver looks for a token on the disk, and finally connects without credentials.
    """
    emulated = variables.get("STORAGE_EMULATOR_HOST")
    return Storage(folder, {"gs": {"token": "anon" if emulated else "google_default"}})


def _aws() -> EmitterParts:
    from functions.aws.wiring import emitter

    return emitter()


def _gcp() -> EmitterParts:
    from functions.gcp.wiring import emitter

    return emitter()


def _azure() -> EmitterParts:
    from functions.azure.wiring import emitter

    return emitter()


def _local() -> EmitterParts:
    from functions.local.wiring import local_cloud

    log_to(sys.stderr)
    return local_cloud(os.environ).emitter


def _sns() -> Callable[[str], Notifier]:
    from functions.aws.clients import Clients, region_of
    from functions.aws.notifier import SnsNotifier

    clients = Clients()
    return lambda topic: SnsNotifier(clients.factory("sns", region_of(topic)), topic)


_EMITTERS: Final[Mapping[str, Callable[[], EmitterParts]]] = {
    "aws": _aws,
    "gcp": _gcp,
    "azure": _azure,
    "local": _local,
}
