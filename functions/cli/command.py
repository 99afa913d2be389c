"""The parts that every command is made of."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TextIO

from shared.errors import RetrainError

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

CONFIG_FILE: Final = "retrain.toml"
# The environments of a deployment.
ENVIRONMENTS: Final = ("dev", "staging", "prod")


class UsageError(Exception):
    """The options of a command do not fit together; the text names them."""


class AccessError(RetrainError):
    """The user has no credentials for the deployment; the message says how to get them."""


class Access(Protocol):
    """Authenticates requests to a deployment's HTTP API as the user."""

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Return all headers of a request: *headers* and those that authenticate it.

        Raises:
            AccessError: there are no credentials, or they have expired.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of a command.

    Attributes:
        variables: the environment variables.
        folder: the current folder.
        out: where answers go.
        err: where errors and progress go.
        url: the address of the HTTP API to use, which `--url` names; empty: the API runs in this process.
        access: makes the user's access to that API.

    """

    variables: Mapping[str, str]
    folder: Path
    out: TextIO
    err: TextIO
    url: str = ""
    access: Callable[[], Access] | None = None

    @property
    def config_file(self) -> Path:
        """The configuration: `RETRAIN_CONFIG` (which `--config` sets), or `retrain.toml` in the current folder."""
        return (self.folder / (self.variables.get("RETRAIN_CONFIG") or CONFIG_FILE)).absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of `retrain`.

    Attributes:
        name: its name on the command line.
        summary: one line for the list of commands.
        description: the text of its help, which ends with examples.
        add_options: adds its own options to its parser.
        run: carries it out and returns the exit code.
        clouds: the values of `--cloud`; empty if it has no such option.
        cloud_required: whether `--cloud` must be given; the default is `local` otherwise.
        takes_url: whether `--url` can name the deployment by the address of its HTTP API.
        steers: whether it acts on a model, so that `--env` leads to the HTTP API, too, which authenticates the user.

    """

    name: str
    summary: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context, argparse.Namespace], int]
    clouds: tuple[str, ...] = ()
    cloud_required: bool = False
    takes_url: bool = False
    steers: bool = False
