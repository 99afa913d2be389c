"""CloudFormation and S3 in memory: stacks that pass through the states that a test orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from types import SimpleNamespace
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from functions.cli.deployment.aws.parameters import Declared

NUMBER: Final = "123456789012"
REGION: Final = "eu-west-3"
ENDPOINT: Final = "https://s3.eu-west-3.amazonaws.com"
_STACK: Final = f"arn:aws:cloudformation:{REGION}:{NUMBER}:stack"
_NO_CHANGES: Final = "The submitted information didn't contain changes. Submit different information to create one."


def declared(name: str, default: str | None = "", **more: Any) -> Declared:
    """Return a parameter as GetTemplateSummary shows it; without a default it must be given."""
    known = {"ParameterKey": name, **({} if default is None else {"DefaultValue": default}), **more}
    return cast("Declared", known)


def of_environments() -> Declared:
    """Return the parameter with the name of the environment."""
    return declared("Environment", None, ParameterConstraints={"AllowedValues": ["dev", "staging", "prod"]})


FUNCTIONS: Final = (
    of_environments(),
    declared("Source", "ml3_platform"),
    declared("PipelineArns"),
    declared("AlarmTopicArn"),
    declared("EmitterAccount"),
    declared("EmitterExternalId", NoEcho=True),
)
CONNECTED: Final = ("EventBusArn", "LedgerTable", "UndeliveredQueueArn")
MONITOR: Final = (
    of_environments(),
    declared("Source", "ml3_platform"),
    declared("MonitorImageUri", None),
    *(declared(name, None) for name in CONNECTED),
)


def refusal(code: str, message: str = "", operation: str = "Call") -> ClientError:
    """Return the error of a call that AWS refused."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass(kw_only=True)
class Kept:
    """A stack as CloudFormation keeps it.

    Attributes:
        arn: its ARN.
        status: its state.
        parameters: the values of its parameters.
        outputs: its outputs.

    """

    arn: str
    status: str = "CREATE_COMPLETE"
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class CloudFormation:
    """Stacks in memory; a `functions.cli.deployment.aws.stack.CloudFormation`.

    Attributes:
        stacks: the stacks by name, none of them deleted.
        requests: each request for a change set, oldest first.
        calls: the names of all calls that change something, oldest first, each with the stack's name.
        changes: the changes of the next change sets, a list for each page of the answer.
        planning: the states of the next change set before it is known.
        refused: why the next change set fails; empty: it does not.
        ahead: the states through which the next execution or deletion passes; the last one stays.
        events: the events of stacks, newest first.
        outputs: the outputs of a stack that was deployed.

    """

    stacks: dict[str, Kept] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    changes: Sequence[Sequence[tuple[str, ...]]] = ((("Add", "Ledger", "AWS::DynamoDB::Table"),),)
    planning: list[str] = field(default_factory=list)
    refused: str = ""
    ahead: list[str] = field(default_factory=list)
    events: Sequence[Mapping[str, str]] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin without any change set."""
        self._numbers = count(1)
        self._planned: dict[str, tuple[str, list[str]]] = {}
        self._passing: dict[str, list[str]] = {}

    def stack(self, name: str, status: str = "CREATE_COMPLETE", **more: dict[str, str]) -> Kept:
        """Put a stack there, and return it."""
        self._passing.pop(name, None)
        self.stacks[name] = Kept(arn=f"{_STACK}/{name}/{next(self._numbers)}", status=status, **more)
        return self.stacks[name]

    def describe_stacks(self, **request: Any) -> Mapping[str, Any]:
        """Describe a stack by its name or its ARN, under which deleted ones are found, too."""
        name = self._name(request["StackName"])
        passing = self._passing.get(name, [])
        if passing:
            self._reach(name, passing.pop(0))
        if name not in self.stacks:
            raise refusal("ValidationError", f"Stack with id {name} does not exist", "DescribeStacks")
        found = self.stacks[name]
        return {
            "Stacks": [
                {
                    "StackId": found.arn,
                    "StackStatus": found.status,
                    "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in found.parameters.items()],
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in found.outputs.items()],
                }
            ]
        }

    def describe_stack_events(self, **_request: Any) -> Mapping[str, Any]:
        """Return the events."""
        return {"StackEvents": self.events}

    def get_template_summary(self, **request: Any) -> Mapping[str, Any]:
        """Return the parameters of the template."""
        return {"Parameters": MONITOR if "MonitorImageUri" in request["TemplateBody"] else FUNCTIONS}

    def create_change_set(self, **request: Any) -> Mapping[str, Any]:
        """Plan; a stack that is not there yet comes into being empty."""
        self.requests.append(request)
        name = request["StackName"]
        self._note("plan", name)
        if name not in self.stacks:
            self.stack(name, "REVIEW_IN_PROGRESS")
        arn = f"arn:aws:cloudformation:{REGION}:{NUMBER}:changeSet/{request['ChangeSetName']}/{next(self._numbers)}"
        end = "FAILED" if self.refused or not self.changes else "CREATE_COMPLETE"
        self._planned[arn] = (name, [*self.planning, end])
        return {"Id": arn}

    def describe_change_set(self, **request: Any) -> Mapping[str, Any]:
        """Return the state of a change set, and a page of its changes."""
        name, states = self._planned[request["ChangeSetName"]]
        status = states.pop(0) if len(states) > 1 else states[0]
        answer: dict[str, Any] = {"Status": status, "StackId": self.stacks[name].arn}
        if status == "FAILED":
            return answer | {"StatusReason": self.refused or _NO_CHANGES}
        page = int(request.get("NextToken", "0"))
        names = ("Action", "LogicalResourceId", "ResourceType", "Replacement")
        found = [{"ResourceChange": dict(zip(names, each, strict=False))} for each in self.changes[page]]
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.changes) else {}
        return answer | {"Changes": found} | more

    def execute_change_set(self, **request: Any) -> Mapping[str, Any]:
        """Carry a change set out."""
        name, _ = self._planned.pop(request["ChangeSetName"])
        self._note("execute", name)
        created = self.stacks[name].status == "REVIEW_IN_PROGRESS"
        self._passing[name] = list(self.ahead) or ["CREATE_COMPLETE" if created else "UPDATE_COMPLETE"]
        self.stacks[name].outputs = dict(self.outputs)
        return {}

    def delete_change_set(self, **request: Any) -> Mapping[str, Any]:
        """Forget a change set."""
        self._note("discard", self._planned.pop(request["ChangeSetName"])[0])
        return {}

    def delete_stack(self, **request: Any) -> Mapping[str, Any]:
        """Delete a stack."""
        name = self._name(request["StackName"])
        self._note("delete", name)
        self._passing[name] = list(self.ahead) or ["GONE"]
        return {}

    def _note(self, what: str, name: str) -> None:
        self.calls.append(f"{what} {name}")

    def _reach(self, name: str, status: str) -> None:
        if status == "GONE":
            self.stacks.pop(name, None)
        elif name in self.stacks:
            self.stacks[name].status = status

    @staticmethod
    def _name(named: str) -> str:
        return named.split("/")[1] if named.startswith("arn:") else named


@dataclass(kw_only=True, eq=False)
class S3:
    """One bucket in memory; a `functions.cli.deployment.aws.bundle.S3`.

    Attributes:
        made: the requests by which the bucket was made.
        objects: the contents by key.
        written: the keys in the order in which they were written.
        refused: the error codes of calls that fail, by the call's name.

    """

    made: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    meta: Any = field(default_factory=lambda: SimpleNamespace(endpoint_url=ENDPOINT))

    def head_bucket(self, **_request: object) -> Mapping[str, Any]:
        """Answer 404 until the bucket is made."""
        self._refuse("head_bucket")
        if not self.made:
            raise refusal("404", "Not Found", "HeadBucket")
        return {}

    def create_bucket(self, **request: object) -> Mapping[str, Any]:
        """Make the bucket."""
        self._refuse("create_bucket")
        self.made.append(request)
        return {}

    def put_public_access_block(self, **request: object) -> Mapping[str, Any]:
        """Note that it is private."""
        self.made.append(request)
        return {}

    def head_object(self, **request: Any) -> Mapping[str, Any]:
        """Answer 404 for an object that is not there."""
        self._refuse("head_object")
        if request["Key"] not in self.objects:
            raise refusal("404", "Not Found", "HeadObject")
        return {}

    def put_object(self, **request: Any) -> Mapping[str, Any]:
        """Write an object."""
        self.objects[request["Key"]] = request["Body"]
        self.written.append(request["Key"])
        return {}

    def _refuse(self, call: str) -> None:
        if call in self.refused:
            raise refusal(self.refused[call], "ordered by a test", call)


@dataclass(kw_only=True, eq=False)
class Account:
    """An account with these services; a `functions.cli.deployment.aws.deployment.Account`.

    Attributes:
        cloudformation: its stacks.
        s3: its bucket.
        regions: the regions that the account was opened in.

    """

    cloudformation: CloudFormation = field(default_factory=CloudFormation)
    s3: S3 = field(default_factory=S3)
    regions: list[str] = field(default_factory=list)
    number: str = NUMBER
    region: str = REGION

    def client(self, service: str) -> Any:
        """Return one of the services."""
        return {"cloudformation": self.cloudformation, "s3": self.s3}[service]

    @property
    def in_region(self) -> Callable[[str], "Account"]:
        """A function that returns this account for every region."""

        def found(region: str) -> Account:
            self.regions.append(region)
            return self

        return found


def key_of(content: bytes, suffix: str) -> str:
    """Return the key under which a bundle or a template is kept."""
    return f"retrain/{sha256(content).hexdigest()}{suffix}"
