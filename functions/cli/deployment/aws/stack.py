"""A stack of CloudFormation: its state, its change sets, and its removal."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from functions.cli.deployment.aws.errors import code_of, translated
from functions.cli.deployment.aws.parameters import Declared, Sent
from functions.cli.deployment.errors import DeploymentError

# Seconds between two looks, and how many looks: an hour, more than a stack of this size ever took.
_POLL: Final = 5
_POLLS: Final = 720
_CHANGED_NOTHING: Final = ("didn't contain changes", "No updates are to be performed")
_NEXT: Final[Mapping[str, str]] = {
    "ROLLBACK_COMPLETE": "it was never complete: delete it, then deploy again",
    "ROLLBACK_FAILED": "it was never complete: delete it, then deploy again",
    "DELETE_FAILED": "its deletion failed: delete it again, keeping what cannot be deleted",
    "UPDATE_ROLLBACK_FAILED": "continue its rollback (aws cloudformation continue-update-rollback), then deploy again",
    "CREATE_FAILED": "it was never complete: delete it, then deploy again",
}
# A stack in this state holds nothing but a change set that was never executed.
_ONLY_PLANNED: Final = "REVIEW_IN_PROGRESS"


class CloudFormation(Protocol):
    """The calls of botocore's client that are made here."""

    def describe_stacks(self, **request: object) -> Mapping[str, Any]:
        """Describe one stack."""

    def describe_stack_events(self, **request: object) -> Mapping[str, Any]:
        """Return the newest events of a stack."""

    def get_template_summary(self, **request: object) -> Mapping[str, Any]:
        """Return a template's parameters."""

    def create_change_set(self, **request: object) -> Mapping[str, Any]:
        """Let CloudFormation find out what would change."""

    def describe_change_set(self, **request: object) -> Mapping[str, Any]:
        """Return a change set's state and changes."""

    def execute_change_set(self, **request: object) -> Mapping[str, Any]:
        """Carry a change set out."""

    def delete_change_set(self, **request: object) -> Mapping[str, Any]:
        """Delete a change set."""

    def delete_stack(self, **request: object) -> Mapping[str, Any]:
        """Delete a stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A stack as it is now.

    Attributes:
        stack_id: the ARN, which still names the stack after its deletion.
        status: CloudFormation's word for its state.
        parameters: the values of its parameters; those of secrets are hidden.
        outputs: its outputs, by name.

    """

    stack_id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A change set to be made.

    Attributes:
        template_url: where the template is, in S3.
        parameters: every parameter of the template.
        tags: tags of the stack and what it makes.
        role: the role that CloudFormation works with; empty: the caller's rights.

    """

    template_url: str
    parameters: Sequence[Sent]
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource that a change set touches.

    Attributes:
        action: Add, Modify, Remove, Import or Dynamic.
        resource: its logical id.
        kind: its type.
        replacement: True, False or Conditional; empty where it does not apply.

    """

    action: str
    resource: str
    kind: str
    replacement: str = ""

    def __str__(self) -> str:
        """Return one line for people; a replacement is what a reader must not miss."""
        replaced = {"True": "  REPLACED", "Conditional": "  may be replaced"}.get(self.replacement, "")
        return f"{self.action:8} {self.resource:28} {self.kind}{replaced}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """A change set that can be executed.

    Attributes:
        arn: its ARN.
        stack_id: the ARN of its stack.
        creates: whether the stack is made by it.
        changes: what it changes.

    """

    arn: str
    stack_id: str
    creates: bool
    changes: tuple[Change, ...]


class Stack:
    """One stack, by name.

    Args:
        client: CloudFormation in the stack's region.
        name: the stack's name.
        poll: seconds between two looks at something that takes its time.

    """

    def __init__(self, client: CloudFormation, name: str, poll: float = _POLL) -> None:
        self.name = name
        self._client = client
        self._poll = poll

    def deployed(self) -> Deployed | None:
        """Return the stack as it is now; nothing where there is none, or only a plan for one.

        Raises:
            DeploymentError: CloudFormation cannot be queried.

        """
        found = self._described(self.name)
        return None if found is None or found.status == _ONLY_PLANNED else found

    def ready(self) -> Deployed | None:
        """Return the stack as it is now, if it can be deployed to.

        Raises:
            DeploymentError: another operation is under way, or must come first.

        """
        found = self.deployed()
        if found is None:
            return None
        if found.status in _NEXT:
            raise DeploymentError(f"the stack {self.name} is {found.status}: {_NEXT[found.status]}")
        if found.status.endswith("_IN_PROGRESS"):
            raise DeploymentError(f"the stack {self.name} is {found.status}: wait until that is over")
        return found

    def declared(self, template: str) -> list[Declared]:
        """Return the parameters that a template declares, as CloudFormation reads it.

        Raises:
            DeploymentError: CloudFormation refuses the template, or cannot be queried.

        """
        with translated("let CloudFormation read the template"):
            return list(self._client.get_template_summary(TemplateBody=template)["Parameters"])

    def plan(self, request: Request, name: str) -> ChangeSet | None:
        """Make a change set called *name*, and wait until its changes are known; nothing if there are none.

        Raises:
            DeploymentError: CloudFormation refuses it.

        """
        creates = self.ready() is None
        arguments: dict[str, object] = {
            "StackName": self.name,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if creates else "UPDATE",
            "TemplateURL": request.template_url,
            "Parameters": list(request.parameters),
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        }
        if request.role:
            arguments["RoleARN"] = request.role
        if creates:
            # A stack that never was complete would have to be deleted by hand before the next try.
            arguments["OnStackFailure"] = "DELETE"
        with translated(f"create a change set for the stack {self.name}"):
            made = self._client.create_change_set(**arguments)
        return self._planned(str(made["Id"]), creates=creates)

    def planned(self, arn: str) -> ChangeSet:
        """Return the change set *arn*, made by an earlier run.

        Raises:
            DeploymentError: there is none that can be executed.

        """
        found = self.deployed()
        planned = self._planned(arn, creates=found is None)
        if planned is None:
            raise DeploymentError(f"the change set {arn} changes nothing")
        return planned

    def execute(self, planned: ChangeSet) -> Deployed:
        """Carry a change set out, and wait for the end.

        Raises:
            DeploymentError: it failed; names the resources that failed, and why.

        """
        with translated(f"execute the change set of the stack {self.name}"):
            self._client.execute_change_set(ChangeSetName=planned.arn)
        for _ in range(_POLLS):
            found = self._described(planned.stack_id)
            if found is None or not (found.status.endswith("_IN_PROGRESS")):
                break
            time.sleep(self._poll)
        else:
            raise DeploymentError(f"the stack {self.name} is still not complete after an hour; look at its events")
        if found is not None and found.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return found
        status = "DELETED" if found is None else found.status
        reasons = "".join(f"\n  {reason}" for reason in self._failures(planned.stack_id))
        raise DeploymentError(f"the stack {self.name} was not deployed and is {status}:{reasons}")

    def discard(self, planned: ChangeSet) -> None:
        """Delete a change set that shall not be carried out, and the empty stack that it may have left.

        Raises:
            DeploymentError: CloudFormation does not delete it.

        """
        with translated(f"delete a change set of the stack {self.name}"):
            self._client.delete_change_set(ChangeSetName=planned.arn)
            if planned.creates:
                self._client.delete_stack(StackName=planned.stack_id)

    def delete(self) -> None:
        """Delete the stack, and wait for the end.

        Raises:
            DeploymentError: it failed; names the resources that failed, and why.

        """
        found = self._described(self.name)
        if found is None:
            return
        with translated(f"delete the stack {self.name}"):
            self._client.delete_stack(StackName=found.stack_id)
        for _ in range(_POLLS):
            now = self._described(found.stack_id)
            if now is None or now.status == "DELETE_COMPLETE":
                return
            if not now.status.endswith("_IN_PROGRESS"):
                reasons = "".join(f"\n  {reason}" for reason in self._failures(found.stack_id))
                raise DeploymentError(f"the stack {self.name} was not deleted and is {now.status}:{reasons}")
            time.sleep(self._poll)
        raise DeploymentError(f"the stack {self.name} is still being deleted after an hour; look at its events")

    def _described(self, name: str) -> Deployed | None:
        from botocore.exceptions import ClientError

        with translated(f"look at the stack {self.name}"):
            try:
                (found,) = self._client.describe_stacks(StackName=name)["Stacks"]
            except ClientError as error:
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    return None
                raise
        return Deployed(
            stack_id=str(found["StackId"]),
            status=str(found["StackStatus"]),
            parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
            outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        )

    def _planned(self, arn: str, *, creates: bool) -> ChangeSet | None:
        for _ in range(_POLLS):
            found = self._look(arn)
            if found["Status"] == "CREATE_COMPLETE":
                return ChangeSet(
                    arn=arn, stack_id=str(found["StackId"]), creates=creates, changes=tuple(self._changes(found, arn))
                )
            if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
            time.sleep(self._poll)
        reason = str(found.get("StatusReason", found["Status"]))
        with translated(f"delete a change set of the stack {self.name}"):
            self._client.delete_change_set(ChangeSetName=arn)
        if any(words in reason for words in _CHANGED_NOTHING):
            return None
        raise DeploymentError(f"CloudFormation refuses the change set for the stack {self.name}: {reason}")

    def _look(self, arn: str, **more: object) -> Mapping[str, Any]:
        with translated(f"look at a change set of the stack {self.name}"):
            return self._client.describe_change_set(ChangeSetName=arn, **more)

    def _changes(self, found: Mapping[str, Any], arn: str) -> list[Change]:
        changes = list(found.get("Changes", ()))
        while token := found.get("NextToken"):
            found = self._look(arn, NextToken=token)
            changes += found.get("Changes", ())
        return [
            Change(
                action=one["ResourceChange"]["Action"],
                resource=one["ResourceChange"]["LogicalResourceId"],
                kind=one["ResourceChange"]["ResourceType"],
                replacement=one["ResourceChange"].get("Replacement", ""),
            )
            for one in changes
        ]

    def _failures(self, stack_id: str) -> list[str]:
        with translated(f"read the events of the stack {self.name}"):
            events = self._client.describe_stack_events(StackName=stack_id)["StackEvents"]
        # Resources that are cancelled because another one failed say nothing.
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in events
            if str(event.get("ResourceStatus", "")).endswith("_FAILED")
            and "cancelled" not in event.get("ResourceStatusReason", "")
        ]
        return list(dict.fromkeys(reversed(failed)))
