"""Finds the Lambda runtime client of an interpreter, and links it into a folder of its own."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Run by the interpreter: prints where the runtime client and its requirements are installed.
_PROBE = """
import importlib.metadata as metadata, json, re, sys
wanted, seen, found = ["awslambdaric"], set(), set()
while wanted:
    name = wanted.pop()
    seen.add(name)
    distribution = metadata.distribution(name)
    for file in distribution.files or ():
        top = file.parts[0]
        if top not in ("..", "__pycache__") and not top.endswith(".dist-info"):
            found.add(str(distribution.locate_file(top)))
    for requirement in distribution.requires or ():
        required = re.match(r"[\\w.-]+", requirement).group()
        if "extra ==" not in requirement and required not in seen:
            wanted.append(required)
json.dump({"version": "%d.%d" % sys.version_info[:2], "paths": sorted(found)}, sys.stdout)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter that has the runtime client.

    Attributes:
        python: the executable.
        version: such as `3.11`.
        client: the packages and modules of `awslambdaric` and its requirements.
    """

    python: str
    version: str
    client: tuple[Path, ...]

    def lay_out(self, folder: Path) -> Path:
        """Create *folder* with links to the runtime client; besides the bundle, only these can be imported."""
        folder.mkdir()
        for path in self.client:
            folder.joinpath(path.name).symlink_to(path)
        return folder

    def command(self, handler: str) -> list[str]:
        """Return the command that serves a handler; `-S` keeps the interpreter's own site-packages out."""
        return [self.python, "-S", "-m", "awslambdaric", handler]


@cache
def interpreter(python: str) -> Interpreter:
    """Return a description of an interpreter.

    Raises:
        LookupError: the interpreter has no `awslambdaric`.
    """
    answer = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise LookupError(f"{python} has no awslambdaric: install it there ({answer.stderr.strip().splitlines()[-1]})")
    found = json.loads(answer.stdout)
    return Interpreter(python=python, version=found["version"], client=tuple(map(Path, found["paths"])))
