"""`deploy/azure/deploy` uploads what was tested, waits for what Azure needs time for, and reports failures."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.azure_machine import APP, BUNDLE, HOST, TOKEN, AzureMachine

LATE_ROLE = "InaccessibleStorageException: Failed to access storage account: 403 (This request is not authorized)"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[AzureMachine]:
    """Return a machine on which everything is there."""
    if shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("curl is not installed, by which the script uploads")
    with AzureMachine(folder=tmp_path) as made:
        yield made


def test_what_was_tested_is_what_runs(machine: AzureMachine) -> None:
    """The bundle goes up byte for byte, nothing is built anew, and events are subscribed last of all."""
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    (upload,) = machine.uploaded
    assert upload.path == "/api/publish?RemoteBuild=false"
    assert upload.headers["content-type"] == "application/zip"
    assert upload.body == machine.bundle.read_bytes()
    assert machine.requests[1].path == "/api/deployments/d-1"
    assert machine.passes == ["subscribe=false", "subscribe=true"]
    words = [call for call in machine.calls if "deployment group" in call or "retrain_receive" in call]
    assert ["retrain_receive" in call for call in words] == [False, True, False]
    assert all("pythonVersion=3.13" in call for call in words if "deployment group" in call)
    assert machine.pauses == []


def test_nobody_sees_the_token(machine: AzureMachine) -> None:
    """It reaches the service, and is in no argument, no output and no file that is left."""
    machine.states = [3]
    done = machine.deploy()
    assert {request.headers["authorization"] for request in machine.requests} == {f"Bearer {TOKEN}"}
    assert TOKEN not in "".join([*machine.calls, done.stdout, done.stderr])
    left = [path for path in machine.folder.rglob("*") if path.is_file() and path.parent.name != "bin"]
    assert not [path for path in left if TOKEN.encode() in path.read_bytes()]


def test_a_role_that_is_known_late_is_waited_for(machine: AzureMachine) -> None:
    """The upload is tried again while the app may not write to its storage account."""
    machine.uploads = [(403, "This request is not authorized"), (403, "This request is not authorized")]
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert len(machine.uploaded) == 3
    assert machine.pauses == [30, 30]
    assert f"The deployment service of {APP} answers 403 to the upload: This request is not authorized" in done.stderr
    assert "Trying again in 30 seconds (1 of 12 tries)." in done.stderr
    assert machine.passes == ["subscribe=false", "subscribe=true"]


@pytest.mark.parametrize(("status_text", "log"), [(LATE_ROLE, []), ("", ["Storage answers Forbidden."]), ("", [])])
def test_a_deployment_that_fails_for_a_late_role_is_repeated(
    machine: AzureMachine, status_text: str, log: list[str]
) -> None:
    """The service may accept the upload and find only afterwards that the storage account refuses it."""
    machine.states, machine.status_text, machine.log = [1, 3, 3], status_text, log
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert len(machine.uploaded) == 3
    assert machine.pauses == [10, 30, 30]


def test_a_role_that_never_comes_is_given_up(machine: AzureMachine) -> None:
    """After six minutes the script ends, and nothing is subscribed."""
    machine.uploads = [(403, "no")] * 12
    done = machine.deploy()
    assert done.returncode == 1
    assert machine.pauses == [30] * 11
    assert done.stderr.rstrip().endswith("Given up after 12 tries.")
    assert machine.passes == ["subscribe=false"]


def test_a_failed_deployment_is_reported_in_words(machine: AzureMachine) -> None:
    """The messages of the service and its log are shown; the same bundle would fail again, so it is not repeated."""
    machine.states, machine.status_text, machine.log = [0, 3], "Package rejected.", ["Validating", "No host.json."]
    done = machine.deploy()
    assert done.returncode == 2
    assert f"The deployment to {APP} failed (status 3): Package rejected. Validating No host.json." in done.stderr
    assert len(machine.uploaded) == 1
    assert machine.passes == ["subscribe=false"]


def test_a_service_that_restarts_is_called_again(machine: AzureMachine) -> None:
    """No answer, and one that is not valid JSON, say nothing about the deployment."""
    machine.states = [503, 0, 502, 2]
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert machine.pauses == [10] * 4
    assert len(machine.uploaded) == 1


def test_a_deployment_that_does_not_end_is_reported(machine: AzureMachine) -> None:
    """After ten minutes the script ends with the last status."""
    machine.states = [503] * 59 + [1]
    done = machine.deploy()
    assert done.returncode == 2
    assert f"The deployment to {APP} did not end within ten minutes (last status: 1)." in done.stderr
    assert sum(machine.pauses) == 600


def test_an_upload_without_an_id_is_followed_all_the_same(machine: AzureMachine) -> None:
    """Where the answer names no deployment the latest one is it."""
    machine.uploads = [(200, "")]
    assert machine.deploy().returncode == 0
    assert machine.requests[1].path == "/api/deployments/latest"


def test_an_upload_that_can_never_be_taken_is_not_repeated(machine: AzureMachine) -> None:
    """Too large, or of the wrong type, it stays."""
    machine.uploads = [(413, "Too large")]
    done = machine.deploy()
    assert (done.returncode, len(machine.uploaded)) == (2, 1)
    assert "answers 413 to the upload: Too large" in done.stderr


def test_a_lost_login_is_reported(machine: AzureMachine) -> None:
    """Where `az` gives no token its own words are shown, and no request goes out without one."""
    machine.refuse("get-access-token", 1, "Please run 'az login'")
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert "ERROR: Please run 'az login'" in done.stderr
    assert all("authorization" in request.headers for request in machine.requests)
    assert f"The deployment service of {APP} answers nothing to the upload" in done.stderr


def test_the_function_is_waited_for(machine: AzureMachine) -> None:
    """Event Grid refuses to subscribe a function that Resource Manager does not know yet."""
    machine.refuse("retrain_receive", 2, "NotFound")
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert machine.pauses == [15, 15]
    assert f"The function retrain_receive of {APP} is not known yet: ERROR: NotFound" in done.stderr


def test_a_function_that_never_comes_is_given_up(machine: AzureMachine) -> None:
    """After five minutes the script ends; a bundle that cannot be imported has no functions."""
    machine.refuse("retrain_receive", 99)
    done = machine.deploy()
    assert done.returncode == 1
    assert sum(machine.pauses) == 15 * 19
    assert machine.passes == ["subscribe=false"]


def test_the_second_run_of_the_template_is_repeated(machine: AzureMachine) -> None:
    """Event Grid looks whether dead letters can be written, and may look too early."""
    machine.refuse("subscribe=true", 1, "Storage is not accessible")
    done = machine.deploy()
    assert done.returncode == 0, done.stderr
    assert machine.passes == ["subscribe=false", "subscribe=true", "subscribe=true"]
    assert machine.pauses == [30]


def test_a_template_that_is_wrong_is_not_repeated(machine: AzureMachine) -> None:
    """The first run waits for nothing: where it fails its own words are all there is to say."""
    machine.refuse("subscribe=false", 1, "InvalidTemplate")
    done = machine.deploy()
    assert done.returncode == 1
    assert (machine.passes, machine.requests) == (["subscribe=false"], [])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("_cffi_backend.cpython-311-x86_64-linux-gnu.so", "cpython-311-x86_64-linux-gnu"),
        ("_cffi_backend.cpython-313-aarch64-linux-gnu.so", "cpython-313-aarch64-linux-gnu"),
        ("_cffi_backend.cpython-313-darwin.so", "cpython-313-darwin"),
        ("_cffi_backend.cp313-win_amd64.pyd", "cp313-win_amd64"),
        ("__pycache__/settings.cpython-312.pyc", "cpython-312"),
    ],
)
def test_a_bundle_for_another_interpreter_is_refused(machine: AzureMachine, name: str, found: str) -> None:
    """Code that was compiled for another Python, system or processor could not be imported; nothing is created."""
    machine.pack([*BUNDLE, f".python_packages/lib/site-packages/{name}"])
    done = machine.deploy()
    assert done.returncode == 1
    assert done.stderr == (
        f"dist/azure.zip holds what was compiled for {found}, not for Python 3.13 on Linux with x86-64: "
        "make build-azure TARGET_PYTHON=3.13 TARGET_PLATFORM=manylinux2014_x86_64\n"
    )
    assert machine.calls == []


def test_the_version_of_python_is_compared(machine: AzureMachine) -> None:
    """A bundle that is right for one version is wrong for the next."""
    assert "cpython-313" in machine.deploy("3.12").stderr
    assert machine.calls == []


@pytest.mark.parametrize("content", [None, b"no zip"])
def test_a_bundle_that_is_not_there_is_reported(machine: AzureMachine, content: bytes | None) -> None:
    """Nothing is made before it is known what runs there."""
    machine.bundle.unlink()
    if content is not None:
        machine.bundle.write_bytes(content)
    done = machine.deploy()
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("make build-azure")
    assert machine.calls == []


def test_the_service_is_that_of_the_app(machine: AzureMachine) -> None:
    """Its address comes from Resource Manager, so that it is right in every cloud."""
    machine.deploy()
    assert all(f"https://{HOST}/api/" in call for call in machine.calls if call.startswith("curl "))


def test_a_check_takes_seconds_and_changes_nothing(machine: AzureMachine) -> None:
    """It looks at account, group and namespaces; no bundle is needed yet."""
    machine.bundle.unlink()
    done = machine.run("check", "dev", "retraining")
    assert (done.returncode, done.stderr) == (0, "Nothing is missing.\n")
    assert {call.split()[1] for call in machine.calls} == {"account", "group", "provider"}
    assert not [call for call in machine.calls if "Microsoft.App" in call]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("account show", "Azure does not know who deploys: az login (ERROR: ordered by a test)"),
        ("group show", "The resource group retraining cannot be read: ERROR: ordered by a test"),
    ],
)
def test_what_the_account_lacks_is_named_before_anything_is_made(
    machine: AzureMachine, words: str, complaint: str
) -> None:
    """One sentence says what is missing, and nothing is deployed."""
    machine.refuse(words, times=1)
    done = machine.deploy()
    assert (done.returncode, done.stderr) == (1, f"{complaint}\n")
    assert machine.passes == []


def test_a_namespace_that_is_not_registered_is_named(machine: AzureMachine) -> None:
    """A new subscription has almost none; registering one is a right on the subscription."""
    az = machine.folder / "bin" / "az"
    az.write_text(az.read_text(encoding="utf-8").replace('echo "Registered"', 'echo "NotRegistered"'), encoding="utf-8")
    done = machine.deploy()
    assert done.stderr == (
        "The subscription has not registered Microsoft.Web: az provider register --namespace Microsoft.Web --wait\n"
    )


@pytest.mark.parametrize(
    ("environment", "text", "complaint"),
    [
        ("prod", '{"parameters": {"environment": {"value": "prod"}}}', "alertGroup: prod needs an action group"),
        ("dev", '{"parameters": {"environment": {"value": "prod"}}}', "environment: must be dev"),
        ("dev", "[]", "is not a parameters file of Azure"),
    ],
)
def test_wrong_settings_are_refused(machine: AzureMachine, environment: str, text: str, complaint: str) -> None:
    """Before Azure is queried at all."""
    machine.settings(text, environment)
    done = machine.run(environment, "retraining", "3.13")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert machine.calls == []


def test_a_plan_shows_and_changes_nothing(machine: AzureMachine) -> None:
    """The template and the parameters are those of the deployment, with the image of the monitor if there is one."""
    done = machine.run("plan", "dev", "retraining", "3.13", MONITOR_IMAGE="acme.azurecr.io/monitor@sha256:0a")
    assert done.returncode == 0, done.stderr
    (planned,) = [call for call in machine.calls if call.startswith("az deployment")]
    assert planned.startswith("az deployment group what-if --resource-group retraining --name retrain-dev")
    assert "monitorImage=acme.azurecr.io/monitor@sha256:0a" in planned
    assert machine.passes == []
    assert machine.uploaded == []
