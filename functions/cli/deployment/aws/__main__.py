"""Deploys to AWS: `python -m functions.cli.deployment.aws COMMAND ENVIRONMENT`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TextIO

from functions.cli.deployment.aws.bundle import packed
from functions.cli.deployment.aws.deployment import Account, Deployment, Files, Ready, caller
from functions.cli.deployment.aws.errors import translated
from functions.cli.deployment.aws.outputs import variables_of
from functions.cli.deployment.aws.settings import ENVIRONMENTS, read_settings
from functions.cli.deployment.aws.stack import ChangeSet
from functions.cli.deployment.errors import DeploymentError, SettingsError

DONE: Final = 0
REFUSED: Final = 1
INTERRUPTED: Final = 130
_ROOT: Final = Path(__file__).parents[4]
FILES: Final = Files(
    template=_ROOT / "template.yaml",
    monitor=_ROOT / "deploy" / "aws" / "monitor.yaml",
    settings=_ROOT / "deploy" / "aws" / "environments",
)


class AwsAccount:
    """The account and the region that the SDK's settings lead to.

    Args:
        region: the region; empty: what the SDK finds.

    """

    def __init__(self, region: str) -> None:
        import botocore.session

        with translated("read the settings of the AWS SDK"):
            self._session = botocore.session.get_session()
            if region:
                self._session.set_config_variable("region", region)

    @cached_property
    def number(self) -> str:
        """The account's number."""
        return caller(self.client("sts"))

    @cached_property
    def region(self) -> str:
        """The region."""
        return str(self.client("cloudformation").meta.region_name)

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore's clients have no types
        """Return botocore's client for a service."""
        from botocore.config import Config

        limits = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
        with translated(f"connect to {service}"):
            return self._session.create_client(service, config=limits)


class Terminal:
    """Where a person reads and answers.

    Args:
        out: where results go.
        answer: shows a question to a person and returns the answer; None without a person.

    """

    def __init__(self, out: TextIO, answer: Callable[[str], str] | None) -> None:
        self._out = out
        self._answer = answer

    @property
    def is_read(self) -> bool:
        """Whether a person is there."""
        return self._answer is not None

    def say(self, text: str) -> None:
        """Write a line, immediately."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def agrees(self, question: str) -> bool:
        """Return whether the person answers with yes; without a person, return true."""
        return self._answer is None or self._answer(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def main(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    terminal: Terminal,
    complaints: TextIO,
    account_in: Callable[[str], Account] = AwsAccount,
) -> int:
    """Carry out one command, and return the exit code.

    Args:
        arguments: the command, the environment and the options.
        variables: the environment variables.
        terminal: where results go, and where a person answers.
        complaints: where errors go.
        account_in: returns the account in a region; an empty region: the one that the SDK finds.

    """
    try:
        options = _parser().parse_args(arguments)
        files = replace(FILES, settings=options.settings)
        settings = read_settings(options.environment, files.settings, variables)
        # botocore itself reads AWS_DEFAULT_REGION only.
        account = account_in(settings.region or variables.get("AWS_REGION", ""))
        deployment = Deployment(account, settings, files)
        _COMMANDS[options.command](deployment, options, terminal)
    except SystemExit as exit_:
        return int(exit_.code or DONE)
    except (DeploymentError, SettingsError) as error:
        complaints.write(f"{error}\n")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.cli.deployment.aws", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "check": "check credentials, settings and the stack; changes nothing",
        "deploy": "upload the bundle, show the changes, and carry them out",
        "execute": "carry out a change set that `deploy --plan` made",
        "outputs": "print the RETRAIN_ variables of the deployment, for `doctor` and other tools",
        "destroy": "delete the stacks; the ledger and the monitor's bucket are kept",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("environment", choices=ENVIRONMENTS)
        command.add_argument("--settings", type=Path, default=FILES.settings, help="the folder with ENVIRONMENT.toml")
        if name in ("check", "deploy", "execute"):
            command.add_argument("--monitor", action="store_true", help="the stack of the drift monitor instead")
        if name in ("deploy", "destroy"):
            command.add_argument("--yes", action="store_true", help="skip the confirmation")
        if name == "deploy":
            command.add_argument("--bundle", type=Path, default=_ROOT / "dist" / "aws.zip", help="the zip to deploy")
            command.add_argument("--plan", action="store_true", help="only make the change set, and print its ARN")
        if name == "execute":
            command.add_argument("change_set", help="the ARN of the change set")
    return parser


def _check(deployment: Deployment, options: argparse.Namespace, terminal: Terminal) -> None:
    ready = _checked(deployment, options)
    what = "would be updated" if ready.deployed else "would be created"
    terminal.say(f"Nothing is missing: the stack {ready.stack.name} {what}.")


def _checked(deployment: Deployment, options: argparse.Namespace) -> Ready:
    return deployment.check_monitor() if options.monitor else deployment.check()


def _deploy(deployment: Deployment, options: argparse.Namespace, terminal: Terminal) -> None:
    ready = _checked(deployment, options)
    bundle = None if options.monitor else packed(options.bundle)
    name = f"retrain-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    planned = deployment.plan(ready, name, bundle)
    if planned is None:
        terminal.say(f"The stack {ready.stack.name} has nothing to change.")
        return
    _show(planned, ready.stack.name, terminal)
    if options.plan:
        terminal.say(f"Change set: {planned.arn}")
        return
    if not options.yes and not terminal.agrees(f"Deploy this to {ready.stack.name}?"):
        ready.stack.discard(planned)
        raise DeploymentError(f"{ready.stack.name} was not deployed")
    _carry_out(ready.stack.execute, planned, ready.stack.name, terminal)


def _execute(deployment: Deployment, options: argparse.Namespace, terminal: Terminal) -> None:
    stack = deployment.monitor if options.monitor else deployment.main
    planned = stack.planned(options.change_set)
    _show(planned, stack.name, terminal)
    _carry_out(stack.execute, planned, stack.name, terminal)


def _show(planned: ChangeSet, name: str, terminal: Terminal) -> None:
    terminal.say(f"Changes to the stack {name}:" if planned.changes else f"The stack {name}: changes are not listed")
    for change in planned.changes:
        terminal.say(f"  {change}")


def _carry_out(execute: Callable[[ChangeSet], Any], planned: ChangeSet, name: str, terminal: Terminal) -> None:
    terminal.say(f"{'Creating' if planned.creates else 'Updating'} {name}; this takes some minutes.")
    done = execute(planned)
    terminal.say(f"{name} is {done.status}.")
    for output, value in sorted(done.outputs.items()):
        terminal.say(f"  {output} = {value}")


def _outputs(deployment: Deployment, _options: argparse.Namespace, terminal: Terminal) -> None:
    deployed = deployment.main.deployed()
    if deployed is None:
        raise DeploymentError(f"there is no stack {deployment.main.name}: deploy it first")
    for name, value in variables_of(deployed).items():
        terminal.say(f"{name}={value}")


def _destroy(deployment: Deployment, options: argparse.Namespace, terminal: Terminal) -> None:
    if not options.yes and not terminal.is_read:
        raise DeploymentError("to delete without a terminal, add --yes")
    kept = deployment.kept()
    terminal.say(f"{deployment.main.name} and {deployment.monitor.name} are deleted, with their dead letters and logs.")
    for what in kept:
        terminal.say(f"Kept: {what}")
    if not options.yes and not terminal.agrees(f"Delete {deployment.main.name}?"):
        raise DeploymentError("nothing was deleted")
    deployment.destroy()
    terminal.say("Deleted.")


_COMMANDS: Final[Mapping[str, Callable[[Deployment, argparse.Namespace, Terminal], None]]] = {
    "check": _check,
    "deploy": _deploy,
    "execute": _execute,
    "outputs": _outputs,
    "destroy": _destroy,
}


if __name__ == "__main__":
    person = input if sys.stdin.isatty() and sys.stdout.isatty() else None
    sys.exit(main(sys.argv[1:], os.environ, Terminal(sys.stdout, person), sys.stderr))
