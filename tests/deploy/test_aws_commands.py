"""The commands of a deployment to AWS, in an account in memory; against moto see `test_aws_deployment.py`."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from functions.cli.deployment.aws.__main__ import FILES, Terminal, main
from functions.cli.deployment.aws.deployment import Deployment, Files
from functions.cli.deployment.aws.settings import Settings
from functions.cli.deployment.errors import DeploymentError
from tests.deploy.stacks import CONNECTED, ENDPOINT, REGION, Account, key_of

CODE = b"a bundle"
DEV, MONITOR = "retrain-dev", "retrain-dev-monitor"
OUTPUTS = {"EmittedBus": "bus", "LedgerTable": "states", "RejectedQueueUrl": "https://sqs.example/rejected"}
CONNECTIONS = {name: f"the {name}" for name in CONNECTED}


@dataclass(kw_only=True, eq=False)
class Desk:
    """A person's folder with settings, and the account that is deployed to.

    Attributes:
        folder: the folder.
        account: the account.
        questions: the questions that the person was shown.

    """

    folder: Path
    account: Account = field(default_factory=Account)
    questions: list[str] = field(default_factory=list)

    def run(
        self, *arguments: str, answer: str | None = None, variables: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Run a command; with *answer* a person is there. Return the exit code, the results and the errors."""
        out, errors = io.StringIO(), io.StringIO()

        def person(question: str) -> str:
            self.questions.append(question)
            if answer == "Ctrl-C":
                raise KeyboardInterrupt
            return answer or ""

        terminal = Terminal(out, None if answer is None else person)
        given = [*arguments, "--settings", str(self.folder)]
        code = main(given, variables or {}, terminal, errors, self.account.in_region)
        return code, out.getvalue(), errors.getvalue()

    def deploy(self, *options: str, answer: str | None = None, variables: Any = None) -> tuple[int, str, str]:
        """Deploy a bundle to dev."""
        (self.folder / "aws.zip").write_bytes(CODE)
        bundle = str(self.folder / "aws.zip")
        return self.run("deploy", "dev", "--bundle", bundle, *options, answer=answer, variables=variables)

    def settings(self, text: str, environment: str = "dev") -> None:
        """Write the settings of an environment."""
        (self.folder / f"{environment}.toml").write_text(text, encoding="utf-8")

    @property
    def calls(self) -> list[str]:
        """The calls to CloudFormation that change something."""
        return self.account.cloudformation.calls

    @property
    def sent(self) -> dict[str, str | None]:
        """The parameters of the newest change set; None stands for the previous value."""
        return {
            each["ParameterKey"]: each.get("ParameterValue")
            for each in self.account.cloudformation.requests[-1]["Parameters"]
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a folder without settings, and an account without stacks."""
    return Desk(folder=tmp_path)


def test_a_check_changes_nothing(desk: Desk) -> None:
    """It says whether the stack would be created or updated."""
    cloudformation = desk.account.cloudformation
    assert desk.run("check", "dev") == (0, f"Nothing is missing: the stack {DEV} would be created.\n", "")
    cloudformation.stack(DEV)
    assert desk.run("check", "dev") == (0, f"Nothing is missing: the stack {DEV} would be updated.\n", "")
    assert (desk.calls, desk.account.s3.objects) == ([], {})


def test_a_first_deployment(desk: Desk) -> None:
    """The bundle and a template that names it are uploaded into a private bucket, and the outputs are shown."""
    desk.account.cloudformation.outputs = {"B": "second", "A": "first"}
    code, out, errors = desk.deploy()
    assert (code, errors) == (0, "")
    assert out.splitlines() == [
        f"Changes to the stack {DEV}:",
        f"  Add      {'Ledger':28} AWS::DynamoDB::Table",
        f"Creating {DEV}; this takes some minutes.",
        f"{DEV} is CREATE_COMPLETE.",
        "  A = first",
        "  B = second",
    ]
    bucket = f"retrain-bundles-123456789012-{REGION}"
    placed, private = desk.account.s3.made
    assert placed == {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": REGION}}
    assert set(private["PublicAccessBlockConfiguration"].values()) == {True}
    bundle, template = desk.account.s3.written
    assert bundle == key_of(CODE, ".zip")
    assert f"CodeUri: s3://{bucket}/{bundle}\n".encode() in desk.account.s3.objects[template]
    (request,) = desk.account.cloudformation.requests
    assert request["TemplateURL"] == f"{ENDPOINT}/{bucket}/{template}"
    assert (request["ChangeSetType"], request["OnStackFailure"]) == ("CREATE", "DELETE")
    assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == {"application": "retrain", "environment": "dev"}
    assert "RoleARN" not in request
    assert desk.sent["Environment"] == "dev"


def test_an_update_sends_no_file_again(desk: Desk) -> None:
    """Files in the bucket stay there; the own role, bucket, tags and region of the settings are used."""
    desk.settings('role = "arn:role"\nbucket = "acme"\nregion = "us-east-1"\ntags = {team = "ml"}')
    desk.account.region = "us-east-1"
    assert desk.deploy()[0] == 0
    assert desk.account.s3.made[0] == {"Bucket": "acme"}
    desk.account.cloudformation.changes = (
        (("Modify", "Ledger", "AWS::DynamoDB::Table", "True"), ("Modify", "Emit", "AWS::Lambda::Function", "False")),
        (("Modify", "Receive", "AWS::Lambda::Function", "Conditional"),),
    )
    code, out, _ = desk.deploy(variables={"AWS_REGION": "eu-west-1"})
    lines = out.splitlines()
    assert (code, f"Updating {DEV}; this takes some minutes." in lines) == (0, True)
    assert [line.split()[2:] for line in lines[1:4]] == [
        ["AWS::DynamoDB::Table", "REPLACED"],
        ["AWS::Lambda::Function"],
        ["AWS::Lambda::Function", "may", "be", "replaced"],
    ]
    assert len(desk.account.s3.written) == 2
    request = desk.account.cloudformation.requests[-1]
    assert (request["RoleARN"], request["ChangeSetType"], "OnStackFailure" in request) == ("arn:role", "UPDATE", False)
    assert {"Key": "team", "Value": "ml"} in request["Tags"]
    assert desk.account.regions == ["us-east-1"] * 2


def test_the_region_of_the_environment(desk: Desk) -> None:
    """AWS_REGION counts where the settings name no region."""
    desk.run("check", "dev", variables={"AWS_REGION": "eu-north-1"})
    assert desk.account.regions == ["eu-north-1"]


@pytest.mark.parametrize(("answer", "deployed"), [("y", True), (" YES ", True), ("n", False), ("", False)])
def test_a_person_confirms_once(desk: Desk, answer: str, *, deployed: bool) -> None:
    """Without a yes neither the change set nor an empty stack is left; a stack that was there stays."""
    code, _, errors = desk.deploy(answer=answer)
    assert desk.questions == [f"Deploy this to {DEV}? [y/N] "]
    if deployed:
        assert (code, desk.calls) == (0, [f"plan {DEV}", f"execute {DEV}"])
        return
    assert (code, errors) == (1, f"{DEV} was not deployed\n")
    assert desk.calls == [f"plan {DEV}", f"discard {DEV}", f"delete {DEV}"]
    desk.calls.clear()
    desk.account.cloudformation.stack(DEV)
    desk.deploy(answer=answer)
    assert desk.calls == [f"plan {DEV}", f"discard {DEV}"]


def test_yes_skips_the_confirmation(desk: Desk) -> None:
    """With `--yes` a person sees no question."""
    assert desk.deploy("--yes", answer="n")[0] == 0
    assert desk.questions == []


def test_ctrl_c_at_the_question(desk: Desk) -> None:
    """The exit code is that of an interrupted program, and nothing is carried out."""
    assert desk.deploy(answer="Ctrl-C")[0] == 130
    assert f"execute {DEV}" not in desk.calls


def test_a_plan_is_carried_out_later(desk: Desk) -> None:
    """`--plan` ends with an ARN, which `execute` takes; the empty stack of a plan counts as none."""
    code, out, _ = desk.deploy("--plan")
    words, arn = out.splitlines()[-1].split(": ")
    assert (code, words, f"execute {DEV}" in desk.calls) == (0, "Change set", False)
    assert "would be created" in desk.run("check", "dev")[1]
    code, out, errors = desk.run("execute", "dev", arn)
    assert (code, errors) == (0, "")
    assert f"Creating {DEV}; this takes some minutes.\n{DEV} is CREATE_COMPLETE.\n" in out


def test_a_change_set_of_another_stack_shows_no_changes(desk: Desk) -> None:
    """A change set without listed resources says so."""
    desk.account.cloudformation.changes = ((),)
    assert f"The stack {DEV}: changes are not listed\n" in desk.deploy("--plan")[1]


def test_nothing_to_change(desk: Desk) -> None:
    """It is a success, and the failed change set is deleted; carrying out such a change set is an error."""
    desk.account.cloudformation.stack(DEV)
    desk.account.cloudformation.changes = ()
    assert desk.deploy() == (0, f"The stack {DEV} has nothing to change.\n", "")
    assert desk.calls == [f"plan {DEV}", f"discard {DEV}"]
    arn = desk.account.cloudformation.create_change_set(StackName=DEV, ChangeSetName="old")["Id"]
    assert desk.run("execute", "dev", arn) == (1, "", f"the change set {arn} changes nothing\n")


def test_a_change_set_that_is_refused(desk: Desk) -> None:
    """CloudFormation's own reason is shown, and the change set is deleted."""
    desk.account.cloudformation.refused = "Circular dependency between resources: [Ledger]"
    code, _, errors = desk.deploy()
    assert (code, desk.calls) == (1, [f"plan {DEV}", f"discard {DEV}"])
    reason = "Circular dependency between resources: [Ledger]"
    assert errors == f"CloudFormation refuses the change set for the stack {DEV}: {reason}\n"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_IN_PROGRESS", "wait until that is over"),
        ("ROLLBACK_COMPLETE", "it was never complete: delete it, then deploy again"),
        ("DELETE_FAILED", "its deletion failed: delete it again, keeping what cannot be deleted"),
        ("UPDATE_ROLLBACK_FAILED", "continue its rollback (aws cloudformation continue-update-rollback)"),
    ],
)
def test_a_stack_that_cannot_be_deployed_to(desk: Desk, status: str, advice: str) -> None:
    """The message names the state and the next step, and nothing is uploaded."""
    desk.account.cloudformation.stack(DEV, status)
    code, _, errors = desk.deploy()
    assert (code, errors.startswith(f"the stack {DEV} is {status}: {advice}")) == (1, True)
    assert (desk.calls, desk.account.s3.made) == ([], [])


def test_a_bundle_that_is_not_there(desk: Desk) -> None:
    """It is missed before anything is made."""
    missing = desk.folder / "none.zip"
    code, _, errors = desk.run("deploy", "dev", "--bundle", str(missing))
    assert (code, errors) == (1, f"{missing} cannot be read (No such file or directory): build it first\n")
    assert desk.account.s3.made == []


@pytest.mark.parametrize(
    ("call", "code", "complaint"),
    [
        ("head_bucket", "403", "belongs to another account, or these credentials lack s3:ListBucket on it"),
        ("head_bucket", "500", "could not look at the bucket retrain-bundles-123456789012-eu-west-3: 500: ordered by"),
        ("create_bucket", "AccessDenied", "could not make the bucket retrain-bundles-123456789012-eu-west-3: Acc"),
        ("head_object", "500", "could not write to the bucket retrain-bundles-123456789012-eu-west-3: 500: ordered by"),
        ("head_bucket", "ExpiredToken", "the AWS session has ended: sign in with `aws configure`"),
    ],
)
def test_a_bucket_that_refuses(desk: Desk, call: str, code: str, complaint: str) -> None:
    """The message says what was tried, and no change set is made."""
    desk.account.s3.refused[call] = code
    ended, _, errors = desk.deploy()
    assert (ended, complaint in errors) == (1, True)
    assert desk.calls == []


def test_an_object_that_may_not_be_looked_for_is_written(desk: Desk) -> None:
    """Without s3:ListBucket a missing object is answered with 403."""
    desk.account.s3.refused["head_object"] = "403"
    assert desk.deploy()[0] == 0
    assert len(desk.account.s3.objects) == 2


def test_the_outputs_are_variables(desk: Desk) -> None:
    """They are printed as NAME=value with the stack's region; without a stack, or with an old one, one line says so."""
    assert desk.run("outputs", "dev") == (1, "", f"there is no stack {DEV}: deploy it first\n")
    stack = desk.account.cloudformation.stack(DEV, parameters={"Source": "acme", "GitHubApi": ""})
    assert "it is of an older version, deploy it again" in desk.run("outputs", "dev")[2]
    stack.outputs = OUTPUTS | {"UndeliveredQueueUrl": "https://sqs.example/undelivered"}
    code, out, _ = desk.run("outputs", "dev")
    assert code == 0
    assert dict(line.split("=", 1) for line in out.splitlines()) == {
        "RETRAIN_BUS": "bus",
        "RETRAIN_LEDGER": "states",
        "RETRAIN_DEAD_LETTERS": "https://sqs.example/rejected",
        "RETRAIN_UNDELIVERED": "https://sqs.example/undelivered",
        "RETRAIN_SOURCE": "acme",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def test_both_stacks_are_deleted(desk: Desk) -> None:
    """The monitor goes first, and what is kept is named before the question."""
    desk.account.cloudformation.stack(DEV, outputs={"LedgerTable": "states"})
    desk.account.cloudformation.stack(MONITOR, outputs={"SiteBucket": "site"})
    code, out, _ = desk.run("destroy", "dev", answer="y")
    assert code == 0
    assert out.splitlines() == [
        f"{DEV} and {MONITOR} are deleted, with their dead letters and logs.",
        "Kept: the ledger (a DynamoDB table) states",
        "Kept: the monitor's bucket site",
        f"Kept: the bucket retrain-bundles-123456789012-{REGION} with the bundles of all environments in this region",
        "Deleted.",
    ]
    assert desk.questions == [f"Delete {DEV}? [y/N] "]
    assert desk.calls == [f"delete {MONITOR}", f"delete {DEV}"]
    assert desk.account.cloudformation.stacks == {}


def test_nothing_is_deleted_without_a_yes(desk: Desk) -> None:
    """Without a terminal it needs `--yes`, on one the answer; deleting what is not there is a success."""
    desk.account.cloudformation.stack(DEV)
    assert desk.run("destroy", "dev") == (1, "", "to delete without a terminal, add --yes\n")
    code, _, errors = desk.run("destroy", "dev", answer="n")
    assert (code, errors, desk.calls) == (1, "nothing was deleted\n", [])
    assert desk.run("destroy", "dev", "--yes")[0] == 0
    assert desk.run("destroy", "dev", "--yes")[0] == 0
    assert desk.calls == [f"delete {DEV}"]


def test_wrong_usage(desk: Desk) -> None:
    """An unknown environment has argparse's exit code."""
    assert desk.run("check", "production")[0] == 2


def test_prod_needs_somebody_who_reads_alarms(desk: Desk) -> None:
    """It is the only environment that does; a secret in a file is refused in each."""
    desk.settings("", "prod")
    path = desk.folder / "prod.toml"
    why = "prod needs an SNS topic that people read, or dead letters go unnoticed"
    assert desk.run("check", "prod") == (1, "", f"{path}: AlarmTopicArn: {why}\n")
    desk.settings('[parameters]\nAlarmTopicArn = "arn:x"\nEmitterExternalId = "s3cret"', "prod")
    code, _, errors = desk.run("check", "prod")
    secret = "EmitterExternalId: is secret and must not be in a file: set the variable PARAMETER_EmitterExternalId"
    assert (code, errors) == (1, f"{path}: {secret}\n")


def test_a_kept_secret(desk: Desk) -> None:
    """It needs a stack that has it; given in a variable it is sent, and `keep` is then ignored."""
    desk.settings('keep = ["EmitterExternalId"]\n[parameters]\nEmitterAccount = "1"')
    assert "keep: the stack has no EmitterExternalId yet" in desk.deploy()[2]
    assert desk.deploy(variables={"PARAMETER_EmitterExternalId": "given"})[0] == 0
    assert desk.sent["EmitterExternalId"] == "given"
    desk.account.cloudformation.stacks[DEV].parameters = {"EmitterExternalId": "****"}
    assert desk.deploy()[0] == 0
    assert desk.sent["EmitterExternalId"] is None
    desk.settings('[parameters]\nEmitterAccount = "1"')
    code, _, errors = desk.deploy()
    assert code == 1
    assert "EmitterExternalId: is secret, so its value in the stack cannot be compared" in errors
    desk.settings("")
    assert desk.deploy()[0] == 0
    assert desk.sent["EmitterExternalId"] == ""


def test_the_monitor_is_connected(desk: Desk) -> None:
    """It gets the outputs of the other stack, the settings that both have and its own, and no bundle."""
    image = {"MONITOR_PARAMETER_MonitorImageUri": "image@sha256:0a"}
    missing = f"there is no stack {DEV} to connect the monitor to: deploy it first\n"
    assert desk.run("check", "dev", "--monitor", variables=image) == (1, "", missing)
    stack = desk.account.cloudformation.stack(DEV)
    old = f"the stack {DEV} is of an older version: deploy it again first\n"
    assert desk.run("check", "dev", "--monitor", variables=image) == (1, "", old)
    stack.outputs = dict(CONNECTIONS)
    desk.settings('keep = ["EmitterExternalId"]\n[parameters]\nSource = "acme"\nPipelineArns = ["arn:x"]')
    assert "MonitorImageUri: must be given, it has no default" in desk.run("check", "dev", "--monitor")[2]
    code, out, errors = desk.run("deploy", "dev", "--monitor", variables=image)
    assert (code, errors, f"{MONITOR} is CREATE_COMPLETE." in out) == (0, "", True)
    own = {"Environment": "dev", "Source": "acme", "MonitorImageUri": "image@sha256:0a"}
    assert desk.sent == CONNECTIONS | own
    (template,) = desk.account.s3.objects.values()
    assert template == FILES.monitor.read_bytes()
    _, out, _ = desk.run("deploy", "dev", "--monitor", "--plan", variables=image)
    arn = out.splitlines()[-1].removeprefix("Change set: ")
    assert desk.run("execute", "dev", "--monitor", arn)[0] == 0


def test_a_template_that_is_too_large(tmp_path: Path) -> None:
    """CloudFormation reads 51,200 bytes in a request; the message names the file and the limit."""
    template = tmp_path / "template.yaml"
    template.write_text("#" * 51_201)
    files = Files(template=template, monitor=template, settings=tmp_path)
    deployment = Deployment(Account(), Settings(environment="dev", stack=DEV), files)
    with pytest.raises(DeploymentError, match=r"template.yaml is larger than 51200 bytes, which CloudFormation does"):
        deployment.check()


def test_a_template_without_a_place_for_the_code(tmp_path: Path) -> None:
    """Exactly one line names the code, or nothing is deployed."""
    template = tmp_path / "template.yaml"
    template.write_text("Globals:\n  Function:\n    CodeUri: elsewhere\n")
    files = Files(template=template, monitor=template, settings=tmp_path)
    deployment = Deployment(Account(), Settings(environment="dev", stack=DEV), files)
    with pytest.raises(DeploymentError, match=r"must have exactly one line `CodeUri: \.`, not 0"):
        deployment.plan(deployment.check(), "p", CODE)
