"""`retrain init`: writes the first files of a folder of the user's own."""

import argparse
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from functions.cli.command import CONFIG_FILE, DONE, ENVIRONMENTS, Command, Context, UsageError
from functions.cli.schema_file import SCHEMA_FILE, SCHEMA_LINE

CLOUDS: Final = ("aws", "gcp", "azure")
TEMPLATES: Final = Path(__file__).parent / "templates"
GITIGNORE: Final = ".gitignore"

_DESCRIPTION: Final = """\
Write the files to begin with: retrain.toml, its JSON Schema for editors, an example train.py and .gitignore; with
--cloud also the settings of the environments dev, staging and prod, and a GitHub workflow that checks and deploys.
Files that exist are kept.

examples:
  retrain init
  retrain init --cloud aws my-models"""
_TARGETS: Final[Mapping[str, str]] = {
    "aws": """
[models."braking".target.aws]     # a pipeline of SageMaker: its name or ARN
kind = "sagemaker"
pipeline = "braking-training"
""",
    "gcp": """
[models."braking".target.gcp]     # a pipeline of Vertex AI: from a template registry, or a compiled file here
kind = "vertex"
pipeline = "https://europe-west4-kfp.pkg.dev/my-project/pipelines/braking/latest"
project = "my-project"
location = "europe-west4"
root = "gs://my-project-pipelines"
service_account = "trainer@my-project.iam.gserviceaccount.com"
""",
    "azure": """
[models."braking".target.azure]   # a pipeline component of Azure ML
kind = "azureml"
workspace = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers/\
Microsoft.MachineLearningServices/workspaces/my-workspace"
component = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers/\
Microsoft.MachineLearningServices/workspaces/my-workspace/components/braking/versions/1"
compute = "cpu-cluster"
""",
}
_LOGINS: Final[Mapping[str, str]] = {
    "aws": """\
      - uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3
        with:
          role-to-assume: ${{ vars.AWS_ROLE_ARN }}
          aws-region: ${{ vars.AWS_REGION }}""",
    "gcp": """\
      - uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GCP_WORKLOAD_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GCP_DEPLOYER }}
      - uses: hashicorp/setup-terraform@dfe3c3f87815947d99a8997f908cb6525fc44e9e # v4.0.1""",
    "azure": """\
      - uses: Azure/login@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca # v3.0.1
        with:
          client-id: ${{ vars.AZURE_CLIENT_ID }}
          tenant-id: ${{ vars.AZURE_TENANT_ID }}
          subscription-id: ${{ vars.AZURE_SUBSCRIPTION_ID }}""",
}
# The options of a deployment, and where the workflow takes their values from.
_OPTIONS: Final[Mapping[str, str]] = {"aws": "", "gcp": ' --state "$STATE"', "azure": ' --group "$GROUP"'}
_WHERE: Final[Mapping[str, str]] = {
    "aws": "",
    "gcp": "\n        env:\n          STATE: ${{ vars.GCP_STATE_BUCKET }}",
    "azure": "\n        env:\n          GROUP: ${{ vars.AZURE_RESOURCE_GROUP }}",
}


def run(context: Context, options: argparse.Namespace) -> int:
    """Write what is missing, and print the commands that come next."""
    folder = (context.folder / options.folder).absolute()
    written, kept = write_files(folder, options.cloud)
    if options.json:
        content = {"folder": str(folder), "written": written, "kept": kept}
        context.out.write(f"{json.dumps(content, indent=2)}\n")
        return DONE
    for name in written:
        context.out.write(f"wrote {name}\n")
    for name in kept:
        context.out.write(f"kept  {name}, which was there before\n")
    if GITIGNORE in kept and (missing := _not_ignored(folder)):
        context.out.write(f"\nAdd to {GITIGNORE}: {', '.join(missing)}\n")
    context.out.write(_next_steps(context.folder, folder, options.cloud, is_new=CONFIG_FILE in written))
    return DONE


def write_files(folder: Path, cloud: str | None) -> tuple[list[str], list[str]]:
    """Write the files into *folder*, and return the names of the written ones and of those that exist.

    Raises:
        UsageError: the folder cannot be written to.

    """
    written: list[str] = []
    kept: list[str] = []
    try:
        for name, content in _files(cloud):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(content)
            except FileExistsError:
                kept.append(name)
            else:
                written.append(name)
    except OSError as error:
        why = "it is a file, not a folder" if folder.is_file() else error.strerror
        raise UsageError(f"{folder}: cannot be written to ({why}); name another folder") from error
    return written, kept


def _files(cloud: str | None) -> Iterator[tuple[str, str]]:
    from functions.cli.schema import text

    config = f"{SCHEMA_LINE}\n{_template('retrain.toml')}"
    yield CONFIG_FILE, config.replace("$target", _TARGETS[cloud] if cloud else "")
    yield SCHEMA_FILE, text()
    yield "train.py", _template("train.py")
    yield GITIGNORE, _template("gitignore")
    if cloud is None:
        return
    (settings,) = (TEMPLATES / "environments").glob(f"{cloud}.*")
    for environment in ENVIRONMENTS:
        name = settings.name.replace(cloud, environment, 1)
        yield f"environments/{cloud}/{name}", _settings(settings.read_text(encoding="utf-8"), environment)
    workflow = _template("workflow.yml").replace("@login@", _LOGINS[cloud]).replace("@where@", _WHERE[cloud])
    variables = sorted(set(re.findall(r"vars\.(\w+)", workflow)) - {"RETRAIN_PACKAGE"})
    workflow = workflow.replace("@variables@", ", ".join(variables)).replace("@options@", _OPTIONS[cloud])
    yield ".github/workflows/retrain.yml", workflow.replace("@cloud@", cloud)


def _settings(template: str, environment: str) -> str:
    """Return the settings of one environment; lines that begin with `@prod@` are those of prod only."""
    lines = [line for line in template.splitlines() if environment == "prod" or not line.startswith("@prod@")]
    return "".join(f"{line.removeprefix('@prod@')}\n" for line in lines).replace("@environment@", environment)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _not_ignored(folder: Path) -> list[str]:
    """Return the entries that the user's own `.gitignore` lacks; the ledger of this machine is among them."""
    there = (folder / GITIGNORE).read_text(encoding="utf-8", errors="replace").split()
    wanted = [line for line in _template("gitignore").splitlines() if line and not line.startswith("#")]
    return [
        entry for entry in wanted if not {entry, f"/{entry}", entry.rstrip("/"), f"/{entry}".rstrip("/")} & {*there}
    ]


def _next_steps(here: Path, folder: Path, cloud: str | None, *, is_new: bool) -> str:
    steps = [] if folder == here.absolute() else [f"cd {shlex.quote(os.path.relpath(folder, here))}"]
    # A configuration that was there before has models of its own.
    steps += ["retrain serve", "retrain emit braking", "retrain show braking"] if is_new else ["retrain check"]
    notes = {"retrain serve": "the server on this machine; the next two in another terminal"}
    lines = [f"  {step:<24}{f'# {notes[step]}' if step in notes else ''}".rstrip() for step in steps]
    fill = f"{'fill in' if is_new else 'add'} target.{cloud}, fill in environments/{cloud}"
    more = f"\nThen {fill}, and run: retrain check --cloud {cloud}\n"
    return "\n".join(["", "Next:", *lines, ""]) + (more if cloud else "")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="created if missing (default: here)")
    parser.add_argument("--cloud", choices=CLOUDS, help="also prepare the deployment to this cloud")


COMMAND: Final = Command(
    name="init",
    summary="write a first retrain.toml and train.py",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
)
