"""Deploys the user's folder to Azure, by Azure Resource Manager and the upload of the bundle."""

import argparse
import shutil
from pathlib import Path

from functions.cli.build.runtime import DEPLOYED
from functions.cli.command import DONE, FAILED, Context, UsageError
from functions.cli.deployment import steps

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


def destroy(context: Context, options: argparse.Namespace, folder: Path) -> int:  # noqa: ARG001 - as on the other clouds
    """Explain how to remove a deployment; return the exit code."""
    context.err.write(
        "destroy azure: removing a deployment from Azure is not automated yet, so nothing was deleted; docs/azure.md"
        " lists the resources to delete\n"
    )
    return FAILED


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
