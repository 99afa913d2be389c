"""A deployment's own settings, read from its outputs, so that they need not be written down again."""

from collections.abc import Mapping
from typing import Final

from functions.cli.deployment.aws.stack import Deployed
from functions.cli.deployment.errors import DeploymentError

_VARIABLES: Final[Mapping[str, str]] = {
    "RETRAIN_BUS": "EmittedBus",
    "RETRAIN_LEDGER": "LedgerTable",
    "RETRAIN_DEAD_LETTERS": "RejectedQueueUrl",
}
# Stacks of older versions may not have these.
_OPTIONAL: Final[Mapping[str, str]] = {"RETRAIN_UNDELIVERED": "UndeliveredQueueUrl"}
# Botocore reads the second one only.
_REGION: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PARAMETERS: Final[Mapping[str, str]] = {
    "RETRAIN_CONFIG": "Configuration",
    "RETRAIN_SOURCE": "Source",
    "RETRAIN_ROLE_ARN": "ForeignBusRoleArn",
    "RETRAIN_GITHUB_TOKEN": "GitHubTokenSecretArn",
    "RETRAIN_GITHUB_API": "GitHubApi",
    "RETRAIN_ENVIRONMENT": "Environment",
}


def variables_of(deployed: Deployed) -> dict[str, str]:
    """Return the RETRAIN_ variables that the functions of the stack have, secrets excepted, and the stack's region.

    Raises:
        DeploymentError: the stack was made by an older version, which has other outputs.

    """
    missing = [output for output in _VARIABLES.values() if output not in deployed.outputs]
    if missing:
        raise DeploymentError(f"the stack has no output {missing[0]}: it is of an older version, deploy it again")
    named = {name: deployed.outputs[output] for name, output in _VARIABLES.items()}
    named |= {name: deployed.outputs[output] for name, output in _OPTIONAL.items() if output in deployed.outputs}
    given = {name: deployed.parameters.get(parameter, "") for name, parameter in _PARAMETERS.items()}
    # The output names the table without its region: the region of the user would be searched for it.
    _, _, service, region, *_ = [*deployed.stack_id.split(":"), "", "", "", ""]
    located = dict.fromkeys(_REGION, region) if service == "cloudformation" else {}
    return named | {name: value for name, value in given.items() if value} | located
