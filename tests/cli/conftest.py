"""What the tests of the command line share: an environment that leads nowhere."""

import os

import pytest

from tests.emulators.moto_server import CREDENTIALS

_FOREIGN = ("RETRAIN_", "AWS_", "AZURE_", "GOOGLE_", "IDENTITY_", "PUBSUB_", "FIRESTORE_", "GCE_", "CLOUDSDK_")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment in which nothing is set that leads to a cloud, but for keys that nobody takes."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch
