"""What another account needs before it may emit: complete documents, or commands, to be copied."""

import argparse
import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

VERSION: Final = "2012-10-17"
# The account of ML cube Platform, from its documentation.
ML_CUBE: Final = "883313729965"
SENDER: Final = "EventGrid Data Sender"
PUBLISHER: Final = "roles/pubsub.publisher"

ACCOUNT: Final = re.compile(r"\d{12}")
# IAM's API reference: the external id of AssumeRole.
EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
BUS_ARN: Final = re.compile(r"arn:(aws[a-z-]*):events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}")
TOPIC: Final = re.compile(r"projects/([a-z0-9:.-]{4,63})/topics/([A-Za-z][\w.~+%-]{2,254})", re.ASCII)
# IAM's members; those that mean everybody are left out: the topic starts trainings.
MEMBER: Final = re.compile(r"(serviceAccount|user|group):[^\s@:]+@[^\s@:]+\.[^\s@:]+|(principal|principalSet)://\S+")
TOPIC_ID: Final = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.()-]{1,90}/providers/Microsoft\.EventGrid/topics/[A-Za-z0-9-]{3,50}",
    re.IGNORECASE | re.ASCII,
)
PRINCIPAL: Final = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

Json = Mapping[str, object]


class MissingOptionError(Exception):
    """An option is missing that the cloud needs; names it."""


def tell(options: argparse.Namespace, variables: Mapping[str, str]) -> str:
    """Return what the command line prints for *options*.

    Raises:
        MissingOptionError: an option is missing that the cloud needs.

    """
    told = _TELLERS[options.cloud](options, variables.get("RETRAIN_BUS", ""))
    if options.json:
        return json.dumps(told, indent=2)
    return "\n\n".join(f"{_HEADINGS[name]}:\n{_text(content)}" for name, content in told.items())


def trust_policy(account: str, external_id: str, bus_arn: str) -> Json:
    """Return who may assume the role: *account*, if it gives *external_id*."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{_partition(bus_arn)}:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def permission_policy(bus_arn: str) -> Json:
    """Return what the role may do: put events on the one bus."""
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
    fitting = bus if BUS_ARN.fullmatch(bus) else ""
    arn, external_id = _given(options, {"--bus-arn": fitting, "--external-id": ""})
    return {
        "trust_policy": trust_policy(options.account, external_id, arn),
        "permission_policy": permission_policy(arn),
    }


def _google(options: argparse.Namespace, bus: str) -> Json:
    fitting = bus if TOPIC.fullmatch(bus) else ""
    topic, member = _given(options, {"--topic": fitting, "--member": ""})
    return {"command": google_command(topic, member), "policy": google_binding(member)}


def _azure(options: argparse.Namespace, _bus: str) -> Json:
    topic_id, principal = _given(options, {"--topic-id": "", "--principal-id": ""})
    return {"command": azure_command(topic_id, principal)}


_TELLERS: Final[Mapping[str, Callable[[argparse.Namespace, str], Json]]] = {
    "aws": _aws,
    "gcp": _google,
    "azure": _azure,
}
_HEADINGS: Final = {
    "trust_policy": "Trust policy of a role in the account of the event bus",
    "permission_policy": "Permission policy of that role",
    "command": "Command, for whoever may change the rights on the topic",
    "policy": "The same as a binding of the topic's IAM policy",
}


def _given(options: argparse.Namespace, defaults: Mapping[str, str]) -> list[str]:
    """Return the values of the options that *defaults* names, in its order."""
    values = {name: getattr(options, name[2:].replace("-", "_")) or default for name, default in defaults.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise MissingOptionError(f"trust-policy --cloud {options.cloud} needs {' and '.join(missing)}")
    return list(values.values())


def _text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, indent=2)


def _policy(statement: Json) -> Json:
    return {"Version": VERSION, "Statement": [statement]}


def _partition(arn: str) -> str:
    named = BUS_ARN.fullmatch(arn)
    return named[1] if named else "aws"
