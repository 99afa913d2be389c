"""Deploys the user's folder to Azure, by Azure Resource Manager and the upload of the bundle."""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

from functions.cli.build.runtime import DEPLOYED
from functions.cli.command import DONE, Context, UsageError
from functions.cli.deployment import steps
from functions.cli.deployment.errors import DeploymentError
from functions.cli.deployment.removal_azure import removal_of

_PYTHON = DEPLOYED["azure"].python


def deploy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Check, build, show what would change, and deploy; return the exit code."""
    az = steps.required_program("az", "https://learn.microsoft.com/cli/azure/install-azure-cli")
    bash, _ = steps.required_program("bash", "your system"), steps.required_program("curl", "https://curl.se")
    settings = steps.settings_folder(options, context, "azure", folder)
    values = settings / f"{options.env}.parameters.json"
    if not values.is_file():
        raise UsageError(f"{values}: there is no such file; `retrain init --cloud azure` creates it")
    if not options.group:
        raise UsageError("--group is missing: name the resource group")
    steps.run_program([az, "account", "show", "--output", "none"], folder, "find a login; run `az login`")
    bundle = steps.built(context, "azure", DEPLOYED["azure"])
    work = _staged(folder, settings, bundle.archive or bundle.folder)
    template = [
        f"--template-file={work / 'azuredeploy.json'}",
        "--parameters",
        f"@{values}",
        f"pythonVersion={_PYTHON}",
    ]
    what_if = ["deployment", "group", "what-if", "--resource-group", options.group, *template]
    steps.run_program([az, *what_if], folder, "show what would change")
    if options.plan:
        return DONE
    steps.confirm(options, f"Deploy this to {options.group}?")
    steps.run_program([bash, work / "deploy", options.env, options.group, _PYTHON], folder, "deploy")
    steps.next_steps(
        context,
        [
            f"retrain doctor --cloud azure --env {options.env} --group {options.group}",
            f"retrain emit --cloud azure --env {options.env} --group {options.group}",
        ],
    )
    return DONE


def destroy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Remove what the deployment made but the storage account with the ledger; return the exit code."""
    az = steps.required_program("az", "https://learn.microsoft.com/cli/azure/install-azure-cli")
    if not options.group:
        raise UsageError("--group is missing: name the resource group")
    steps.run_program([az, "account", "show", "--output", "none"], folder, "find a login; run `az login`")
    removal = removal_of(_resources(az, options))
    for line in (*removal.first, *removal.then):
        context.out.write(f"delete {line}\n")
    for line in removal.kept:
        context.out.write(f"keep   {line} (ledger and dead letters)\n")
    context.out.flush()
    steps.confirm_removal(options, f"Remove the deployment {options.env} from {options.group}?")
    for ids in (removal.first, removal.then):
        if ids:
            # az repeats those that others still need.
            steps.run_program([az, "resource", "delete", "--ids", *ids], folder, "remove the deployment")
    context.out.write(
        "The storage account is kept; the next deployment to this group finds the ledger again. docs/azure.md says what"
        " else Azure keeps.\n"
    )
    return DONE


def _resources(az: str, options: argparse.Namespace) -> list[str]:
    """Return the ids of all resources of the deployment and of those that it contains.

    Raises:
        DeploymentError: there is no such deployment, or it cannot be read.

    """
    deployments = [az, "deployment", "group"]
    group = ["--resource-group", options.group]
    name = f"retrain-{options.env}"
    own = _json([*deployments, "show", *group, "--name", name, "--query", "properties.outputResources[].id"])
    # Those that the template contains have its name with a suffix.
    query = f"[?starts_with(name, '{name}-')].properties.outputResources[].id"
    return [*own, *_json([*deployments, "list", *group, "--query", query])]


def _json(command: list[str]) -> list[str]:
    done = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise DeploymentError(f"the deployment cannot be read: {done.stderr.strip()[-500:]}")
    return [str(each) for each in json.loads(done.stdout or "null") or []]


def _staged(folder: Path, settings: Path, archive: Path) -> Path:
    """Return a folder with this version's template and program, beside the user's settings and the bundle."""
    root = folder / "dist" / "deployment"
    shutil.rmtree(root, ignore_errors=True)
    work = root / "deploy" / "azure"
    shutil.copytree(steps.ROOT / "deploy" / "azure", work)
    shutil.copytree(settings, work / "environments", dirs_exist_ok=True)
    (root / "dist").mkdir()
    shutil.copyfile(archive, root / "dist" / "azure.zip")
    return work
