"""Deploys the user's folder to Google Cloud, by Terraform."""

import argparse
import shutil
from pathlib import Path

from functions.cli.build.runtime import DEPLOYED
from functions.cli.command import DONE, Context, UsageError
from functions.cli.deployment import steps


def deploy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Check, build, show the plan, and apply it; return the exit code."""
    terraform, values = _checked(context, options, folder)
    # Before the build: it needs the credentials and the bucket of the state.
    work = _initialised(terraform, options, folder)
    bundle = steps.built(context, "gcp", DEPLOYED["gcp"])
    variables = [f"-var-file={values}", f"-var=bundle={bundle.archive}"]
    steps.run_program([terraform, "plan", "-input=false", "-out=plan", *variables], work, "plan the changes")
    if options.plan:
        return DONE
    steps.confirm(options, f"Deploy this to {options.env}?")
    steps.run_program([terraform, "apply", "-input=false", "plan"], work, "apply the plan")
    steps.next_steps(
        context,
        [
            f"retrain doctor --cloud gcp --env {options.env}",
            f"retrain emit --cloud gcp --env {options.env}",
        ],
    )
    return DONE


def destroy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Destroy what Terraform made; return the exit code."""
    terraform, values = _checked(context, options, folder)
    steps.confirm_removal(options, f"Remove the deployment {options.env}? Terraform lists what it deletes next.")
    work = _initialised(terraform, options, folder)
    bundle = folder / "dist" / "gcp.zip"
    if not bundle.exists():
        # Terraform reads the digest of the bundle, for a removal, too.
        bundle = steps.built(context, "gcp", DEPLOYED["gcp"]).archive or bundle
    arguments = ["destroy", f"-var-file={values}", f"-var=bundle={bundle}", *(["-auto-approve"] if options.yes else [])]
    steps.run_program([terraform, *arguments], work, "remove the deployment")
    return DONE


def _checked(context: Context, options: argparse.Namespace, folder: Path) -> tuple[str, Path]:
    """Return Terraform and the file of the environment's values."""
    terraform = steps.required_program("terraform", "https://developer.hashicorp.com/terraform/install")
    values = steps.settings_folder(options, context, "gcp", folder) / f"{options.env}.tfvars"
    if not values.is_file():
        raise UsageError(f"{values}: there is no such file; `retrain init --cloud gcp` creates it")
    if not options.state:
        raise UsageError("--state is missing: name the bucket that keeps Terraform's state")
    return terraform, values.resolve()


def _initialised(terraform: str, options: argparse.Namespace, folder: Path) -> Path:
    """Return a folder with this version's files for Terraform, initialised."""
    work = folder / "dist" / "terraform" / str(options.env)
    work.mkdir(parents=True, exist_ok=True)
    for path in work.glob("*.tf"):
        path.unlink()
    for path in (steps.ROOT / "deploy" / "gcp").glob("*.tf"):
        shutil.copyfile(path, work / path.name)
    backend = [f"-backend-config=bucket={options.state}", f"-backend-config=prefix=retrain/{options.env}"]
    steps.run_program([terraform, "init", "-input=false", "-reconfigure", *backend], work, "read its state")
    return work
