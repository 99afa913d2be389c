"""A deployment to AWS: what is checked first, what is planned, and what is carried out.

There are two stacks: `retrain-ENV` with the functions, from template.yaml, and `retrain-ENV-monitor` with the drift
monitor, from deploy/aws/monitor.yaml, which is connected to the first one by its outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from functions.cli.deployment.aws.bundle import BundleStore, with_code_at
from functions.cli.deployment.aws.errors import translated
from functions.cli.deployment.aws.parameters import Declared, Given, Sent, all_parameters
from functions.cli.deployment.aws.settings import Settings
from functions.cli.deployment.aws.stack import ChangeSet, Deployed, Request, Stack
from functions.cli.deployment.errors import DeploymentError, SettingsError

# The largest template that GetTemplateSummary takes in a request: bytes.
_LARGEST_BODY: Final = 51_200
# Parameters of the monitor's template that come from the outputs of the other stack.
_CONNECTED: Final = ("EventBusArn", "LedgerTable", "UndeliveredQueueArn")
# The resources that a stack leaves behind, by the output that names each.
_KEPT: Final[Mapping[str, str]] = {"LedgerTable": "the ledger (a DynamoDB table)", "SiteBucket": "the monitor's bucket"}


class Account(Protocol):
    """The AWS account and region of a deployment."""

    @property
    def number(self) -> str:
        """The account's number."""

    @property
    def region(self) -> str:
        """The region."""

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore's clients have no types
        """Return botocore's client for a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files of the project that a deployment reads.

    Attributes:
        template: template.yaml.
        monitor: the monitor's template.
        settings: the folder with the environments' settings.

    """

    template: Path
    monitor: Path
    settings: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A deployment whose preconditions hold.

    Attributes:
        stack: the stack.
        template: the template's text.
        parameters: every parameter of the template.
        deployed: the stack as it is now, if there is one.

    """

    stack: Stack
    template: str
    parameters: tuple[Sent, ...]
    deployed: Deployed | None


class Deployment:
    """The deployment of one environment.

    Args:
        account: where it goes.
        settings: the environment's settings.
        files: the project's files.
        poll: seconds between two looks at something that takes its time.

    """

    def __init__(self, account: Account, settings: Settings, files: Files, poll: float = 5) -> None:
        self._account = account
        self._settings = settings
        self._files = files
        client = account.client("cloudformation")
        self.main = Stack(client, settings.stack, poll)
        self.monitor = Stack(client, f"{settings.stack}-monitor", poll)
        self.bundles = self._bundles()

    def check(self) -> Ready:
        """Check everything that a deployment of the functions needs, in seconds, and change nothing.

        Raises:
            DeploymentError: something is missing or wrong.

        """
        return self._ready(self.main, self._files.template, self._settings.parameters)

    def check_monitor(self) -> Ready:
        """Check everything that a deployment of the monitor needs, and change nothing.

        Raises:
            DeploymentError: something is missing or wrong, such as the stack with the functions.

        """
        main = self.main.ready()
        if main is None:
            raise DeploymentError(f"there is no stack {self.main.name} to connect the monitor to: deploy it first")
        connected = {name: main.outputs[name] for name in _CONNECTED if name in main.outputs}
        if len(connected) < len(_CONNECTED):
            raise DeploymentError(f"the stack {self.main.name} is of an older version: deploy it again first")
        declared = {one["ParameterKey"] for one in self.monitor.declared(_text(self._files.monitor))}
        # Both have the same Source, topics and keys, unless the settings say otherwise.
        shared = {name: value for name, value in self._settings.parameters.items() if name in declared}
        return self._ready(self.monitor, self._files.monitor, {**shared, **self._settings.monitor, **connected})

    def plan(self, ready: Ready, name: str, bundle: bytes | None = None) -> ChangeSet | None:
        """Upload what the stack needs, and make a change set called *name*; nothing if nothing would change.

        Args:
            ready: what was checked.
            name: the change set's name: letters, digits and hyphens.
            bundle: the zip with the code; nothing for the monitor, whose code is an image.

        Raises:
            DeploymentError: AWS refuses something.

        """
        template = ready.template
        self.bundles.make()
        if bundle is not None:
            template = with_code_at(template, self.bundles.bucket, self.bundles.keep(bundle, ".zip"))
        key = self.bundles.keep(template.encode(), ".yaml")
        tags = {"application": "retrain", "environment": self._settings.environment, **self._settings.tags}
        request = Request(
            template_url=self.bundles.url(key), parameters=ready.parameters, tags=tags, role=self._settings.role
        )
        return ready.stack.plan(request, name)

    def destroy(self) -> list[str]:
        """Delete both stacks, the monitor's first, and return what is kept, a sentence each.

        Raises:
            DeploymentError: AWS did not delete one.

        """
        kept = self.kept()
        for stack in (self.monitor, self.main):
            stack.delete()
        return kept

    def kept(self) -> list[str]:
        """Return what outlives the stacks, by name.

        Raises:
            DeploymentError: CloudFormation cannot be queried.

        """
        found = [stack.deployed() for stack in (self.monitor, self.main)]
        outputs = {name: value for one in found if one for name, value in one.outputs.items()}
        named = [f"{what} {outputs[name]}" for name, what in _KEPT.items() if name in outputs]
        return [*named, f"the bucket {self.bundles.bucket} with the bundles of all environments in this region"]

    def _bundles(self) -> BundleStore:
        client = self._account.client("s3")
        bucket = self._settings.bucket or f"retrain-bundles-{self._account.number}-{self._account.region}"
        return BundleStore(
            client,
            bucket=bucket,
            account=self._account.number,
            region=self._account.region,
            endpoint=str(client.meta.endpoint_url),
        )

    def _ready(self, stack: Stack, template: Path, values: Mapping[str, str]) -> Ready:
        text = _text(template)
        declared = stack.declared(text)
        deployed = stack.ready()
        file = self._settings_file
        known = {one["ParameterKey"] for one in declared}
        given = Given(
            source=str(file),
            values={"Environment": self._settings.environment, **values},
            keep=[name for name in self._settings.keep if name in known or stack is self.main],
            deployed=deployed.parameters if deployed else (),
        )
        parameters = all_parameters(declared, given)
        problems = self._problems(declared, parameters)
        if problems:
            raise SettingsError(given.source, problems)
        return Ready(stack=stack, template=text, parameters=tuple(parameters), deployed=deployed)

    @property
    def _settings_file(self) -> Path:
        return self._files.settings / f"{self._settings.environment}.toml"

    def _problems(self, declared: Sequence[Declared], parameters: Sequence[Sent]) -> list[str]:
        secret = {one["ParameterKey"] for one in declared if one.get("NoEcho")}
        problems = [
            f"{name}: is secret and must not be in a file: set the variable PARAMETER_{name}"
            for name in sorted(secret & self._settings.in_file)
        ]
        values = {one["ParameterKey"]: one.get("ParameterValue", "kept") for one in parameters}
        if self._settings.environment == "prod" and values.get("AlarmTopicArn") == "":
            problems.append("AlarmTopicArn: prod needs an SNS topic that people read, or dead letters go unnoticed")
        return problems


def caller(client: Any) -> str:  # noqa: ANN401 - botocore's clients have no types
    """Return the number of the account that the credentials belong to.

    Raises:
        DeploymentError: there are no credentials, or AWS does not accept them.

    """
    with translated("find out which AWS account this is"):
        return str(client.get_caller_identity()["Account"])


def _text(template: Path) -> str:
    text = template.read_text(encoding="utf-8")
    if len(text.encode()) > _LARGEST_BODY:
        raise DeploymentError(f"{template} is larger than {_LARGEST_BODY} bytes, which CloudFormation does not read")
    return text
