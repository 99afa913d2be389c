"""`retrain deploy` and `retrain destroy` on Google Cloud and Azure, by the programs of these clouds."""

import argparse
import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from functions.cli.command import Context, UsageError
from functions.cli.deployment.errors import DeploymentError
from functions.cli.deployment.steps import ROOT
from functions.cli.deployment.variables import deployment_variables
from tests.cli.programs import Programs, at_a_terminal, programs
from tests.cli.running import Answer, run


@pytest.fixture
def tools(tmp_path: Path, environment: pytest.MonkeyPatch) -> Programs:
    """Return programs that succeed."""
    made = programs(tmp_path, environment)
    for name in ("terraform", "az", "bash", "curl"):
        made.add(name)
    made.add_installer()
    return made


def folder_for(cloud: str, folder: Path) -> Path:
    """Return the first files of a user for *cloud*, which need no other files."""
    own = folder / "own"
    run("init", "--cloud", cloud, str(own))
    return own


def deploy(folder: Path, cloud: str, *options: str, command: str = "deploy") -> Answer:
    """Deploy a folder to dev, or destroy it."""
    place = {"gcp": ("--state", "acme-state"), "azure": ("--group", "acme")}[cloud]
    return run(command, cloud, "--env", "dev", *place, "--config", str(folder / "retrain.toml"), *options)


INITIALISED = "terraform init -input=false -reconfigure -backend-config=bucket=acme-state -backend-config="


def test_a_folder_is_deployed_to_google(tmp_path: Path, tools: Programs) -> None:
    """Terraform reads its state, plans with the user's values and the bundle, and applies that plan."""
    folder = folder_for("gcp", tmp_path)
    work = folder / "dist" / "terraform" / "dev"
    work.mkdir(parents=True)
    (work / "of-an-older-version.tf").touch()
    done = deploy(folder, "gcp")
    assert (done.code, tools.calls[:1]) == (0, [f"{INITIALISED}prefix=retrain/dev"]), done.err
    values, bundle = folder / "environments" / "gcp" / "dev.tfvars", folder / "dist" / "gcp.zip"
    assert tools.calls[1:] == [
        f"terraform plan -input=false -out=plan -var-file={values} -var=bundle={bundle}",
        "terraform apply -input=false plan",
    ]
    ours = sorted(path.name for path in (ROOT / "deploy" / "gcp").glob("*.tf"))
    assert sorted(path.name for path in work.glob("*.tf")) == ours
    with ZipFile(bundle) as packed:
        assert {"main.py", "retrain.toml"} <= set(packed.namelist())
    following = done.out.partition("\nNext:\n")[2]
    assert following == "  retrain doctor --cloud gcp --env dev\n  retrain emit --cloud gcp --env dev\n"


def test_a_plan_for_google_changes_nothing(tmp_path: Path, tools: Programs) -> None:
    """`--plan` ends after the plan."""
    done = deploy(folder_for("gcp", tmp_path), "gcp", "--plan")
    assert (done.code, done.out) == (0, "")
    assert [call.split()[1] for call in tools.calls] == ["init", "plan"]


@pytest.mark.parametrize(
    ("failing", "doing", "built"),
    [("init", "read its state", False), ("plan", "plan the changes", True), ("apply", "apply the plan", True)],
)
def test_terraform_that_fails(tmp_path: Path, tools: Programs, failing: str, doing: str, *, built: bool) -> None:
    """The message says what failed, with the exit code; without a state nothing is built, and nothing follows."""
    tools.add("terraform", f'test "$1" != {failing} || exit 3')
    folder = folder_for("gcp", tmp_path)
    done = deploy(folder, "gcp")
    assert (done.code, "Next:" in done.out) == (1, False)
    assert f"terraform failed to {doing} (exit code 3), see above\n" in done.err
    assert (folder / "dist" / "gcp.zip").exists() is built
    assert tools.calls[-1].split()[1] == failing


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("YES", 0), ("n", 1), ("", 1)])
def test_a_person_confirms_a_deployment(
    tmp_path: Path, tools: Programs, environment: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    """At a terminal only a yes applies the plan; `--yes` shows no question."""
    folder = folder_for("gcp", tmp_path)
    seen = at_a_terminal(environment, answer)
    done = deploy(folder, "gcp")
    assert (done.code, seen.getvalue()) == (code, "Deploy this to dev? [y/N] ")
    assert ("terraform apply -input=false plan" in tools.calls) == (code == 0)
    if code:
        assert done.err.endswith("nothing was changed\n")
        assert (deploy(folder, "gcp", "--yes").code, seen.getvalue()) == (0, "Deploy this to dev? [y/N] ")


def test_a_deployment_is_removed_from_google(tmp_path: Path, tools: Programs) -> None:
    """It needs --yes without a terminal; the bundle, which Terraform reads for it, is built where it is missing."""
    folder = folder_for("gcp", tmp_path)
    refused = deploy(folder, "gcp", command="destroy")
    assert (refused.code, refused.err) == (2, "to remove a deployment without a terminal, add --yes\n")
    assert tools.calls == []
    done = deploy(folder, "gcp", "--yes", command="destroy")
    values, bundle = folder / "environments" / "gcp" / "dev.tfvars", folder / "dist" / "gcp.zip"
    removal = f"terraform destroy -var-file={values} -var=bundle={bundle} -auto-approve"
    assert (done.code, tools.calls) == (0, [f"{INITIALISED}prefix=retrain/dev", removal])
    bundle.write_text("as it was deployed")
    assert deploy(folder, "gcp", "--yes", command="destroy").code == 0
    assert bundle.read_text() == "as it was deployed"


def test_terraform_itself_confirms_a_removal(tmp_path: Path, tools: Programs, environment: pytest.MonkeyPatch) -> None:
    """At a terminal a person agrees here, and then to what Terraform lists."""
    folder = folder_for("gcp", tmp_path)
    at_a_terminal(environment, "y")
    assert deploy(folder, "gcp", command="destroy").code == 0
    assert "-auto-approve" not in tools.calls[-1]
    at_a_terminal(environment, "n")
    refused = deploy(folder, "gcp", command="destroy")
    assert (refused.code, refused.err) == (1, "nothing was changed\n")


@pytest.mark.parametrize(("cloud", "name"), [("gcp", "dev.tfvars"), ("azure", "dev.parameters.json")])
def test_settings_that_are_not_there(tmp_path: Path, tools: Programs, cloud: str, name: str) -> None:
    """The file or the folder is named with the command that creates it."""
    folder = folder_for(cloud, tmp_path)
    settings = folder / "environments" / cloud
    (settings / name).unlink()
    done = deploy(folder, cloud)
    creates = f"`retrain init --cloud {cloud}` creates it"
    assert (done.code, done.err) == (2, f"{settings / name}: there is no such file; {creates}\n")
    settings.rename(settings.with_name("away"))
    done = deploy(folder, cloud)
    assert (done.code, done.err) == (2, f"{settings}: there is no such folder; {creates}\n")
    assert tools.calls == []


def test_a_folder_is_deployed_to_azure(tmp_path: Path, tools: Programs) -> None:
    """The changes are shown before the program of the repository deploys the bundle with the user's settings."""
    folder = folder_for("azure", tmp_path)
    done = deploy(folder, "azure")
    assert done.code == 0, done.err
    work = folder / "dist" / "deployment" / "deploy" / "azure"
    values = folder / "environments" / "azure" / "dev.parameters.json"
    shown, deployed = tools.calls[0], [call for call in tools.calls if not call.startswith("uv ")][1:]
    what_if = "deployment group what-if --resource-group acme"
    assert shown == "az account show --output none"
    assert deployed == [
        f"az {what_if} --template-file={work}/azuredeploy.json --parameters @{values} pythonVersion=3.13",
        f"bash {work}/deploy dev acme 3.13",
    ]
    assert (work / "environments" / values.name).read_bytes() == values.read_bytes()
    assert (work / "../../dist/azure.zip").read_bytes() == (folder / "dist" / "azure.zip").read_bytes()
    with ZipFile(folder / "dist" / "azure.zip") as packed:
        names = set(packed.namelist())
    assert {"function_app.py", "host.json", "retrain.toml"} <= names
    # With requirements Azure would build it anew.
    assert "requirements.txt" not in names
    # Modules for encryption have a placeholder, so that azure.storage can be imported.
    assert ".python_packages/lib/site-packages/cryptography/hazmat/primitives/padding/__init__.py" in names
    assert "retrain doctor --cloud azure --env dev --group acme\n" in done.out


def test_a_plan_for_azure_changes_nothing(tmp_path: Path, tools: Programs) -> None:
    """`--plan` ends after what-if."""
    done = deploy(folder_for("azure", tmp_path), "azure", "--plan")
    assert (done.code, done.out) == (0, "")
    assert [call for call in tools.calls if call.startswith("bash ")] == []


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_nothing_is_built_without_a_login(tmp_path: Path, tools: Programs, command: str) -> None:
    """The message names `az login`."""
    tools.add("az", "exit 1")
    folder = folder_for("azure", tmp_path)
    done = deploy(folder, "azure", command=command)
    assert (done.code, done.err) == (1, "az failed to find a login; run `az login` (exit code 1), see above\n")
    assert (folder / "dist").exists() is False
    assert run(command, "azure", "--env", "dev", "--config", str(folder / "retrain.toml")).code == 2


def test_a_deployment_that_cannot_be_read(tmp_path: Path, tools: Programs) -> None:
    """Nothing is removed then, and the words of `az` are shown."""
    tools.add("az", 'test "$1" = account || { echo "DeploymentNotFound" >&2; exit 3; }')
    done = deploy(folder_for("azure", tmp_path), "azure", "--yes", command="destroy")
    assert (done.code, done.out, done.err) == (1, "", "the deployment cannot be read: DeploymentNotFound\n")


def variables(folder: Path, cloud: str, **options: str | None) -> dict[str, str]:
    """Return the variables of the deployment of dev."""
    given = argparse.Namespace(**{"cloud": cloud, "env": "dev", "group": "acme"} | options)
    return deployment_variables(Context(variables={}, folder=folder, out=io.StringIO(), err=io.StringIO()), given)


FOUND = {"RETRAIN_BUS": "projects/p/topics/t", "RETRAIN_SOURCE": "", "RETRAIN_PORT": 1}
KNOWN = {"RETRAIN_BUS": "projects/p/topics/t", "RETRAIN_PORT": "1"}


def test_the_variables_of_a_deployment(tmp_path: Path, tools: Programs) -> None:
    """They are read from the outputs; empty ones are left out."""
    answer = f"echo '{json.dumps(FOUND)}'"
    tools.add("terraform", answer)
    tools.add("az", answer)
    work = tmp_path / "dist" / "terraform" / "dev"
    work.mkdir(parents=True)
    assert variables(tmp_path, "gcp") == variables(tmp_path, "azure") == KNOWN
    query = "--query properties.outputs.variables.value --output json"
    assert tools.calls == [
        f"terraform -chdir={work} output -json variables",
        f"az deployment group show --resource-group acme --name retrain-dev {query}",
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no group' >&2; exit 1", "the outputs of the deployment cannot be read: no group"),
        ("echo '{'", "the outputs of the deployment are not valid JSON; deploy it again"),
    ],
)
def test_outputs_that_cannot_be_read(tmp_path: Path, tools: Programs, script: str, message: str) -> None:
    """The message has the words of the program, or says what to do."""
    tools.add("az", script)
    with pytest.raises(DeploymentError, match=f"^{message}$"):
        variables(tmp_path, "azure")
    tools.add("az", "echo null")
    assert variables(tmp_path, "azure") == {}


@pytest.mark.usefixtures("tools")
def test_a_deployment_that_is_not_named_in_full(tmp_path: Path) -> None:
    """A missing resource group, another folder and a cloud without deployments are named."""
    with pytest.raises(UsageError, match=r"^--group is missing: name the resource group of the deployment$"):
        variables(tmp_path, "azure", group=None)
    advice = "dev was not deployed from this folder; deploy it: retrain deploy gcp --env dev"
    with pytest.raises(DeploymentError, match=f"^{advice}$"):
        variables(tmp_path, "gcp")
    (tmp_path / "deploy" / "gcp").mkdir(parents=True)
    with pytest.raises(DeploymentError, match=f"^{advice}, or read its state: STATE=BUCKET deploy/outputs gcp dev$"):
        variables(tmp_path, "gcp")
    with pytest.raises(UsageError, match=r"^--env: there are no deployments on local; add --cloud aws, gcp or azure$"):
        variables(tmp_path, "local")
