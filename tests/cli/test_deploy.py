"""`retrain deploy` and `retrain destroy`: preconditions first; on AWS up to the deployed stack."""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from emulators.eventbridge import EventBridgeStandIn
from emulators.moto_server import CREDENTIALS
from functions.cli.command import Context
from functions.cli.deployment.address import api_address
from functions.cli.deployment.errors import DeploymentError
from functions.local.server import serve
from tests.cli.package import ROOT
from tests.cli.programs import programs
from tests.cli.running import run
from tests.core.deployment import Deployment
from tests.deploy.aws_endpoint import AwsEndpoint
from tests.deploy.stacks import Account


@pytest.fixture
def account(environment: pytest.MonkeyPatch) -> Iterator[Account]:
    """Return an AWS account, to which the environment leads."""
    with AwsEndpoint(Account()) as endpoint:
        environment.setenv("AWS_ENDPOINT_URL", endpoint.url)
        yield endpoint.account


def initialised(folder: Path, cloud: str) -> str:
    """Write the first files for *cloud*, and return the path of the configuration."""
    run("init", "--cloud", cloud, str(folder))
    return str(folder / "retrain.toml")


def test_a_folder_is_deployed_to_aws(tmp_path: Path, environment: pytest.MonkeyPatch, account: Account) -> None:
    """The bundle of the folder is built and deployed, and `destroy --yes` removes the stack."""
    config = initialised(tmp_path, "aws")
    programs(tmp_path, environment).add_installer()
    done = run("deploy", "aws", "--env", "dev", "--config", config)
    assert (done.code, "retrain-dev is CREATE_COMPLETE" in done.out) == (0, True), done.err
    assert "retrain doctor --cloud aws" in done.out.partition("Next:\n")[2]
    uploaded, template = account.s3.written
    assert account.s3.objects[uploaded] == (tmp_path / "dist" / "aws.zip").read_bytes()
    assert f"/{uploaded}\n".encode() in account.s3.objects[template]
    with ZipFile(tmp_path / "dist" / "aws.zip") as bundle:
        assert {"retrain.toml", "functions/aws/handler.py"} <= set(bundle.namelist())
        assert "train.py" not in bundle.namelist()
    assert account.cloudformation.stacks["retrain-dev"].status == "CREATE_COMPLETE"
    assert run("destroy", "aws", "--env", "dev", "--config", config).code == 1
    assert run("destroy", "aws", "--env", "dev", "--yes", "--config", config).code == 0
    assert account.cloudformation.stacks == {}


def test_a_plan_of_a_folder_deploys_nothing(tmp_path: Path, environment: pytest.MonkeyPatch, account: Account) -> None:
    """`--plan` ends with the change set and without next steps; wrong settings end before the build."""
    config = initialised(tmp_path, "aws")
    programs(tmp_path, environment).add_installer()
    planned = run("deploy", "aws", "--env", "dev", "--plan", "--config", config)
    assert (planned.code, "Change set: arn:" in planned.out, "Next:" in planned.out) == (0, True, False)
    assert account.cloudformation.calls == ["plan retrain-dev"]
    shutil.rmtree(tmp_path / "dist")
    refused = run("deploy", "aws", "--env", "prod", "--config", config)
    assert (refused.code, "prod needs an SNS topic" in refused.err) == (1, True)
    assert not (tmp_path / "dist").exists()
    missing = run("deploy", "aws", "--env", "dev", "--settings", "elsewhere", "--config", config)
    assert missing.code == 2
    assert "elsewhere: there is no such folder; `retrain init --cloud aws` creates it" in missing.err


def test_nothing_is_built_without_credentials(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """A precondition that does not hold is reported before anything is built."""
    for name in CREDENTIALS:
        environment.delenv(name)
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    environment.setenv("AWS_REGION", "eu-west-3")
    environment.setenv("HOME", str(tmp_path))
    done = run("deploy", "aws", "--env", "dev", "--config", initialised(tmp_path, "aws"))
    assert (done.code, done.out) == (1, "")
    assert "credentials" in done.err
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("cloud", "command", "program"),
    [("gcp", "deploy", "terraform"), ("gcp", "destroy", "terraform"), ("azure", "deploy", "az")],
)
def test_a_missing_program(
    tmp_path: Path, environment: pytest.MonkeyPatch, cloud: str, command: str, program: str
) -> None:
    """A program that is not installed is named with its address, and the exit code is 2."""
    environment.setenv("PATH", str(tmp_path))
    done = run(command, cloud, "--env", "dev", "--config", initialised(tmp_path, cloud))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{program} is not installed, and the deployment needs it; see https://")
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(("cloud", "option"), [("gcp", "--state"), ("azure", "--group")])
def test_a_missing_option(tmp_path: Path, environment: pytest.MonkeyPatch, cloud: str, option: str) -> None:
    """A missing option of a cloud is named, and the exit code is 2."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("terraform", "az", "bash", "curl"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    environment.setenv("PATH", str(programs))
    done = run("deploy", cloud, "--env", "dev", "--config", initialised(tmp_path, cloud))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{option} is missing: ")


def test_an_invalid_configuration_is_not_deployed(tmp_path: Path) -> None:
    """Every mistake has a line, as in `retrain check`."""
    (tmp_path / "retrain.toml").write_text("[models.a]\n")
    done = run("deploy", "aws", "--env", "dev", "--config", str(tmp_path / "retrain.toml"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith('models."a".target: ')


GROUP = "/subscriptions/s/resourceGroups/g/providers"
OWN = [
    f"{GROUP}/Microsoft.Storage/storageAccounts/retraindev",
    f"{GROUP}/Microsoft.Storage/storageAccounts/retraindev/blobServices/default/containers/letters",
    f"{GROUP}/Microsoft.Web/sites/retrain-dev-1",
    f"{GROUP}/Microsoft.Web/sites/retrain-dev-1/basicPublishingCredentialsPolicies/ftp",
    f"{GROUP}/Microsoft.EventGrid/topics/retrain-dev-1",
    f"{GROUP}/Microsoft.EventGrid/topics/retrain-dev-1/eventSubscriptions/receive",
    f"{GROUP}/Microsoft.Resources/deployments/retrain-dev-1-rights",
]
INNER = [
    f"{GROUP}/Microsoft.Storage/storageAccounts/retraindev/providers/Microsoft.Authorization/roleAssignments/r-1",
    f"{GROUP}/Microsoft.EventGrid/systemTopics/of-the-user/eventSubscriptions/retrain-dev-1",
]
AZ = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:4] == ["deployment", "group", "show"]:
    print(json.dumps({own!r}))
if sys.argv[1:4] == ["deployment", "group", "list"]:
    print(json.dumps({inner!r}))
"""


def test_a_deployment_is_removed_from_azure(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Rights and subscriptions go first, then whole resources; the storage account with the ledger is kept."""
    log, az = tmp_path / "log", tmp_path / "bin" / "az"
    az.parent.mkdir()
    az.write_text(AZ.format(python=sys.executable, log=str(log), own=OWN, inner=INNER))
    az.chmod(0o755)
    environment.setenv("PATH", f"{az.parent}{os.pathsep}{os.environ['PATH']}")
    options = ("azure", "--env", "dev", "--group", "g", "--config", str(tmp_path / "retrain.toml"))
    refused = run("destroy", *options)
    assert (refused.code, "add --yes" in refused.err) == (2, True)
    done = run("destroy", *options, "--yes")
    assert (done.code, done.err) == (0, "")
    assert f"keep   {OWN[0]} (ledger and dead letters)" in done.out
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    deleted = [call[2:] for call in calls if call[:2] == ["resource", "delete"]]
    assert deleted == [["--ids", *sorted(INNER)], ["--ids", OWN[4], OWN[2]]]


OUTPUTS = {
    "EmittedBus": "retraining-by-command",
    "LedgerTable": "states",
    "RejectedQueueUrl": "https://sqs.eu-west-3.amazonaws.com/123456789012/rejected",
    "FunctionUrl": "https://abc.lambda-url.eu-west-3.on.aws/",
}


def test_a_command_uses_the_deployment_of_an_environment(
    tmp_path: Path, environment: pytest.MonkeyPatch, account: Account
) -> None:
    """With `--env` all addresses come from the outputs of the stack; without a stack the message says how to deploy."""
    initialised(tmp_path, "aws")
    command = [sys.executable, "-m", "functions.cli", "emit", "--cloud", "aws", "--env", "staging", "--id", "t-1"]
    config = str(tmp_path / "retrain.toml")
    missing = run("emit", "--cloud", "aws", "--env", "staging", "--config", config)
    assert (missing.code, missing.out) == (1, "")
    assert missing.err == "there is no stack retrain-staging; deploy it: retrain deploy aws --env staging\n"
    account.cloudformation.stack("retrain-staging", outputs=OUTPUTS)
    with EventBridgeStandIn(buses=frozenset({"retraining-by-command"})) as bridge:
        environment.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bridge.url)
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (0, "t-1\n"), done.stderr
        assert [event["detail"]["trigger_id"] for event in bridge.events] == ["t-1"]
    variables["RETRAIN_CONFIG"] = config
    context = Context(variables=variables, folder=tmp_path, out=io.StringIO(), err=io.StringIO())
    options = argparse.Namespace(cloud="aws", env="staging")
    assert api_address(context, options) == "https://abc.lambda-url.eu-west-3.on.aws/"
    account.cloudformation.stack("retrain-staging", outputs=dict(list(OUTPUTS.items())[:3]))
    with pytest.raises(DeploymentError, match="has no output FunctionUrl: it is of an older version, deploy it again"):
        api_address(context, options)


def test_a_model_of_an_environment_is_steered_through_its_api(tmp_path: Path, account: Account) -> None:
    """A person who pauses a model is whom the platform authenticated, not the name on this machine."""
    config = initialised(tmp_path, "aws")
    deployment = Deployment()
    listener = serve(deployment.emitter, "127.0.0.1", 0)
    thread = threading.Thread(target=listener.run)
    thread.start()
    own = OUTPUTS | {"FunctionUrl": f"http://127.0.0.1:{listener.port}/"}
    account.cloudformation.stack("retrain-prod", outputs=own)
    try:
        done = run("pause", "churn", "--cloud", "aws", "--env", "prod", "--config", config)
    finally:
        listener.stop()
        thread.join()
    assert (done.code, done.out) == (0, "paused churn until `retrain resume churn`\n"), done.err
    paused = deployment.state().paused
    assert paused is not None
    assert paused.by == "this machine"


def test_this_machine_has_no_environments(tmp_path: Path) -> None:
    """`--env` needs a cloud, and the exit code is 2."""
    config = initialised(tmp_path, "aws")
    done = run("models", "--env", "dev", "--config", config)
    assert (done.code, done.out) == (2, "")
    assert "add --cloud aws, gcp or azure" in done.err


TERRAFORM = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if "init" not in sys.argv:
    print(json.dumps({{"RETRAIN_ENVIRONMENT": "prod", "RETRAIN_BUS": "projects/p/topics/t", "RETRAIN_SOURCE": ""}}))
"""


def test_the_state_of_another_environment_is_not_taken_for_this_one(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """In the repository Terraform reads the state that was used last; `STATE` makes it read that of the environment."""
    log, terraform = tmp_path / "log", tmp_path / "bin" / "terraform"
    (tmp_path / "deploy" / "gcp" / ".terraform").mkdir(parents=True)
    terraform.parent.mkdir()
    terraform.write_text(TERRAFORM.format(python=sys.executable, log=str(log)))
    terraform.chmod(0o755)
    environment.setenv("PATH", f"{terraform.parent}{os.pathsep}{os.environ['PATH']}")
    program = shutil.copy(ROOT / "deploy" / "outputs", tmp_path / "deploy")

    def outputs(name: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([program, "gcp", name], capture_output=True, text=True, check=False)

    assert outputs("prod").stdout == "RETRAIN_ENVIRONMENT=prod\nRETRAIN_BUS=projects/p/topics/t\n"
    refused = outputs("dev")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("deploy/gcp reads the state of prod, not of dev; name the bucket")
    environment.setenv("STATE", "a-bucket")
    assert outputs("prod").returncode == 0
    initialised_with = log.read_text().splitlines()[-2]
    assert initialised_with.endswith("-reconfigure -backend-config=bucket=a-bucket -backend-config=prefix=retrain/prod")
    done = run("models", "--cloud", "gcp", "--env", "dev", "--config", str(tmp_path / "retrain.toml"))
    assert (done.code, done.out) == (1, "")
    assert "reads the state of prod, not of dev" in done.err
