"""All commands, in the order in which the help lists them."""

from collections.abc import Mapping
from typing import Final

from functions.cli import (
    check,
    completion,
    deploy,
    dry_run,
    emit,
    letters,
    models,
    operate,
    schema_file,
    serve,
    show,
    trust_policy,
)
from functions.cli.build import command as build
from functions.cli.command import Command
from functions.cli.console import command as console
from functions.cli.doctor import command as doctor
from functions.cli.init import command as init

COMMANDS: Final[Mapping[str, Command]] = {
    command.name: command
    for command in (
        init.COMMAND,
        check.COMMAND,
        schema_file.COMMAND,
        serve.COMMAND,
        emit.COMMAND,
        dry_run.COMMAND,
        models.COMMAND,
        show.COMMAND,
        *operate.COMMANDS,
        letters.COMMAND,
        console.COMMAND,
        build.COMMAND,
        *deploy.COMMANDS,
        doctor.COMMAND,
        trust_policy.COMMAND,
        completion.COMMAND,
    )
}
