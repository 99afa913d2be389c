"""The address of a deployment's HTTP API, and on Azure its key, from the deployment itself."""

import argparse
import subprocess
from collections.abc import Sequence

from functions.cli.command import Context, UsageError
from functions.cli.deployment.errors import DeploymentError
from functions.cli.deployment.steps import required_program
from functions.cli.deployment.variables import aws_outputs, azure_show, terraform_output


def api_address(context: Context, options: argparse.Namespace) -> str:
    """Return the address of the API of the deployment that *options* name.

    Raises:
        UsageError: no deployment is named.
        DeploymentError: there is no such deployment, or its outputs cannot be read.

    """
    if not options.env:
        raise UsageError("name the deployment: --env ENV, or the address of its HTTP API with --url URL")
    if options.cloud == "aws":
        outputs = aws_outputs(context, options).outputs
        if "FunctionUrl" not in outputs:
            raise DeploymentError("the stack has no output FunctionUrl: it is of an older version, deploy it again")
        return outputs["FunctionUrl"]
    if options.cloud == "gcp":
        return _line([*terraform_output(context, options), "-raw", "http_api"])
    return _line([*azure_show(options), "--query", "properties.outputs.httpApi.value", "--output", "tsv"])


def function_key(options: argparse.Namespace) -> str:
    """Return the key of a function app, which people may read who may manage it.

    Raises:
        UsageError: the resource group is not named.
        DeploymentError: the key cannot be read.

    """
    app = _line([*azure_show(options), "--query", "properties.outputs.functionApp.value", "--output", "tsv"])
    az = required_program("az", "https://learn.microsoft.com/cli/azure/install-azure-cli")
    keys = [az, "functionapp", "keys", "list", "--resource-group", options.group, "--name", app]
    return _line([*keys, "--query", "functionKeys.default", "--output", "tsv"])


def _line(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0 or not done.stdout.strip():
        raise DeploymentError(f"the deployment cannot be read: {done.stderr.strip()[-500:] or 'it has no such output'}")
    return done.stdout.strip()
