"""Deployments by the real tools of Google Cloud and Azure, up to their first network call, which needs a login."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.deploy.template import ROOT

# A home without credentials, and nothing that leads to the metadata server of a cloud.
BARE = {"CLOUDSDK_CONFIG": "/nonexistent", "GOOGLE_APPLICATION_CREDENTIALS": "", "NO_GCE_CHECK": "true"}
AZ = ROOT / ".tools" / "azure-cli" / "bin" / "az"
TEMPLATE = ROOT / "deploy" / "azure" / "azuredeploy.json"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a user who is not logged in anywhere."""
    for name, value in {**BARE, "HOME": str(tmp_path / "home"), "AZURE_CONFIG_DIR": str(tmp_path / "az")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_CORE_COLLECT_TELEMETRY", "no")
    return tmp_path


def deployed(folder: Path, cloud: str, *options: str) -> tuple[int, str]:
    """Deploy a new folder of a user, and return the exit code and the error."""
    run("init", "--cloud", cloud, str(folder))
    config = str(folder / "retrain.toml")
    model = '\n[models.churn.target.gcp]\nkind = "github"\nrepository = "acme/churn"\nevent_type = "train"\n'
    (folder / "retrain.toml").write_text(
        f"[github]\nrepositories = ['acme/churn']\n{model}{model.replace('.gcp', '.azure')}", encoding="utf-8"
    )
    answer = run("deploy", cloud, "--env", "dev", "--config", config, *options)
    assert not (folder / "dist" / cloud).exists(), "nothing is built before a login is found"
    return answer.code, answer.err


def test_terraform_looks_for_credentials_first(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Terraform reads our files, and fails to open the state for lack of credentials; nothing was built until then."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    code, error = deployed(home / "models", "gcp", "--state", "acme-state")
    assert (code, error) == (1, "terraform failed to read its state (exit code 1), see above\n")
    assert "could not find default credentials" in capfd.readouterr().err


def test_terraform_accepts_the_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All checks that Terraform makes before it loads the provider pass: nothing is declared twice, for one."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    mirror = home / "mirror"
    mirror.mkdir()
    (home / "terraform.rc").write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    )
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(home / "terraform.rc"))
    work = shutil.copytree(ROOT / "deploy" / "gcp", home / "gcp", ignore=shutil.ignore_patterns(".terraform*"))
    command = ["terraform", f"-chdir={work}", "init", "-backend=false", "-no-color", "-input=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.count("Error: ") == 1, done.stderr
    # The provider, which is not in the empty folder, is all that is missing.
    assert "provider registry.terraform.io/hashicorp/google was not found" in " ".join(done.stderr.split())


def needs_az() -> None:
    """Skip where Azure's command line is not set up; `make check-deploy` sets it up, and sets CHECK_DEPLOY."""
    if not os.environ.get("CHECK_DEPLOY"):
        pytest.skip("make check-deploy runs this: Azure's command line takes seconds to start")


def test_az_looks_for_a_login_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login the command says what to do."""
    needs_az()
    monkeypatch.setenv("PATH", f"{AZ.parent}{os.pathsep}{os.environ['PATH']}")
    code, error = deployed(home / "models", "azure", "--group", "acme")
    assert (code, error) == (1, "az failed to find a login; run `az login` (exit code 1), see above\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "az login"),
        (["pythonVersion=3.13"], "az login"),
        (["unknown=1"], "unrecognized template parameter 'unknown'"),
    ],
)
@pytest.mark.usefixtures("home")
def test_az_reads_template_and_parameters(tmp_path: Path, more: list[str], said: str) -> None:
    """`what-if` accepts the settings that `retrain init` writes, up to the login, and no unknown parameter."""
    needs_az()
    run("init", "--cloud", "azure", str(tmp_path / "models"))
    parameters = tmp_path / "models" / "environments" / "azure" / "dev.parameters.json"
    what_if = [str(AZ), "deployment", "group", "what-if", "--resource-group", "acme", "--template-file", str(TEMPLATE)]
    done = subprocess.run(
        [*what_if, "--parameters", f"@{parameters}", *more], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert said in done.stderr
