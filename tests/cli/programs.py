"""Programs that a deployment calls, as scripts that note their arguments, and an installer without an index."""

import io
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.cli.build.bundle import AWS_UNUSED

# Files of botocore that a bundle is made of: a description of one service that the functions call.
_BOTOCORE = {
    "data/dynamodb/2012-08-10/service-2.json": {
        "metadata": {"endpointPrefix": "dynamodb"},
        "operations": {"PutItem": {}, "CreateBackup": {}},
        "shapes": {},
    },
    "data/dynamodb/2012-08-10/endpoint-rule-set-1.json": {},
    "data/s3/2006-03-01/service-2.json": {},
    "data/endpoints.json": {"partitions": [{"services": {"dynamodb": {}, "s3": {}}}]},
    "docs/utils.py": {},
    "docs/docstring.py": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A folder of programs that is first on the PATH.

    Attributes:
        folder: the folder.

    """

    folder: Path

    def add(self, name: str, script: str = "") -> None:
        """Add a program that notes its arguments, and then runs the lines of *script*, for `sh`."""
        path = self.folder / name
        note = f'printf "%s\\n" "{name} $*" >> {shlex.quote(str(self.folder / "calls"))}'
        path.write_text(f"#!/bin/sh\n{note}\n{script}\n")
        path.chmod(0o755)

    def add_installer(self) -> None:
        """Add a `uv` that installs next to nothing, which takes no time."""
        packages = self.folder / "packages"
        for name, content in _BOTOCORE.items():
            path = packages / "botocore" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        for name in AWS_UNUSED:
            (packages / name).mkdir(parents=True)
        target = 'while [ "$1" != --target ]; do shift; done; mkdir -p "$2"'
        self.add("uv", f'{target}; cp -R {shlex.quote(str(packages))}/. "$2"')

    @property
    def calls(self) -> list[str]:
        """The calls, oldest first: each the name and the arguments."""
        noted = self.folder / "calls"
        return noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []


def programs(folder: Path, environment: pytest.MonkeyPatch) -> Programs:
    """Return a new folder of programs in *folder*, to which the environment leads first."""
    made = Programs(folder=folder / "bin")
    made.folder.mkdir()
    environment.setenv("PATH", f"{made.folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return made


class Terminal(io.StringIO):
    """A terminal at which a person reads, or types what it holds."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def at_a_terminal(environment: pytest.MonkeyPatch, answer: str) -> Terminal:
    """Let a person who types *answer* be there, and return what the person sees."""
    seen = Terminal()
    environment.setattr("sys.stdin", Terminal(f"{answer}\n"))
    environment.setattr("sys.stdout", seen)
    return seen
