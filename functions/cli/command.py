"""The parts that every command is made of."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

CONFIG_FILE: Final = "retrain.toml"
# The environments of a deployment.
ENVIRONMENTS: Final = ("dev", "staging", "prod")


class UsageError(Exception):
    """The options of a command do not fit together; the text names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of a command.

    Attributes:
        variables: the environment variables.
        folder: the current folder.
        out: where answers go.
        err: where errors and progress go.

    """

    variables: Mapping[str, str]
    folder: Path
    out: TextIO
    err: TextIO

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

    """

    name: str
    summary: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context, argparse.Namespace], int]
    clouds: tuple[str, ...] = ()
    cloud_required: bool = False
