"""Puts the monitor together: finds out on which cloud it runs and takes that cloud's own parts; made once."""

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
from shared.log import log_to
from shared.parts import EmitterParts
from shared.ports import Notifier

# What each platform sets in a container: Lambda, Cloud Run jobs and services, Container Apps jobs and apps.
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
    channels = emitter.config.channels
    sns: Callable[[str], Notifier] | None = _sns() if cloud == "aws" else None
    people = People(channels=channels, notifier=channel_notifiers(channels, sns=sns))
    return Monitor(emitter=emitter, people=people, storage=storage(emitter.config.folder, os.environ))


def cloud_of(variables: Mapping[str, str]) -> str:
    """Return the cloud: what `RETRAIN_CLOUD` says, else the platform that left its sign in *variables*, else `local`.

    Raises:
        ConfigError: `RETRAIN_CLOUD` names none.

    """
    named = variables.get("RETRAIN_CLOUD")
    if named and named not in _EMITTERS:
        raise ConfigError("environment", [f"RETRAIN_CLOUD: must be one of {', '.join(_EMITTERS)}, not {named!r}"])
    found = (cloud for cloud, signs in _SIGNS.items() if any(variables.get(sign) for sign in signs))
    return named or next(found, "local")


def storage(folder: Path, variables: Mapping[str, str]) -> Storage:
    """Return the storage of this machine's rights; relative paths begin at *folder*.

    Left to itself, the driver of Google looks for a token that somebody left on the disk, and at last goes without.
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
