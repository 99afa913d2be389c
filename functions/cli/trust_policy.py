"""`retrain trust-policy`: the policies or commands that allow another account to emit triggers."""

import argparse
import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from functions.cli.command import DONE, Command, Context, UsageError

VERSION: Final = "2012-10-17"
# The account of ML cube Platform, according to its documentation.
ML_CUBE: Final = "883313729965"
SENDER: Final = "EventGrid Data Sender"
PUBLISHER: Final = "roles/pubsub.publisher"

ACCOUNT: Final = re.compile(r"\d{12}")
# IAM's API reference: the external id of AssumeRole.
EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
BUS_ARN: Final = re.compile(r"arn:(aws[a-z-]*):events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}")
TOPIC: Final = re.compile(r"projects/([a-z0-9:.-]{4,63})/topics/([A-Za-z][\w.~+%-]{2,254})", re.ASCII)
# IAM's members without those that mean everyone: the topic starts trainings.
MEMBER: Final = re.compile(r"(serviceAccount|user|group):[^\s@:]+@[^\s@:]+\.[^\s@:]+|(principal|principalSet)://\S+")
TOPIC_ID: Final = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.()-]{1,90}/providers/Microsoft\.EventGrid/topics/[A-Za-z0-9-]{3,50}",
    re.IGNORECASE | re.ASCII,
)
PRINCIPAL: Final = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

_DESCRIPTION: Final = """\
Print the complete policies or commands that allow another account to emit triggers to your event bus.

examples:
  retrain trust-policy --cloud aws --external-id my-id --bus-arn arn:aws:events:eu-west-3:123456789012:event-bus/retrain
  retrain trust-policy --cloud gcp --member serviceAccount:ci@acme.iam.gserviceaccount.com"""

Json = Mapping[str, object]


def run(context: Context, options: argparse.Namespace) -> int:
    """Print the documents for the cloud that *options* name.

    Raises:
        UsageError: an option that the cloud needs is missing.

    """
    documents = _DOCUMENTS[options.cloud](options, context.variables.get("RETRAIN_BUS", ""))
    if options.json:
        text = json.dumps(documents, indent=2)
    else:
        text = "\n\n".join(f"{_HEADINGS[name]}:\n{_text(content)}" for name, content in documents.items())
    context.out.write(f"{text}\n")
    return DONE


def trust_policy(account: str, external_id: str, bus_arn: str) -> Json:
    """Return the policy that lets *account* assume the role with *external_id*."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{_partition(bus_arn)}:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def permission_policy(bus_arn: str) -> Json:
    """Return the policy that lets the role put events on one bus."""
    return _policy({"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn})


def google_command(topic: str, member: str) -> str:
    """Return the command that lets *member* publish to *topic*."""
    named = TOPIC.fullmatch(topic)
    project, name = (named[1], named[2]) if named else ("", topic)
    binding = [f"--member={member}", f"--role={PUBLISHER}", f"--project={project}"]
    return shlex.join(["gcloud", "pubsub", "topics", "add-iam-policy-binding", name, *binding])


def google_binding(member: str) -> Json:
    """Return the same as a binding of the topic's IAM policy."""
    return {"bindings": [{"role": PUBLISHER, "members": [member]}]}


def azure_command(topic_id: str, principal: str) -> str:
    """Return the command that lets *principal* send events to the topic."""
    who = ["--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal"]
    return shlex.join(["az", "role", "assignment", "create", *who, "--role", SENDER, "--scope", topic_id])


def _aws(options: argparse.Namespace, bus: str) -> Json:
    default = bus if BUS_ARN.fullmatch(bus) else ""
    arn, external_id = _required(options, {"--bus-arn": default, "--external-id": ""})
    return {
        "trust_policy": trust_policy(options.account, external_id, arn),
        "permission_policy": permission_policy(arn),
    }


def _google(options: argparse.Namespace, bus: str) -> Json:
    default = bus if TOPIC.fullmatch(bus) else ""
    topic, member = _required(options, {"--topic": default, "--member": ""})
    return {"command": google_command(topic, member), "policy": google_binding(member)}


def _azure(options: argparse.Namespace, _bus: str) -> Json:
    topic_id, principal = _required(options, {"--topic-id": "", "--principal-id": ""})
    return {"command": azure_command(topic_id, principal)}


_DOCUMENTS: Final[Mapping[str, Callable[[argparse.Namespace, str], Json]]] = {
    "aws": _aws,
    "gcp": _google,
    "azure": _azure,
}
_HEADINGS: Final = {
    "trust_policy": "Trust policy of a role in the account of the event bus",
    "permission_policy": "Permission policy of that role",
    "command": "Command, to be run by an administrator of the topic",
    "policy": "The same as a binding of the topic's IAM policy",
}


def _required(options: argparse.Namespace, defaults: Mapping[str, str]) -> list[str]:
    """Return the values of the options that *defaults* names, in its order."""
    values = {name: getattr(options, name[2:].replace("-", "_")) or default for name, default in defaults.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise UsageError(f"trust-policy --cloud {options.cloud} needs {' and '.join(missing)}")
    return list(values.values())


def _text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, indent=2)


def _policy(statement: Json) -> Json:
    return {"Version": VERSION, "Statement": [statement]}


def _partition(arn: str) -> str:
    named = BUS_ARN.fullmatch(arn)
    return named[1] if named else "aws"


def _add_options(parser: argparse.ArgumentParser) -> None:
    aws = parser.add_argument_group("aws")
    account = _matching(ACCOUNT, "an account of 12 digits")
    aws.add_argument("--account", type=account, default=ML_CUBE, help="who emits (default: ML cube Platform)")
    external_id = _matching(EXTERNAL_ID, "an external id: 2 to 1224 letters, digits and + = , . @ : / _ -")
    aws.add_argument("--external-id", type=external_id, help="the external id that the account passes")
    bus = _matching(BUS_ARN, "the ARN of an event bus, arn:aws:events:REGION:ACCOUNT:event-bus/NAME")
    aws.add_argument("--bus-arn", type=bus, help="the event bus (default: RETRAIN_BUS, if that is an ARN)")
    gcp = parser.add_argument_group("gcp")
    topic = _matching(TOPIC, "a topic, projects/PROJECT/topics/NAME")
    gcp.add_argument("--topic", type=topic, help="the topic (default: RETRAIN_BUS)")
    member = _matching(MEMBER, "a member, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com")
    gcp.add_argument("--member", type=member, help="who emits")
    azure = parser.add_argument_group("azure")
    topic_id = _matching(TOPIC_ID, "the resource id of a topic, /subscriptions/.../Microsoft.EventGrid/topics/NAME")
    azure.add_argument("--topic-id", type=topic_id, help="the topic")
    principal = _matching(PRINCIPAL, "the object id of a service principal, a GUID")
    azure.add_argument("--principal-id", type=principal, help="who emits")


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"must be {expected}, not {text!r}")
        return text

    return check


COMMAND: Final = Command(
    name="trust-policy",
    summary="print the policies that allow another account to emit triggers",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=("aws", "gcp", "azure"),
    cloud_required=True,
)
