"""Pages of foreign sites cannot change anything through the HTTP API."""

import pytest

from shared.api import respond
from shared.http.messages import Request
from shared.http.origin import host_name, is_loopback
from tests.core.deployment import Deployment, problem
from tests.core.samples import model_text


def status(deployment: Deployment, headers: dict[str, str], method: str = "POST", **more: object) -> int:
    """Send a request of a browser and return the status of the answer."""
    sent = Request(method=method, path="/retrain", body=b'{"model_id": "churn"}', headers=headers)
    return respond(deployment.emitter, sent, **more).status  # type: ignore[arg-type]


def from_page(origin: str, host: str = "api.example") -> dict[str, str]:
    """Return the headers of a request that a page of *origin* sends."""
    return {"host": host, "origin": origin, "content-type": "application/json"}


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://api.example", "api.example"),
        ("https://api.example", "API.example:443"),
        ("https://API.example:443", "api.example"),
        ("https://api.example:8443", "api.example:8443"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://console.example", "api.example"),
    ],
)
def test_an_own_page_may_send_requests(origin: str, host: str) -> None:
    """The own origins are the host with https, on loopback with http, and those that the deployment names."""
    assert status(Deployment(), from_page(origin, host), own_origins=["https://console.example"]) == 202


def test_the_configured_console_is_an_own_page() -> None:
    """The origin of `[console]` `url` counts, whatever path the address has."""
    text = '[console]\nurl = "https://desk.example:8443/retrain/"\n' + model_text()
    assert status(Deployment(text), from_page("https://desk.example:8443")) == 202
    assert status(Deployment(text), from_page("https://desk.example")) == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "api.example"),
        ("", "api.example"),
        ("http://api.example", "api.example"),
        ("https://api.example:8443", "api.example"),
        ("https://api.example.evil.example", "api.example"),
        ("https://api.example https://evil.example", "api.example"),
        ("https://api.example@evil.example", "api.example"),
        ("https://api.example:99999999", "api.example"),
        ("https://localhost:8080", "localhost:8080"),
        ("http://localhost:3000", "localhost:8080"),
        ("http://localhost:8080", "127.0.0.1:8080"),
        ("https://", ""),
        ("https://api.example", ""),
        ("chrome-extension://abcdef", "api.example"),
    ],
)
def test_a_foreign_page_is_refused(origin: str, host: str) -> None:
    """Any other origin, `null` and what is not an origin get 403, and nothing reaches the bus."""
    deployment = Deployment()
    detail = problem(deployment.call("POST", "/retrain", {}, headers=from_page(origin, host)), 403, "Forbidden")
    assert detail == f"the Origin {origin!r} is not this API's own; a page of another site may not use it"
    assert deployment.bus.published == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_origin_comes_before_everything_else(method: str) -> None:
    """A foreign page learns nothing about paths, methods and bodies."""
    response = Deployment().call(method, "/nothing", b"{", headers=from_page("https://evil.example"))
    assert response.status == 403


@pytest.mark.parametrize(("method", "expected"), [("GET", 405), ("HEAD", 405)])
def test_reading_is_not_restricted(method: str, expected: int) -> None:
    """GET and HEAD change nothing, and without permission (CORS) a foreign page cannot read their answers."""
    assert status(Deployment(), from_page("https://evil.example"), method) == expected


@pytest.mark.parametrize("sign", [{"origin": "http://localhost:8080"}, {"sec-fetch-site": "none"}])
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/ld+json"])
def test_a_browser_on_loopback_must_send_json(sign: dict[str, str], kind: str) -> None:
    """Content types that a page may send without permission are 415 for a browser, on paths without a body, too."""
    deployment = Deployment()
    headers = {"host": "localhost:8080", "content-type": kind, **sign}
    response = deployment.call("POST", "/tick", b"{}", headers=headers)
    detail = "the Content-Type of a POST from a browser must be application/json"
    assert problem(response, 415, "Unsupported Media Type") == detail
    assert deployment.call("POST", "/tick", b"", headers={**headers, "content-type": "application/json"}).status == 202


def test_only_cookies_and_loopback_restrict_the_content_type() -> None:
    """Where browsers have no credentials of their own, a POST without a body needs no content type."""
    request = Request(method="POST", path="/tick", headers={"host": "api.example", "sec-fetch-site": "same-origin"})
    emitter = Deployment().emitter
    assert respond(emitter, request).status == 202
    assert respond(emitter, request, cookies=True).status == 415


def test_other_clients_on_loopback_are_not_restricted() -> None:
    """A request without `Origin` and `Sec-Fetch-Site` does not come from a browser."""
    assert Deployment().call("POST", "/tick", headers={"host": "localhost:8080"}).status == 202


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8080", "localhost"),
        ("[::1]:8080", "::1"),
        ("a.example:1", "a.example"),
        *[(host, "") for host in ("", ":80", "a b", "a,b", "a@b", "a/b", "[::1", "a:b", "a:1:2")],
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    """The name comes without its port; what is not a host has none."""
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, True) for name in ("localhost", "app.localhost", "127.0.0.1", "127.1.2.3", "::1")],
        *[
            (name, False)
            for name in ("", "localhost.example", "notlocalhost", "127.0.0.1.example", "0.0.0.0", "10.0.0.1")
        ],
    ],
)
def test_loopback_names(name: str, expected: bool) -> None:  # noqa: FBT001 - the claim
    """Only names and addresses that cannot lead to another machine are loopback."""
    assert is_loopback(name) is expected
