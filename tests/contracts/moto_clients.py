"""Clients of a moto server, for tests of what is used on AWS outside of its own folder."""

import pytest

from emulators.moto_server import CREDENTIALS
from functions.aws.clients import CallLimits, Clients


def clients_of(moto: str, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Return clients whose calls go to *moto* and are tried once."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto}.items():
        monkeypatch.setenv(name, value)
    return Clients(limits=CallLimits(read_timeout=30, attempts=1))
