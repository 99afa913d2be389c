"""`retrain console`: requests reach a deployment with the user's own credentials, and no one else reaches the proxy."""

import argparse
import base64
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.loopback import Answer, LoopbackServer
from functions.cli.__main__ import main
from functions.cli.access.aws import AwsAccess
from functions.cli.access.azure import EntraAccess, KeyAccess
from functions.cli.access.gcp import GoogleAccess
from functions.cli.command import AccessError, Context
from functions.cli.console.proxy import Proxy
from functions.cli.deployment.address import api_address, function_key
from functions.http_session import NO_RETRY, HttpSession
from functions.local.listener import Listener
from functions.local.server import answered, read_request
from shared.http.messages import Request, Response
from tests.cli.package import ROOT
from tests.cli.running import run
from tests.core.deployment import problem
from tests.local.here import get, own_signals, serve_here

URL = "https://abc.lambda-url.eu-west-3.on.aws"
JSON = {"content-type": "application/json"}


@dataclass(slots=True)
class Upstream:
    """A deployment that remembers requests.

    Attributes:
        url: its address.
        requests: the requests, oldest first.
        answer: status, headers and body of every answer.

    """

    url: str
    requests: list[Request] = field(default_factory=list)
    answer: tuple[str, list[tuple[str, str]], bytes] = ("200 OK", [("content-type", "application/json")], b'{"a": 1}')


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Let a deployment listen."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        found.requests.append(read_request(environ))
        status, headers, body = found.answer
        start_response(status, [*headers, ("content-length", str(len(body)))])
        return [body]

    listener = Listener(application, "127.0.0.1", 0)
    found = Upstream(f"http://127.0.0.1:{listener.port}")
    thread = threading.Thread(target=listener.run)
    thread.start()
    yield found
    listener.stop()
    thread.join()


def proxied(upstream: Upstream, method: str = "GET", path: str = "/t/models", **more: Any) -> Response:
    """Send a request to a proxy in front of *upstream*, whose random part is `t`."""
    headers = {"host": "127.0.0.1:1", **more.pop("headers", {})}
    proxy = Proxy(upstream.url, KeyAccess("secret"), HttpSession(NO_RETRY), "t")
    return proxy.respond(Request(method=method, path=path, headers=headers, **more))


def test_a_request_is_passed_on_with_the_key_and_nothing_of_the_browser(upstream: Upstream) -> None:
    """Path, body and Idempotency-Key arrive; cookies, Origin and the random part of the address do not."""
    headers = {**JSON, "idempotency-key": "k", "origin": "http://127.0.0.1:1", "cookie": "c", "referer": "r"}
    response = proxied(upstream, "POST", "/t/models/a%2Fb/approve", body=b"{}", headers=headers)
    assert (response.status, response.body) == (200, '{"a": 1}')
    (received,) = upstream.requests
    assert (received.method, received.path, received.body) == ("POST", "/models/a%2Fb/approve", b"{}")
    assert (received.headers["x-functions-key"], received.headers["idempotency-key"]) == ("secret", "k")
    assert not {"origin", "cookie", "referer"} & received.headers.keys()
    assert "secret" not in received.path


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/x/models", {}, 404),
        ("GET", "/models", {}, 404),
        ("GET", "/t", {}, 404),
        ("GET", "/t/models", {"host": "evil.example"}, 403),
        ("POST", "/t/retrain", {**JSON, "origin": "https://evil.example"}, 403),
        ("POST", "/t/retrain", {**JSON, "origin": "null"}, 403),
        ("POST", "/t/retrain", {"content-type": "text/plain", "sec-fetch-site": "cross-site"}, 415),
    ],
)
def test_what_is_not_the_users_own_is_refused(
    upstream: Upstream, method: str, path: str, headers: Mapping[str, str], status: int
) -> None:
    """Without the random part, under a foreign name or from a foreign page nothing reaches the deployment."""
    assert proxied(upstream, method, path, headers=headers).status == status
    assert upstream.requests == []


def test_the_policy_of_the_page_comes_through_and_cookies_do_not(upstream: Upstream) -> None:
    """The browser gets the headers that protect the page."""
    kept = [
        ("content-security-policy", "default-src 'none'"),
        ("content-type", "text/html"),
        ("referrer-policy", "no-referrer"),
    ]
    upstream.answer = "200 OK", [*kept, ("set-cookie", "a=b")], b"<html>"
    assert proxied(upstream, path="/t/").headers == dict(kept)


def test_a_sign_in_page_is_not_followed(upstream: Upstream) -> None:
    """A redirect says that the credentials are of the wrong kind."""
    upstream.answer = "302 Found", [("location", "https://login.example")], b""
    assert "--audience" in problem(proxied(upstream), 502, "Bad Gateway")


def test_a_status_without_a_name_is_passed_on(upstream: Upstream) -> None:
    """A proxy in front of a deployment may answer so."""
    upstream.answer = "520 Web Server Error", [], b"{}"
    started: list[str] = []
    answered(proxied(upstream), {}, lambda status, _headers: started.append(status))
    assert started == ["520 Unknown"]


def test_a_deployment_that_is_away() -> None:
    """The problem names the host."""
    assert "127.0.0.1 does not answer" in problem(proxied(Upstream("http://127.0.0.1:9")), 502, "Bad Gateway")


@pytest.mark.parametrize(
    ("url", "service", "region"),
    [
        (URL, "lambda", "eu-west-3"),
        ("https://abc.execute-api.us-east-2.amazonaws.com", "execute-api", "us-east-2"),
        ("https://retrain.example", "execute-api", "eu-central-1"),
    ],
)
def test_aws_requests_are_signed(url: str, service: str, region: str) -> None:
    """The signature is the one that botocore makes for that service and region, over the body and the content type."""
    session = Session()
    session.set_credentials("AKIA", "secret", "token")
    session.set_config_variable("region", "eu-central-1")
    address = f"{url}/models/a%2Fb/approve"
    signed = AwsAccess(url, session).headers("POST", address, JSON, b"{}")
    scope = f"/{region}/{service}/aws4_request"
    assert scope in signed["Authorization"]
    assert "content-type;host;x-amz-date;x-amz-security-token" in signed["Authorization"]
    sent = {**JSON, "X-Amz-Date": signed["X-Amz-Date"], "X-Amz-Security-Token": "token"}
    again = AWSRequest("POST", address, headers=sent, data=b"{}")
    again.context["timestamp"] = signed["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKIA", "secret", "token"), service, region)
    signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    assert signed["Authorization"].endswith(f"Signature={signature}")


def test_aws_without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says how to sign in."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AccessError, match="sign in"):
        AwsAccess(URL, Session()).headers("GET", URL, {}, b"")


def token(expires: float) -> str:
    """Return an unsigned identity token."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def test_google_requests_carry_the_token_of_gcloud(tmp_path: Path) -> None:
    """It is made once, and again before it expires; an impersonated account's is made for the address."""
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\necho {token(10_000)}\n')
    gcloud.chmod(0o755)
    path, now = f"{tmp_path}:/bin:/usr/bin", [0.0]
    access = GoogleAccess("https://run.example", {"PATH": path}, lambda: now[0])
    for now[0] in (0.0, 9_000.0, 9_900.0):
        assert access.headers("GET", "", {"a": "b"}, b"") == {"a": "b", "authorization": f"Bearer {token(10_000)}"}
    impersonating = {"PATH": path, "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT": "x@y"}
    GoogleAccess("https://run.example", impersonating, lambda: 0).headers("GET", "", {}, b"")
    plain = "auth print-identity-token"
    assert (tmp_path / "calls").read_text().splitlines() == [
        *(plain, plain),
        f"{plain} --audiences=https://run.example --include-email",
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "gcloud is missing"),
        ("#!/bin/sh\nexit 1\n", "gcloud auth login"),
        ("#!/bin/sh\nexec /bin/sleep 30\n", "within 1 s; run `gcloud auth login`"),
    ],
)
def test_google_without_a_login(tmp_path: Path, script: str, reason: str) -> None:
    """The error says what to install or to run."""
    if script:
        (tmp_path / "gcloud").write_text(script)
        (tmp_path / "gcloud").chmod(0o755)
    with pytest.raises(AccessError, match=reason):
        GoogleAccess("https://run.example", {"PATH": str(tmp_path)}, time_limit=1).headers("GET", "", {}, b"")


class _Credential:
    """A credential that counts its tokens."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, scope: str) -> Any:
        """Return the next token, which lives for an hour."""
        self.scopes.append(scope)
        return type("Token", (), {"token": f"t{len(self.scopes)}", "expires_on": len(self.scopes) * 3600})


def test_azure_requests_carry_a_token_of_entra_id() -> None:
    """It is requested for the application, and again before it expires."""
    credential, now = _Credential(), [0.0]
    access = EntraAccess("api://app/", credential, lambda: now[0])
    sent = []
    for now[0] in (0.0, 3000.0, 3500.0):
        sent.append(access.headers("GET", "", {}, b"")["authorization"])
    assert sent == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert set(credential.scopes) == {"api://app/.default"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--cloud", "aws"), "name the deployment"),
        (("--cloud", "azure", "--url", "http://retrain.example"), "https"),
        (("--cloud", "azure", "--url", "https://retrain.example"), "RETRAIN_FUNCTION_KEY"),
        (("--cloud", "local"), ""),
    ],
)
def test_what_is_missing_is_named(options: tuple[str, ...], reason: str) -> None:
    """The exit code is 2, and the message says which option or variable to set."""
    answer = run("console", *options)
    assert answer.code == 2
    assert reason in answer.err


def test_a_port_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The message is that of `retrain serve`."""
    assert run("console", "--cloud", "gcp", "--url", "https://retrain.example", "--port", "99999").code == 2
    assert "must be a number from 0 to 65535, not '99999'" in capsys.readouterr().err


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
def test_the_address_of_a_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloud: str) -> None:
    """It is an output of the deployment, read by Terraform or az; az finds the function key, too."""
    answers = {"httpApi": "https://az.example", "functionApp": "retrain-prod", "keys list": "the-key"}
    cases = "".join(f'*"{part}"*) echo "{answer}";;\n' for part, answer in answers.items())
    for name, script in {"terraform": "echo https://run.example", "az": f'case "$*" in\n{cases}esac'}.items():
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $@" >> {tmp_path}/calls\n{script}\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    (tmp_path / "dist" / "terraform" / "prod").mkdir(parents=True)
    context = Context(variables={}, folder=tmp_path, out=io.StringIO(), err=io.StringIO())
    options = argparse.Namespace(cloud=cloud, env="prod", group="g")
    address = api_address(context, options)
    if cloud == "gcp":
        assert address == "https://run.example"
        assert (tmp_path / "calls").read_text().endswith("output -raw http_api\n")
    else:
        assert (address, function_key(options)) == ("https://az.example", "the-key")
        assert "functionapp keys list --resource-group g --name retrain-prod" in (tmp_path / "calls").read_text()


def test_the_command_prints_its_address_and_serves_there(upstream: Upstream, tmp_path: Path) -> None:
    """Two starts have different addresses, and SIGTERM ends it with 0."""
    command = [sys.executable, "-m", "functions.cli", "console", "--cloud", "azure", "--url", upstream.url]
    variables = {**os.environ, "RETRAIN_FUNCTION_KEY": "secret", "RETRAIN_CONFIG": str(tmp_path / "retrain.toml")}
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/[\w-]{32}/)", address)
    assert found is not None
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
    connection.request("GET", f"{found[2]}models?q=a%20b")
    assert connection.getresponse().read() == b'{"a": 1}'
    connection.close()
    assert dict(upstream.requests[0].query) == {"q": "a b"}
    assert upstream.requests[0].headers["x-functions-key"] == "secret"
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()


def test_two_starts_have_different_addresses(upstream: Upstream) -> None:
    """Each has a random part of its own; Ctrl-C ends the command with 0."""
    found: list[str] = []
    variables = {**os.environ, "RETRAIN_FUNCTION_KEY": "secret"}

    def visit(url: str) -> None:
        found.append(url)
        assert get(f"{url}models") == {"a": 1}

    for _ in range(2):
        out = io.StringIO()
        serve = partial(main, ["console", "--cloud", "azure", "--url", upstream.url], variables, out, io.StringIO())
        assert serve_here(serve, lambda out=out: out.getvalue().strip() or None, visit) == 0  # type: ignore[misc]
    first, second = (url.rpartition(":")[2].partition("/")[2] for url in found)
    assert first != second


def test_a_used_port_is_one_sentence(upstream: Upstream) -> None:
    """The exit code is 1, and the message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as used, own_signals():
        port = used.getsockname()[1]
        options = ("console", "--cloud", "azure", "--url", upstream.url, "--port", str(port))
        answer = run(*options, variables={**os.environ, "RETRAIN_FUNCTION_KEY": "secret"})
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"--port: {port} on 127.0.0.1 is in use")


@pytest.fixture(scope="module")
def private_key() -> str:
    """Return a new private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def test_google_requests_carry_the_token_of_a_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_key: str
) -> None:
    """GOOGLE_APPLICATION_CREDENTIALS names its key; gcloud is not needed. A refusal is one sentence."""
    answers = [Answer(status=200, body=json.dumps({"id_token": token(2_000_000_000)}).encode())]
    key = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    with LoopbackServer(lambda _: answers.pop() if answers else Answer(status=400, body=b'{"error": "gone"}')) as sts:
        account = {"type": "service_account", "client_email": "run@acme", "token_uri": sts.url}
        key.write_text(json.dumps({**account, "private_key": private_key}))
        access = GoogleAccess("https://run.example", {"GOOGLE_APPLICATION_CREDENTIALS": str(key)}, lambda: 0)
        for _ in range(2):
            assert access.headers("GET", "", {}, b"") == {"authorization": f"Bearer {token(2_000_000_000)}"}
        again = GoogleAccess("https://run.example", {"GOOGLE_APPLICATION_CREDENTIALS": str(key)}, lambda: 0)
        with pytest.raises(AccessError, match=r"^GOOGLE_APPLICATION_CREDENTIALS: gives no identity token "):
            again.headers("GET", "", {}, b"")


@pytest.mark.parametrize("text", ["no token", "e30.e30.s", "e30.W10.s"])
def test_a_token_without_an_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is made again for each request; a person's own credentials make no token, so gcloud is called."""
    person = tmp_path / "person.json"
    person.write_text('{"type": "authorized_user"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(person))
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(f"#!/bin/sh\necho x >> {tmp_path}/calls\necho {text}\n")
    gcloud.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:/bin:/usr/bin", "GOOGLE_APPLICATION_CREDENTIALS": str(person)}
    access = GoogleAccess("https://run.example", variables, lambda: 0)
    for _ in range(2):
        assert access.headers("GET", "", {}, b"") == {"authorization": f"Bearer {text}"}
    assert (tmp_path / "calls").read_text() == "x\nx\n"
