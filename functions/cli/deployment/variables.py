"""The RETRAIN_ variables of a deployment, read from its own outputs, for the commands that take `--env`."""

import argparse
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.cli.clouds import require_packages
from functions.cli.command import Context, UsageError
from functions.cli.deployment.errors import DeploymentError
from functions.cli.deployment.steps import environments_folder, required_program

if TYPE_CHECKING:
    from functions.cli.deployment.aws.stack import Deployed


def deployment_variables(context: Context, options: argparse.Namespace) -> dict[str, str]:
    """Return the variables of the deployment that *options* name by cloud and environment.

    Raises:
        UsageError: the cloud has no deployments, or a program or an option that it needs is missing.
        DeploymentError: there is no such deployment, or its outputs cannot be read.

    """
    read = _READERS.get(options.cloud)
    if read is None:
        raise UsageError(f"--env: there are no deployments on {options.cloud}; add --cloud aws, gcp or azure")
    return read(context, options)


def aws_outputs(context: Context, options: argparse.Namespace) -> "Deployed":
    """Return the stack that *options* name.

    Raises:
        DeploymentError: there is no such stack.

    """
    require_packages("aws")
    from functions.cli.deployment.aws.__main__ import FILES, AwsAccount
    from functions.cli.deployment.aws.deployment import Deployment
    from functions.cli.deployment.aws.settings import read_settings

    settings = read_settings(options.env, environments_folder(_folder(context), "aws"), context.variables)
    account = AwsAccount(settings.region or context.variables.get("AWS_REGION", ""))
    stack = Deployment(account, settings, FILES).main
    deployed = stack.deployed()
    if deployed is None:
        raise DeploymentError(f"there is no stack {stack.name}; deploy it: retrain deploy aws --env {options.env}")
    return deployed


def terraform_output(context: Context, options: argparse.Namespace) -> list[str]:
    """Return the command that prints outputs of the deployment that *options* name.

    Raises:
        DeploymentError: it was not deployed from this folder, or another environment was deployed after it.

    """
    terraform = required_program("terraform", "https://developer.hashicorp.com/terraform/install")
    work = _folder(context) / "dist" / "terraform" / str(options.env)
    if work.is_dir():
        return [terraform, f"-chdir={work}", "output"]
    # What `make deploy-gcp` initialised holds the state of one environment at a time.
    repository = _folder(context) / "deploy" / "gcp"
    if (repository / ".terraform").is_dir():
        command = [terraform, f"-chdir={repository}", "output"]
        found = _parsed([*command, "-json", "variables"]).get("RETRAIN_ENVIRONMENT")
        if found == options.env:
            return command
        raise DeploymentError(
            f"{repository} reads the state of {found}, not of {options.env};"
            f" read that one: STATE=BUCKET deploy/outputs gcp {options.env}"
        )
    read = f", or read its state: STATE=BUCKET deploy/outputs gcp {options.env}" if repository.is_dir() else ""
    raise DeploymentError(
        f"{options.env} was not deployed from this folder; deploy it: retrain deploy gcp --env {options.env}{read}"
    )


def azure_show(options: argparse.Namespace) -> list[str]:
    """Return the command that shows the deployment that *options* name.

    Raises:
        UsageError: the resource group is not named.

    """
    az = required_program("az", "https://learn.microsoft.com/cli/azure/install-azure-cli")
    if not options.group:
        raise UsageError("--group is missing: name the resource group of the deployment")
    return [az, "deployment", "group", "show", "--resource-group", options.group, "--name", f"retrain-{options.env}"]


def _aws(context: Context, options: argparse.Namespace) -> dict[str, str]:
    from functions.cli.deployment.aws.outputs import variables_of

    return variables_of(aws_outputs(context, options))


def _gcp(context: Context, options: argparse.Namespace) -> dict[str, str]:
    return _parsed([*terraform_output(context, options), "-json", "variables"])


def _azure(_context: Context, options: argparse.Namespace) -> dict[str, str]:
    return _parsed([*azure_show(options), "--query", "properties.outputs.variables.value", "--output", "json"])


_READERS: Final[Mapping[str, Callable[[Context, argparse.Namespace], dict[str, str]]]] = {
    "aws": _aws,
    "gcp": _gcp,
    "azure": _azure,
}


def _folder(context: Context) -> Path:
    return context.config_file.parent


def _parsed(command: Sequence[str]) -> dict[str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise DeploymentError(f"the outputs of the deployment cannot be read: {done.stderr.strip()[-500:]}")
    try:
        content = json.loads(done.stdout) or {}
    except ValueError as error:
        raise DeploymentError("the outputs of the deployment are not valid JSON; deploy it again") from error
    return {str(name): str(value) for name, value in content.items() if value}
