"""Google's own emulators of Pub/Sub and Firestore, each a process group that ends with its context.

They are Java programs of the Cloud SDK; `missing` returns what must be installed to run them.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from emulators.processes import end_group, free_port, wait_until_it_answers

# Where packages and installers put the Cloud SDK; checked before gcloud is run, which takes half a second.
_KNOWN_ROOTS: Final = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-sdk/current",
    "/opt/homebrew/share/google-cloud-sdk",
    "~/google-cloud-sdk",
)
# A test's emulator lives for a minute: the second JIT compiler would cost more time than it saves.
_JAVA_OPTIONS: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component of the Cloud SDK.

    Attributes:
        name: its name for `gcloud components install`.
        package: its name for Debian's package manager.
        script: the script that starts it, below the SDK's folder `platform`.
        words: the script's arguments before host and port.

    """

    name: str
    package: str
    script: str
    words: tuple[str, ...] = ()


PUBSUB: Final = Component(
    name="pubsub-emulator",
    package="google-cloud-cli-pubsub-emulator",
    script="pubsub-emulator/bin/cloud-pubsub-emulator",
)
FIRESTORE: Final = Component(
    name="cloud-firestore-emulator",
    package="google-cloud-cli-firestore-emulator",
    script="cloud-firestore-emulator/cloud_firestore_emulator",
    words=("start",),
)


@cache
def missing() -> str | None:
    """Return what must be installed to run both emulators, in one sentence; None if nothing is missing."""
    root = _sdk_root()
    if root is None:
        return (
            "The Google emulators need the Google Cloud SDK, which is not installed:"
            " see https://cloud.google.com/sdk/docs/install"
        )
    absent = [component for component in (PUBSUB, FIRESTORE) if not (root / "platform" / component.script).exists()]
    if absent:
        names, packages = (" ".join(each) for each in zip(*((one.name, one.package) for one in absent), strict=True))
        return (
            f"The Google Cloud SDK in {root} lacks emulators:"
            f" run `gcloud components install {names}`, or `apt-get install {packages}`"
        )
    if shutil.which("java") is None:
        return "The Google emulators need Java, which is not installed: run `apt-get install default-jre-headless`"
    return None


def pubsub_emulator() -> AbstractContextManager[str]:
    """Run the Pub/Sub emulator on a free port, and give host and port for `PUBSUB_EMULATOR_HOST`.

    It serves gRPC and REST on that port. Within one process it runs once: callers share it while it runs, and each must
    use a project of its own.

    Raises:
        RuntimeError: it does not start; the message has the end of its log.

    """
    return _PUBSUB.used()


def firestore_emulator() -> AbstractContextManager[str]:
    """Run the Firestore emulator on a free port, and give host and port for `FIRESTORE_EMULATOR_HOST`.

    Shared, and with the same errors, as `pubsub_emulator`.
    """
    return _FIRESTORE.used()


@contextmanager
def emulator(component: Component) -> Iterator[str]:
    """Run an emulator that is not shared, and give host and port.

    Raises:
        RuntimeError: something is missing, or it does not start; the message has the end of its log.

    """
    root = _sdk_root()
    if root is None or missing():
        raise RuntimeError(missing())
    port = free_port()
    script = str(root / "platform" / component.script)
    with tempfile.TemporaryDirectory(prefix=f"{component.name}-") as folder, Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(
            [script, *component.words, "--host=127.0.0.1", f"--port={port}"],
            cwd=folder,
            env={**os.environ, "JAVA_TOOL_OPTIONS": _JAVA_OPTIONS},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_it_answers(process, port, Path(log.name))
            yield f"127.0.0.1:{port}"
        finally:
            end_group(process)


class _Shared:
    """A context that runs once, from its first user to its last."""

    def __init__(self, start: Callable[[], AbstractContextManager[str]]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._users = 0

    @contextmanager
    def used(self) -> Iterator[str]:
        with self._lock:
            if not self._users:
                running = self._start()
                self._given = running.__enter__()
                self._running = running
            self._users += 1
        try:
            yield self._given
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._running.__exit__(None, None, None)


_PUBSUB: Final = _Shared(lambda: emulator(PUBSUB))
_FIRESTORE: Final = _Shared(lambda: emulator(FIRESTORE))


@cache
def _sdk_root() -> Path | None:
    known = [Path(name).expanduser() for name in _KNOWN_ROOTS]
    complete = [root for root in known if (root / "platform" / PUBSUB.script).exists()]
    if complete:
        return complete[0]
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return next((root for root in known if root.is_dir()), None)
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    root = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return Path(root) if root else None
