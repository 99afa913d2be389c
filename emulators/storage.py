"""Azure Storage by Azurite, Microsoft's own emulator, in a Node process: its table and blob services."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The account that every Azurite has, and its key, both from the documentation.
ACCOUNT: Final = "devstoreaccount1"
KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = ROOT / ".tools/azurite/node_modules/azurite/dist/src/azurite.js"
# Seconds; on an idle machine it takes one.
START_TIME_LIMIT: Final = 60

_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (\S+)")
# The queue service runs as well: only this program, which starts all three, prints the free ports that it chose.
_SERVICES = frozenset({"Blob", "Queue", "Table"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A storage account.

    Attributes:
        table: the endpoint of its tables, the account included.
        blob: the endpoint of its containers, the account included.

    """

    table: str
    blob: str

    @property
    def connection_string(self) -> str:
        """For `AZURE_STORAGE_CONNECTION_STRING`."""
        return connection_string(self.table, self.blob)


def connection_string(table: str, blob: str) -> str:
    """Return the connection string of Azurite's account with the endpoints *table* and *blob*."""
    parts = {
        "DefaultEndpointsProtocol": "http",
        "AccountName": ACCOUNT,
        "AccountKey": KEY,
        "BlobEndpoint": blob,
        "TableEndpoint": table,
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def missing(path: str | None = None) -> str | None:
    """Return what must be installed to run Azurite, in one sentence; None if nothing is missing.

    Args:
        path: where to look for programs; None: on the `PATH` of the environment.

    """
    if shutil.which("node", path=path) is None:
        return "Azure storage runs in Azurite, which needs Node.js 20 with npm: install that, then `make azurite`."
    if not PROGRAM.is_file():
        return "Azure storage runs in Azurite, which is not installed: `make azurite` does that."
    return None


@contextmanager
def azurite() -> Iterator[Storage]:
    """Run Azurite on free ports, its data in memory, until the context ends.

    Raises:
        RuntimeError: it did not start; the message has the end of its output.

    """
    node = shutil.which("node")
    if node is None or not PROGRAM.is_file():
        raise RuntimeError(missing())
    options = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    ports = [argument for name in ("blob", "queue", "table") for argument in (f"--{name}Port", "0")]
    with subprocess.Popen(
        [node, str(PROGRAM), *options, *ports],
        env={"PATH": os.environ["PATH"], "NODE_OPTIONS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _started(process)
        finally:
            process.kill()


def _started(process: subprocess.Popen[str]) -> Storage:
    """Wait until every service listens; keep reading the output, because the process blocks if it is not read."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    said: list[str] = []
    # A process that prints nothing is killed after a while, which ends the loop below.
    watch = threading.Timer(START_TIME_LIMIT, process.kill)
    watch.start()
    for line in process.stdout:
        said.append(line)
        if listening := _LISTENING.match(line):
            found[listening[1]] = f"{listening[2]}/{ACCOUNT}"
        if found.keys() == _SERVICES:
            break
    watch.cancel()
    if found.keys() != _SERVICES:
        raise RuntimeError(f"Azurite did not start: {''.join(said)[-1000:]}")
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return Storage(table=found["Table"], blob=found["Blob"])
