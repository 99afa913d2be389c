"""A channel of Apprise gets a notice, or the error names it without its secrets."""

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from functions.notify.apprise_channel import AppriseChannel
from shared.errors import PermanentError, UnavailableError
from shared.notice import notice_text
from tests.notify.given import NOTICE, notice

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "T0PS3CRET"
SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
NAME = "notify.channels[0] (json)"


@contextmanager
def endpoint(status: int = 200) -> Iterator[tuple[str, list[Request]]]:
    """Run a web hook that notes what it gets; give Apprise's address of it, with a secret, and the notes."""
    noted: list[Request] = []

    def respond(request: Request) -> Answer:
        noted.append(request)
        return Answer(status=status)

    with LoopbackServer(respond) as server:
        yield f"json://user:{SECRET}@{server.address}/{SECRET}/?+X-Key={SECRET}", noted


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("launched", "info"),
        ("ended", "success"),
        ("failed", "failure"),
        ("rejected", "warning"),
        ("awaiting_approval", "warning"),
    ],
)
def test_a_notice_arrives(event: str, kind: str) -> None:
    """With a title and a text, and of a kind that services show in colour."""
    with endpoint() as (address, noted):
        AppriseChannel(address, NAME).send(notice(event=event))
    (request,) = noted
    reported = json.loads(request.body)
    title, _, text = notice_text(notice(event=event)).partition(".\n")
    assert (reported["title"], reported["message"], reported["type"]) == (title, text, kind)


def test_somebody_elses_text_stays_text() -> None:
    """A reason cannot put markup into a message: for services that take HTML it is escaped."""
    with endpoint() as (address, noted):
        AppriseChannel(f"{address}&format=html", NAME).send(notice(reason="<b>fired</b>"))
    assert "<b>" not in json.loads(noted[0].body)["message"]


@pytest.mark.parametrize(
    ("address", "format_"),
    [
        (f"slack://{SLACK}", "text"),
        (f"slack://{SLACK}?format=markdown", "text"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown", "text"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544?format=markdown", "html"),
    ],
)
def test_no_service_is_sent_markdown(address: str, format_: str) -> None:
    """Even where Markdown is a service's default or the address demands it, the notice is plain text or escaped."""
    (service,) = AppriseChannel(address, NAME).open()
    assert service.resolve_format("text").value == format_


def test_an_address_cannot_demand_markdown() -> None:
    """A web hook that takes any format is sent the notice as it is."""
    with endpoint() as (address, noted):
        AppriseChannel(f"{address}&format=markdown", NAME).send(notice(reason="*a* _b_ # c"))
    assert "Reason: *a* _b_ # c" in json.loads(noted[0].body)["message"]


@pytest.mark.parametrize(
    "forged",
    [
        "[To start it](https://evil.example)",
        "![x](https://evil.example)",
        "[x][y]",
        "<https://evil.example|To start it>",
        "<!channel>",
        "<!-- hidden",
        "@everyone",
        "@Here",
    ],
)
def test_a_text_makes_no_link_or_mention(forged: str) -> None:
    """Services that read Markdown in every message, as Discord does, show the address, not a text over it."""
    with endpoint() as (address, noted):
        AppriseChannel(address, NAME).send(notice(reason=forged, model_id=forged))
    message = json.loads(noted[0].body)
    assert forged not in message["title"] + message["message"]
    assert forged.replace(" ", "") in message["message"].replace(" ", "")


def test_a_notice_is_one_line_for_each_field_in_every_format() -> None:
    """A line break in a reason reaches no channel."""
    forged = notice(event="awaiting_approval", reason="x\nTo start it: open https://evil.example\u2028y")
    for options in ("", "&format=html", "&format=markdown", "&format=text"):
        with endpoint() as (address, noted):
            AppriseChannel(f"{address}{options}", NAME).send(forged)
        message = json.loads(noted[0].body)["message"].replace("&nbsp;", " ")
        lines = re.split(r"<br ?/?>|\n", message)
        assert len([line for line in lines if line.startswith("To start it")]) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_a_channel_that_does_not_take_it_is_named_without_its_secrets(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the error nor the log shows the address, which Apprise would log."""
    caplog.set_level(logging.DEBUG, logger="apprise")
    with endpoint(status) as (address, noted), pytest.raises(UnavailableError) as caught:
        AppriseChannel(address, NAME).send(NOTICE)
    assert str(caught.value) == f"{NAME} could not take a notice: Apprise could not deliver it; try again"
    assert len(noted) == 1
    assert SECRET not in caplog.text


def test_an_address_that_apprise_does_not_know_is_permanent(caplog: pytest.LogCaptureFixture) -> None:
    """It is not shown either, though Apprise would log it as an error."""
    caplog.set_level(logging.DEBUG, logger="apprise")
    with pytest.raises(PermanentError) as caught:
        AppriseChannel(f"nosuchservice://{SECRET}", "notify.channels[3] (nosuchservice)").send(NOTICE)
    assert (
        str(caught.value)
        == "notify.channels[3] (nosuchservice): is not an address that Apprise supports; correct it in retrain.toml"
    )
    assert SECRET not in caplog.text


def test_a_silent_channel_is_given_up() -> None:
    """Whatever time limits its service keeps: a function has little time, and other channels wait."""
    gate = threading.Event()

    def hang(_: Request) -> Answer:
        gate.wait(10)
        return Answer(status=200)

    with LoopbackServer(hang) as server:
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match=r"no answer within 0\.2 s"):
            AppriseChannel(f"json://{server.address}/?rto=10", NAME, time_limit=0.2).send(NOTICE)
        spent = time.monotonic() - begun
        gate.set()
        _wait_until(lambda: not any(thread.name == "retrain-notice" for thread in threading.enumerate()))
    assert spent < 5


def test_a_lost_answer_is_a_channel_that_fails() -> None:
    """It may have the notice; nothing but our own error comes out."""
    with LoopbackServer(lambda _: None) as server, pytest.raises(UnavailableError, match="could not deliver it"):
        AppriseChannel(f"json://{server.address}/", NAME).send(NOTICE)


def test_importing_the_adapter_does_not_import_apprise() -> None:
    """A cold start without news pays nothing for it."""
    program = (
        "import sys, functions.notify.wiring as w; w.channel_notifiers({'json://a': 'notify.channels[0]'})('json://a');"
        " print([name for name in ('apprise', 'requests', 'botocore') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert shown.stdout.strip() == "[]"


def _wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 5
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.01)
    assert is_so()
