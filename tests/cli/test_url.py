"""Commands with `--url`: the HTTP API of a deployment is used, with the user's own credentials."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.cli.commands import COMMANDS
from functions.local.server import serve
from tests.cli.running import run
from tests.cli.test_console import Upstream, upstream
from tests.core.deployment import Deployment
from tests.core.samples import model_text

__all__ = ["upstream"]

CONFIGURATION = model_text("churn", tables="[models.churn.parameters]\nepochs = 8") + model_text(
    "reviewed", "approval = true"
)


@pytest.fixture
def deployment() -> Deployment:
    """Return a deployment whose configuration is not in the user's folder."""
    return Deployment(CONFIGURATION)


@pytest.fixture
def url(deployment: Deployment) -> Iterator[str]:
    """Let the API of the deployment listen."""
    listener = serve(deployment.emitter, "127.0.0.1", 0)
    thread = threading.Thread(target=listener.run)
    thread.start()
    yield f"http://127.0.0.1:{listener.port}"
    listener.stop()
    thread.join()


def test_every_command_that_uses_the_api_takes_an_address() -> None:
    """The others are about a folder, a bundle or a deployment's resources."""
    without = {name for name, command in COMMANDS.items() if command.clouds and not command.takes_url}
    assert without <= {"check", "build", "trust-policy", "letters"}


def test_a_training_is_requested_and_approved(deployment: Deployment, url: str, tmp_path: Path) -> None:
    """No configuration is needed here: the deployment has its own."""
    where = ("--url", url, "--config", str(tmp_path / "absent.toml"))
    rehearsed = run("dry-run", "churn", "--param", "epochs=12", *where, variables={})
    assert (rehearsed.code, rehearsed.out.split(" ")[0]) == (0, "launch:")
    emitted = run("emit", "churn", "--param", "epochs=12", "--id", "t-1", *where, variables={})
    assert (emitted.code, emitted.out, emitted.err) == (0, "t-1\n", "")
    assert deployment.bus.published[0].parameters == {"epochs": 12}
    run("emit", "reviewed", "--id", "t-2", *where, variables={})
    deployment.carry()
    assert run("approve", "reviewed", "t-2", *where, variables={}).code == 0
    shown = json.loads(run("show", "churn", "--json", *where, variables={}).out)
    assert (shown["state"], shown["decisions"][0]["requested_by"]) == ("training", "this machine")
    models = json.loads(run("models", "--json", *where, variables={}).out)["models"]
    assert [model["model_id"] for model in models] == ["churn", "reviewed"]


def test_a_refusal_is_that_of_the_deployment(url: str) -> None:
    """The exit code is 1, and with --json the problem document is printed."""
    answer = run("show", "absent", "--url", url, "--json", variables={})
    assert (answer.code, json.loads(answer.out)["status"]) == (1, 404)


def test_doctor_checks_the_api(url: str) -> None:
    """Without the names of the deployment's parts nothing else can be checked."""
    answer = run("doctor", "--url", url, "--json", variables={})
    checks = json.loads(answer.out)["checks"]
    assert (answer.code, [(check["name"], check["status"]) for check in checks]) == (
        0,
        [("address", "ok"), ("ledger", "ok")],
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [("403 Forbidden", "the platform refuses your credentials (403)"), ("302 Found", "wants a browser to sign in")],
)
def test_an_answer_of_the_platform_is_explained(upstream: Upstream, status: str, said: str) -> None:
    """A page or message of the platform is not shown as a response of the API."""
    upstream.answer = (status, [("content-type", "application/json")], b'{"Message": "Forbidden"}')
    variables = {"RETRAIN_FUNCTION_KEY": "secret"}
    answer = run("models", "--cloud", "azure", "--url", upstream.url, variables=variables)
    assert (answer.code, said in answer.err) == (1, True), answer
    assert upstream.requests[0].headers["x-functions-key"] == "secret"


def test_a_domain_of_the_users_own_is_signed_for_the_region_that_is_set(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_REGION counts, as for every other command."""
    upstream.answer = ("200 OK", [("content-type", "application/json")], b'{"models": []}')
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    answer = run("models", "--cloud", "aws", "--url", upstream.url, variables={"AWS_REGION": "eu-central-1"})
    assert (answer.code, answer.err) == (0, "")
    assert "/eu-central-1/execute-api/aws4_request" in upstream.requests[0].headers["authorization"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", b"<html>Sign in"),
        ("200 OK", b"[]"),
        ("500 Internal Server Error", b'["detail"]'),
        ("520 Web Server Error", b"<html>"),
    ],
)
def test_what_is_not_an_answer_of_the_api_is_an_error(upstream: Upstream, status: str, body: bytes) -> None:
    """A page in front of the deployment is never taken for its answer, whatever its status is."""
    upstream.answer = (status, [("content-type", "text/html")], body)
    answer = run("models", "--url", upstream.url, variables={})
    said = f"the address answers {status[:3]} in a form that is not the API's: {body.decode()!r}"
    assert (answer.code, answer.err.strip()) == (1, said), answer


def test_a_problem_does_not_control_the_terminal(upstream: Upstream) -> None:
    """Whatever is at the address, its text is shown without control characters."""
    upstream.answer = ("404 Not Found", [("content-type", "application/json")], b'{"detail": "\\u001b[2Jgone"}')
    assert run("show", "churn", "--url", upstream.url, variables={}).err == "?[2Jgone\n"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--url", "http://retrain.example"), 2, "must be an https:// address"),
        (("--url", "http://127.0.0.1:9"), 1, "could not be reached"),
        (("--cloud", "azure", "--url", "https://x.example"), 2, "set RETRAIN_FUNCTION_KEY"),
    ],
)
def test_an_address_that_cannot_be_used(options: tuple[str, ...], code: int, said: str) -> None:
    """Credentials are never sent in clear; the message says what to do."""
    answer = run("models", *options, variables={})
    assert (answer.code, said in answer.err) == (code, True), answer
