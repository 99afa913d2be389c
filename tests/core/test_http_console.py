"""The page of the console: its policy, its size, and what it shows without a script."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

import shared
from shared.decision.reasons import Decision, Reason, Result
from shared.http.messages import Response
from shared.ports import RunResult
from tests.core.deployment import Deployment
from tests.core.samples import model_text
from tests.fakes.faults import Fault, Script

ASSETS = Path(shared.__file__).parent / "http" / "console"
EVIL = 'x"><img src=x onerror=alert(1)></script>\u202e'


def opened(deployment: Deployment, **query: str) -> Response:
    """Open the page."""
    return deployment.call("GET", "/", query=query)


class _Page(HTMLParser):
    """The elements of a page, and the addresses in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def test_the_policy_allows_nothing_from_elsewhere() -> None:
    """Script and style are allowed by their hashes; there are no event handlers or styles in attributes."""
    response = opened(Deployment())
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy[kind])
    assert response.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<[^>]+ (style|on[a-z]+)=", response.body.partition("<script")[0])


def test_the_page_is_small_and_all_its_addresses_are_relative() -> None:
    """Less than 100 KB, and nothing in it leads to another host."""
    body = opened(Deployment(model_text("*"))).body
    assert len(body.encode()) < 100 * 1024
    assert all(address.startswith(("./", "#", "data:")) for address in _Page(body).addresses)
    # The only address in the script is the name of SVG.
    assert re.findall(r"https?://[\w.]+", body.replace("http://www.w3.org/2000/svg", "")) == []


def test_the_models_are_there_without_a_script() -> None:
    """State, last decision in words, and links to filters, the model and the next page."""
    deployment = Deployment(model_text("churn", settings='cooldown = "6h"') + model_text("store-*"))
    deployment.emit("t-1")
    deployment.emit("t-2")
    body = opened(deployment).body.partition('<script type="module"')[0]
    assert "Kept: another training of this model is running" in body or "the cooldown after the last" in body
    assert {"./?model=churn", "./?state=paused"} <= set(_Page(body).addresses)
    assert any(address.startswith("./?after=seen") for address in _Page(body).addresses)


def test_what_waits_comes_first() -> None:
    """A model with a trigger that waits for a person stands above all others, and its view shows the trigger."""
    deployment = Deployment(model_text("a") + model_text("z", settings="approval = true"))
    deployment.emit("t-1", "z", reason="new labels")
    body = opened(deployment).body
    assert "Waiting for a person: 1" in body
    assert body.index("<bdi>z</bdi>") < body.index("<bdi>a</bdi>")
    assert "new labels" in opened(deployment, model="z").body


@pytest.mark.parametrize("query", [{}, {"model": EVIL}, {"after": "seen:"}])
def test_what_an_event_brings_is_text(query: dict[str, str]) -> None:
    """A model id and a reason that are markup add no element to the page."""
    deployment = Deployment(
        model_text("churn", settings="approval = true") + model_text("x*", settings="approval = true")
    )
    plain = _Page(opened(deployment).body).elements.count("img")
    deployment.emit("t-1", EVIL, reason=EVIL, evidence={"a": EVIL})
    body = opened(deployment, **query).body
    assert _Page(body).elements.count("img") == plain == 0
    assert "x&quot;&gt;&lt;img" in body or not query


def test_why_a_training_failed_is_there_without_a_script() -> None:
    """The list and the view of the model have the error; what has no trigger, such as a pause, names none."""
    deployment = Deployment()
    deployment.emit("t-1")
    run = list(deployment.service.runs.values())[-1]
    deployment.end(run.request.trigger, run.run_id, RunResult.FAILED, error="<b>disk full")
    deployment.call("POST", "/models/churn/pause", {})
    for body in (opened(deployment).body, opened(deployment, model="churn").body):
        assert "&lt;b&gt;disk full" in body.partition('<script type="module"')[0]
        assert "None" not in body.partition('<script type="application/json"')[0]


def test_an_unknown_model_is_reported_on_the_page() -> None:
    """The status is that of the API, and its problem is on the page, escaped."""
    response = opened(Deployment(), model="<b>")
    assert response.status == 404
    assert "&lt;b&gt;" in response.body


def test_the_page_comes_without_the_ledger() -> None:
    """While the ledger is away the page says so, and its script goes on trying."""
    deployment = Deployment(gate=Script({0: Fault.THROTTLED}))
    response = opened(deployment)
    assert (response.status, response.headers["retry-after"]) == (503, "5")
    assert 'class="refused"' in response.body


def test_each_code_has_words() -> None:
    """Decisions, reasons and results of the core are in the console's words."""
    words = json.loads((ASSETS / "words.json").read_text())
    assert set(get_args(Decision)) <= set(words["decisions"])
    assert set(get_args(Reason)) <= set(words["reasons"]) | set(words["steering"])
    assert set(get_args(Result)) <= set(words["results"])


def test_other_requests_do_not_load_the_page() -> None:
    """The console is imported by the first request for it, so that it costs no cold start."""
    program = "import sys, shared.api; print([name for name in sys.modules if 'console' in name])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ASSETS.parents[2]
    )
    assert done.stdout.strip() == "[]"
