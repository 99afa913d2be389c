"""Deploying to AWS, against moto: each request for a change set names every parameter of the template."""

import io
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zipfile import ZipFile

import pytest

from emulators.aws_client import client
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.moto_server import CREDENTIALS, moto_server
from functions.cli.deployment.aws.__main__ import FILES, Terminal, main
from functions.cli.deployment.aws.outputs import variables_of
from functions.cli.deployment.aws.parameters import SECRET_OF
from functions.cli.deployment.aws.stack import Deployed
from tests.contracts.gate import passed_on
from tests.deploy.template import ROOT, read_template

# moto, in this process, warns of each type of resource that it does not make.
pytestmark = [pytest.mark.deep, pytest.mark.filterwarnings("ignore:Tried to parse .*:UserWarning")]
PIPELINE = "arn:aws:sagemaker:eu-west-3:123456789012:pipeline/churn-training"
ROLE = "arn:aws:iam::210987654321:role/emitter"
TOPIC = "arn:aws:sns:eu-west-3:123456789012:on-call"
BUS = "arn:aws:events:eu-west-3:210987654321:event-bus/retrain"
EMITTER = {"PARAMETER_EmitterAccount": "883313729965", "PARAMETER_EmitterExternalId": "from-the-platform"}
_numbers = count(1)


def _zip() -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as bundle:
        bundle.writestr("functions/aws/handler.py", "def emit(event, context): ...")
    return packed.getvalue()


CODE = _zip()


@dataclass(kw_only=True)
class Ran:
    """The result of one command.

    Attributes:
        code: the exit code.
        out: the results.
        complaints: the errors.

    """

    code: int
    out: str
    complaints: str


@dataclass(kw_only=True, eq=False)
class Aws:
    """An AWS account on loopback, with one environment's settings.

    Attributes:
        moto: the URL of moto.
        folder: the folder with the settings.
        stack: the stack's name.
        requests: the form fields of every request to CloudFormation, in order.
        answer: gives the answer instead of moto where it returns one.

    """

    moto: str
    folder: Path
    stack: str = field(default_factory=lambda: f"retrain-{next(_numbers)}")
    requests: list[dict[str, str]] = field(default_factory=list)
    answer: Any = None

    def respond(self, request: Request) -> Answer | None:
        """Note the request, and pass it on."""
        fields = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        if "Action" in fields and "Version" in fields:
            self.requests.append(fields)
            if self.answer is not None and (given := self.answer(fields)) is not None:
                return given  # type: ignore[no-any-return]
        return passed_on(self.moto, request)

    def settings(self, text: str = "", environment: str = "dev") -> None:
        """Write the settings of an environment."""
        path = self.folder / f"{environment}.toml"
        path.write_text(f'stack = "{self.stack}"\n{text}', encoding="utf-8")

    def run(self, *arguments: str, answers: str | None = None, **variables: str) -> Ran:
        """Run a command as `make` does; with *answers* a person is there."""
        out, complaints = io.StringIO(), io.StringIO()
        terminal = Terminal(out, None if answers is None else lambda _question: answers)
        code = main([*arguments, "--settings", str(self.folder)], variables, terminal, complaints)
        return Ran(code=code, out=out.getvalue(), complaints=complaints.getvalue())

    def deploy(self, *options: str, environment: str = "dev", **variables: str) -> Ran:
        """Deploy a small zip."""
        bundle = self.folder / "aws.zip"
        bundle.write_bytes(CODE)
        return self.run("deploy", environment, "--bundle", str(bundle), *options, **variables)

    @property
    def asked(self) -> dict[str, str]:
        """The newest request for a change set."""
        return [one for one in self.requests if one["Action"] == "CreateChangeSet"][-1]

    @property
    def sent(self) -> dict[str, str | None]:
        """The parameters of the newest request for a change set; nothing stands for the previous value."""
        request = self.asked
        members = [name for name in request if re.fullmatch(r"Parameters\.member\.\d+\.ParameterKey", name)]
        return {request[name]: request.get(name.replace("ParameterKey", "ParameterValue")) for name in members}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Return the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def aws(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Return an account whose settings name nothing but the stack."""
    made = Aws(moto=moto, folder=tmp_path)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = LoopbackServer(made.respond)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    # moto finds a template in its own buckets only by this name of the machine.
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto.replace("127.0.0.1", "localhost"))
    made.settings()
    yield made
    server.close()


def defaults(template: Path = FILES.template) -> dict[str, str]:
    """Return every parameter of a template with its default."""
    declared = read_template(dict.fromkeys(("EventBusArn", "LedgerTable", "UndeliveredQueueArn"), ""), template)
    return {name: str(one["Default"]) for name, one in declared.parameters.items() if "Default" in one}


def test_a_first_deployment_sends_every_parameter(aws: Aws) -> None:
    """The stack is created with each default by value, its rights and tags, and would vanish if it failed."""
    done = aws.deploy()
    assert (done.code, done.complaints) == (0, "")
    assert aws.sent == defaults()
    assert (aws.asked["ChangeSetType"], aws.asked["OnStackFailure"]) == ("CREATE", "DELETE")
    assert aws.asked["Capabilities.member.1"] == "CAPABILITY_IAM"
    tags = {aws.asked[f"Tags.member.{number}.Key"]: aws.asked[f"Tags.member.{number}.Value"] for number in (1, 2)}
    assert tags == {"application": "retrain", "environment": "dev"}
    assert f"{aws.stack} is CREATE_COMPLETE" in done.out


def test_the_template_that_is_sent_names_the_bundle_by_its_digest(aws: Aws) -> None:
    """Only the place of the code differs from template.yaml, and the bucket holds the zip there."""
    assert aws.deploy().code == 0
    bucket, key = aws.asked["TemplateURL"].rsplit("/", 3)[-3], "/".join(aws.asked["TemplateURL"].rsplit("/", 2)[-2:])
    s3 = client("s3", aws.moto, s3={"addressing_style": "path"})
    sent = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
    changed = [line for line, ours in zip(sent, FILES.template.read_text().splitlines(), strict=True) if line != ours]
    (place,) = [re.fullmatch(rf"    CodeUri: s3://{bucket}/(retrain/[0-9a-f]{{64}}\.zip)", line) for line in changed]
    assert place is not None
    assert s3.get_object(Bucket=bucket, Key=place[1])["Body"].read() == CODE
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]


def test_what_is_taken_out_of_the_settings_is_revoked(aws: Aws) -> None:
    """An update sends the default of a parameter that was given before, and no previous value."""
    assert aws.deploy().code == 0
    aws.settings(f'[parameters]\nPipelineArns = ["{PIPELINE}"]\nCopyToQueue = true\nLogRetentionDays = 30')
    # moto cannot carry out all of these changes.
    assert aws.deploy("--plan").code == 0
    given = {"PipelineArns": PIPELINE, "CopyToQueue": "yes", "LogRetentionDays": "30"}
    assert aws.sent == defaults() | given
    aws.settings("[parameters]\nLogRetentionDays = 60")
    assert aws.deploy("--plan").code == 0
    assert aws.asked["ChangeSetType"] == "UPDATE"
    assert aws.sent == defaults() | {"LogRetentionDays": "60"}
    assert "OnStackFailure" not in aws.asked


def test_a_changed_default_arrives(aws: Aws) -> None:
    """It is sent by value to a stack that was made with the default before it."""
    older = "Parameters: {Source: {Type: String, Default: older}}\nResources: {Queue: {Type: AWS::SQS::Queue}}"
    client("cloudformation", aws.moto).create_stack(StackName=aws.stack, TemplateBody=older)
    assert aws.deploy("--plan").code == 0
    assert (aws.asked["ChangeSetType"], aws.sent["Source"]) == ("UPDATE", "ml3_platform")


def test_parameters_on_the_command_line_win(aws: Aws) -> None:
    """They are quoted as in a shell; a schedule keeps its spaces, stars and question mark."""
    aws.settings('[parameters]\nSchedule = "rate(7 days)"\nSource = "acme"')
    assert aws.deploy(PARAMETERS='Schedule="cron(30 9 ? * MON *)" LedgerTableName=').code == 0
    assert aws.sent == defaults() | {"Schedule": "cron(30 9 ? * MON *)", "Source": "acme"}


def test_a_secret_is_given_again_or_kept(aws: Aws) -> None:
    """Of a stack with an emitter the external id must be given or named as kept, or nothing is deployed."""
    assert aws.deploy(**EMITTER).code == 0
    assert aws.sent["EmitterExternalId"] == "from-the-platform"
    before = len([one for one in aws.requests if one["Action"] == "CreateChangeSet"])
    refused = aws.deploy(PARAMETER_EmitterAccount="883313729965")
    assert refused.code == 1
    assert "EmitterExternalId: is secret" in refused.complaints
    assert "set the variable PARAMETER_EmitterExternalId" in refused.complaints
    assert len([one for one in aws.requests if one["Action"] == "CreateChangeSet"]) == before
    aws.settings('keep = ["EmitterExternalId"]\n[parameters]\nEmitterAccount = "883313729965"')
    assert aws.deploy().code == 0
    assert "EmitterExternalId" in aws.sent
    assert aws.sent["EmitterExternalId"] is None
    assert aws.sent == defaults() | {"EmitterAccount": "883313729965", "EmitterExternalId": None}


def test_a_secret_without_a_use_is_emptied(aws: Aws) -> None:
    """An emitter that is taken out loses its external id, too, without a word about it in the settings."""
    assert aws.deploy(**EMITTER).code == 0
    assert aws.deploy().code == 0
    assert aws.sent == defaults()


def test_every_secret_belongs_to_a_parameter() -> None:
    """The template's secrets are those whose use is known."""
    for path in (FILES.template, FILES.monitor):
        parameters = read_template(
            dict.fromkeys(
                ("EventBusArn", "LedgerTable", "UndeliveredQueueArn", "MonitorImageUri", "MonitorSiteBucket"), ""
            ),
            path,
        ).parameters
        secret = {name for name, one in parameters.items() if one.get("NoEcho")}
        assert secret <= set(SECRET_OF)
        assert {SECRET_OF[name] for name in secret} <= set(parameters)


@pytest.mark.parametrize(
    ("settings", "variables", "complaint"),
    [
        ("[parameters]\nPipelineArn = 'x'", {}, "PipelineArn: the template has no such parameter"),
        ("[parameters]\nArchitecture = 'm68k'", {}, "Architecture: 'm68k' is not allowed; allowed are arm64, x86_64"),
        ("[parameters]\nEmitterExternalId = 'x'", {}, "EmitterExternalId: is secret and must not be in a file"),
        ("keep = ['Source']", {}, "keep: Source is not a secret parameter"),
        ("keep = ['EmitterExternalId']", {}, "keep: the stack has no EmitterExternalId yet"),
        ("colour = 'red'", {}, "colour: is not a known key"),
        ("[parameters]\nSource = 1.5", {}, "parameters.Source: must be a string"),
        ("", {"PARAMETERS": "Schedule=cron(30 9"}, "PARAMETERS: '9' is not of the form NAME=value"),
        ("", {"PARAMETERS": 'Schedule="cron(30'}, "PARAMETERS: No closing quotation"),
        ("[parameters", {}, "is not valid TOML"),
    ],
)
def test_wrong_settings_are_refused(aws: Aws, settings: str, variables: Mapping[str, str], complaint: str) -> None:
    """The sentence names the place, and nothing is uploaded."""
    aws.settings(settings)
    done = aws.deploy(**variables)
    assert done.code == 1
    assert complaint in done.complaints
    assert "CreateChangeSet" not in {one["Action"] for one in aws.requests}


def test_prod_without_anybody_who_hears_of_dead_letters_is_refused(aws: Aws) -> None:
    """It needs a topic for alarms; dev does not."""
    aws.settings(environment="prod")
    refused = aws.run("check", "prod")
    assert (refused.code, "AlarmTopicArn: prod needs an SNS topic" in refused.complaints) == (1, True)
    aws.settings(f'[parameters]\nAlarmTopicArn = "{TOPIC}"', environment="prod")
    assert aws.deploy(environment="prod").code == 0
    assert aws.sent == defaults() | {"Environment": "prod", "AlarmTopicArn": TOPIC}


def test_two_environments_fit_into_one_account_and_region() -> None:
    """Everything with a name of its own has the stack's name in it, and stacks are named after environments."""
    named = re.compile(r"^(?:Name|\w*(?:Function|Bus|Group|Role|Queue|Table|Policy|Alarm|Rule|Topic)Name)$")
    template = read_template({"CopyToLogGroup": "yes", "CopyToQueue": "yes", "EmitterAccount": "883313729965"})
    found = [
        value
        for entry in template.resources.values()
        for name, value in entry["Properties"].items()
        if named.fullmatch(name)
    ]
    of_this_stack = {"${AWS::StackName}", *(f"${{{name}}}" for name in template.resources)}
    assert len(found) >= 4
    assert [value for value in found if not any(name in value for name in of_this_stack)] == []


def test_a_plan_is_shown_and_carried_out_later(aws: Aws) -> None:
    """The change set of a plan is executed by its ARN, and nothing is deployed before."""
    planned = aws.deploy("--plan")
    (arn,) = re.findall(r"^Change set: (arn:\S+)$", planned.out, re.MULTILINE)
    assert re.search(r"^  Add +Ledger +AWS::DynamoDB::Table$", planned.out, re.MULTILINE)
    assert "ExecuteChangeSet" not in {one["Action"] for one in aws.requests}
    done = aws.run("execute", "dev", arn)
    assert (done.code, f"{aws.stack} is CREATE_COMPLETE" in done.out) == (0, True)


@pytest.mark.parametrize(("answers", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_an_approval_is_requested_once(aws: Aws, answers: str, code: int) -> None:
    """On a terminal only yes deploys; after a no neither the change set nor an empty stack is left."""
    bundle = aws.folder / "aws.zip"
    bundle.write_bytes(CODE)
    done = aws.run("deploy", "dev", "--bundle", str(bundle), answers=answers)
    assert done.code == code
    actions = [one["Action"] for one in aws.requests]
    assert ("ExecuteChangeSet" in actions) == (code == 0)
    assert ("DeleteChangeSet" in actions) == (code == 1)


def test_nothing_to_change_is_a_success(aws: Aws) -> None:
    """CloudFormation fails such a change set; here it is deleted, and the command ends with 0."""
    assert aws.deploy().code == 0
    done = aws.deploy()
    assert (done.code, done.out) == (0, f"The stack {aws.stack} has nothing to change.\n")
    assert aws.requests[-1]["Action"] == "DeleteChangeSet"


def test_a_stack_that_cannot_be_deployed_to_says_what_to_do(aws: Aws) -> None:
    """Nothing is uploaded to one that is being changed, or whose creation failed."""
    for status, advice in (("UPDATE_IN_PROGRESS", "wait until that is over"), ("ROLLBACK_COMPLETE", "delete it")):
        stack = f"<StackId>arn:x</StackId><StackName>x</StackName><StackStatus>{status}</StackStatus>"
        body = f"<DescribeStacksResponse><DescribeStacksResult><Stacks><member>{stack}</member></Stacks>"
        body += "</DescribeStacksResult></DescribeStacksResponse>"
        answer = Answer(status=200, body=body.encode(), headers={"Content-Type": "text/xml"})
        aws.answer = lambda fields, answer=answer: answer if fields["Action"] == "DescribeStacks" else None
        done = aws.deploy()
        assert (done.code, status in done.complaints, advice in done.complaints) == (1, True, True)
    assert "CreateChangeSet" not in {one["Action"] for one in aws.requests}


def test_a_refused_right_is_named(aws: Aws) -> None:
    """AWS's own sentence names the action that is missing."""
    message = "not authorized to perform: cloudformation:CreateChangeSet"
    error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    refusal = Answer(
        status=403, body=f"<ErrorResponse>{error}</ErrorResponse>".encode(), headers={"Content-Type": "text/xml"}
    )
    aws.answer = lambda fields: refusal if fields["Action"] == "CreateChangeSet" else None
    done = aws.deploy()
    assert done.code == 1
    assert done.complaints == (
        f"could not create a change set for the stack {aws.stack}: "
        "AccessDenied: not authorized to perform: cloudformation:CreateChangeSet\n"
    )


def test_it_can_be_deleted_and_says_what_is_kept(aws: Aws) -> None:
    """The stack is gone afterwards; without a terminal it needs --yes, on one a yes."""
    assert aws.deploy().code == 0
    assert aws.run("destroy", "dev").complaints == "to delete without a terminal, add --yes\n"
    assert aws.run("destroy", "dev", answers="n").code == 1
    done = aws.run("destroy", "dev", "--yes")
    assert (done.code, done.out.splitlines()[-1]) == (0, "Deleted.")
    assert "Kept: the bucket retrain-bundles-123456789012-eu-west-3" in done.out
    assert aws.deploy().code == 0
    assert aws.asked["ChangeSetType"] == "CREATE"


def test_the_monitor_is_connected_to_the_other_stack(aws: Aws) -> None:
    """Its stack gets the outputs of the first one, the settings that both have, and its own."""
    cloudformation = client("cloudformation", aws.moto)
    outputs = {"EventBusArn": BUS, "LedgerTable": "retrain-dev-Ledger", "UndeliveredQueueArn": "arn:aws:sqs:x:1:q"}
    shown = "\n".join(f"  {name}: {{Value: '{value}'}}" for name, value in outputs.items())
    queue = "Resources: {Queue: {Type: AWS::SQS::Queue}}"
    cloudformation.create_stack(StackName=aws.stack, TemplateBody=f"{queue}\nOutputs:\n{shown}")
    aws.settings(
        f'[parameters]\nSource = "acme"\nPipelineArns = "{PIPELINE}"\n[monitor]\nMonitorSiteBucket = "acme-drift"'
    )
    image = f"123456789012.dkr.ecr.eu-west-3.amazonaws.com/drift-monitor@sha256:{'0a' * 32}"
    planned = aws.run("deploy", "dev", "--monitor", "--plan", MONITOR_PARAMETER_MonitorImageUri=image)
    assert (planned.code, planned.complaints) == (0, "")
    own = {"Source": "acme", "MonitorSiteBucket": "acme-drift", "MonitorImageUri": image}
    with_values = dict.fromkeys(outputs, "") | {"MonitorImageUri": "", "MonitorSiteBucket": ""}
    declared = read_template(with_values, FILES.monitor).parameters
    expected = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
    assert aws.sent == expected | outputs | own
    assert aws.asked["StackName"] == f"{aws.stack}-monitor"


def test_the_monitor_needs_the_other_stack(aws: Aws) -> None:
    """Without it, and without an image, nothing is deployed."""
    done = aws.run("deploy", "dev", "--monitor")
    assert done.complaints == f"there is no stack {aws.stack} to connect the monitor to: deploy it first\n"


def test_the_outputs_are_the_variables_of_the_functions() -> None:
    """`doctor` gets what the template gives the functions, so nothing has to be written down again."""
    template = read_template({"GitHubApi": "https://github.example.com"})
    given: dict[str, str] = {}
    for function in template.functions.values():
        given |= function["Environment"]["Variables"]
    outputs = {"EmittedBus": "bus", "LedgerTable": "table", "RejectedQueueUrl": "queue"}
    parameters = {"Configuration": "retrain.toml", "Source": "s", "Environment": "dev", "GitHubApi": "https://x"}
    parameters |= {"GitHubTokenSecretArn": "arn", "ForeignBusRoleArn": "role"}
    stack = "arn:aws:cloudformation:eu-north-1:123456789012:stack/retrain-dev/1"
    found = variables_of(Deployed(stack_id=stack, status="", parameters=parameters, outputs=outputs))
    assert {found.pop("AWS_REGION"), found.pop("AWS_DEFAULT_REGION")} == {"eu-north-1"}
    assert set(found) == set(given) - {"RETRAIN_EXTERNAL_ID", "POWERTOOLS_METRICS_NAMESPACE"}


def test_up_to_the_first_call_without_aws(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a closed port one sentence says which call failed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        done = aws.run("check", "dev")
    assert done.code == 1
    assert done.complaints.startswith("could not find out which AWS account this is: Could not connect")


@pytest.mark.parametrize(
    ("gone", "complaint"),
    [
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "there are no AWS credentials: sign in with `aws configure`"),
        (("AWS_DEFAULT_REGION",), "no region is set: put `region` into the environment's settings, or set AWS_REGION"),
    ],
)
def test_what_the_machine_lacks_is_named(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, gone: tuple[str, ...], complaint: str
) -> None:
    """Credentials and a region are missed before anything is built."""
    for name in gone:
        monkeypatch.delenv(name)
    assert complaint in aws.run("check", "dev").complaints
    assert aws.requests == []


def test_the_region_may_be_in_the_settings_or_in_aws_region(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK itself does not read AWS_REGION."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert aws.run("check", "dev", AWS_REGION="eu-central-1").code == 0
    aws.settings('region = "eu-central-1"')
    assert aws.run("check", "dev").code == 0


def test_make_deploys_as_a_user_types_it(aws: Aws) -> None:
    """`make deploy-aws ENV=dev` checks, builds with SAM and deploys; a second one with a parameter updates.

    It needs the SAM command line, which `make check-sam` sets up.
    """
    if not os.environ.get("CHECK_DEPLOY"):
        pytest.skip("make check-deploy runs this: it builds with SAM")
    # The environment that runs the tests is never made anew by one of them, however old it is.
    kept = ["--old-file=.venv/.ready", "--old-file=.tools/sam/bin/sam"]
    command = ["make", "--no-print-directory", *kept, "deploy-aws", "ENV=dev", f"SETTINGS={aws.folder}"]
    for more, kind in (([], "CREATE"), ([f"PARAMETERS=PipelineArns={PIPELINE}"], "UPDATE")):
        done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{aws.stack} is {kind}_COMPLETE" in done.stdout
        assert aws.asked["ChangeSetType"] == kind
    assert aws.sent == defaults() | {"PipelineArns": PIPELINE}
