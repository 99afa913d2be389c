"""What the command line takes."""

import argparse
import re
from collections.abc import Callable
from typing import Final

from functions.cli import trust
from shared.config.targets import CLOUDS
from shared.trigger import SEVERITIES

_EPILOG: Final = (
    "Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage. Where things are is read from the environment"
    " (RETRAIN_BUS, RETRAIN_LEDGER and the others), who asks from your own credentials."
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the command's name is in `command`."""
    whole = argparse.ArgumentParser(prog="python -m functions.cli", description=__doc__, epilog=_EPILOG)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _request(_command(commands, "emit", "put a trigger on the event bus and print its id"))
    _request(_command(commands, "dry-run", "tell what would become of a trigger now; nothing is sent or stored"))
    models = _command(commands, "models", "list the models, or tell everything about one")
    models.add_argument("model", nargs="?", help="the model to tell about")
    doctor = _command(commands, "doctor", "check every precondition with your own credentials; nothing is changed")
    doctor.add_argument("--schedule", metavar="EXPRESSION", help="the schedule to check, if not that of the template")
    _trust(_command(commands, "trust-policy", "print what another account needs to emit", ("aws", "gcp", "azure")))
    return whole


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    clouds: tuple[str, ...] = CLOUDS,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about, epilog=_EPILOG)
    command.add_argument("--cloud", choices=clouds, required=True, help="where")
    command.add_argument("--json", action="store_true", help="answer as JSON, for programs")
    return command


def _request(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="the model to train; by default the one with `default = true`")
    command.add_argument("--reason", help="why, for people")
    command.add_argument("--severity", choices=SEVERITIES)
    command.add_argument(
        "--param", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="a parameter; may be repeated"
    )
    command.add_argument("--force", action="store_true", help="pass cooldown, severity and consecutive rules")
    command.add_argument("--id", help="the trigger's id: who asks twice for one training gives the same")


def _trust(command: argparse.ArgumentParser) -> None:
    aws = command.add_argument_group("aws")
    account = _form(trust.ACCOUNT, "an account of 12 digits")
    aws.add_argument("--account", type=account, default=trust.ML_CUBE, help="who emits; by default ML cube Platform")
    external_id = _form(trust.EXTERNAL_ID, "an external id: 2 to 1224 letters, digits and + = , . @ : / _ -")
    aws.add_argument("--external-id", type=external_id, help="what the account gives when it assumes the role")
    bus = _form(trust.BUS_ARN, "the ARN of an event bus, arn:aws:events:REGION:ACCOUNT:event-bus/NAME")
    aws.add_argument("--bus-arn", type=bus, help="the event bus; by default RETRAIN_BUS, if that is an ARN")
    gcp = command.add_argument_group("gcp")
    topic = _form(trust.TOPIC, "a topic, projects/PROJECT/topics/NAME")
    gcp.add_argument("--topic", type=topic, help="by default RETRAIN_BUS")
    member = _form(trust.MEMBER, "a member, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com")
    gcp.add_argument("--member", type=member, help="who emits")
    azure = command.add_argument_group("azure")
    topic_id = _form(trust.TOPIC_ID, "the resource id of a topic, /subscriptions/.../Microsoft.EventGrid/topics/NAME")
    azure.add_argument("--topic-id", type=topic_id, help="the topic")
    principal = _form(trust.PRINCIPAL, "the object id of a service principal, a GUID")
    azure.add_argument("--principal-id", type=principal, help="who emits")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value


def _form(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return text

    return check
