"""Google's emulators and the framework run as processes that leave nothing behind."""

import base64
import http.client
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulators.framework import FrameworkFunction
from emulators.google_emulators import PUBSUB, emulator, pubsub_emulator
from emulators.pubsub import PubSub
from emulators.wire_gate import WireGate
from tests.contracts.google_project import emulators_needed
from tests.contracts.messages import HttpRequest
from tests.contracts.socket_client import send_request
from tests.contracts.training_folder import until

# One worker for all tests that use the emulators.
pytestmark = pytest.mark.xdist_group("contracts-gcp")

MAIN = """
import os
import threading

import functions_framework
import shared

together = threading.Barrier(int(os.environ.get("TOGETHER", "1")))


@functions_framework.http
def receive(request):
    together.wait(10)
    print("handled", request.path, flush=True)
    return {"name": shared.NAME, "home": os.environ["HOME"], "ours": "PYTEST_CURRENT_TEST" in os.environ}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle with a function and a package of its own."""
    (tmp_path / "main.py").write_text(MAIN, encoding="ascii")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text('NAME = "of the bundle"\n', encoding="ascii")
    return tmp_path


def listens(port: int) -> bool:
    """Whether a process listens on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_an_emulator_ends_with_all_its_processes() -> None:
    """After the end the port is free, so the processes of the start script have ended as well."""
    emulators_needed()
    with emulator(PUBSUB) as address:
        port = int(address.rpartition(":")[2])
        assert listens(port)
    until(lambda: not listens(port))


def test_an_emulator_runs_once_in_a_process() -> None:
    """Users share the emulator while it runs, and it runs until the last one has finished."""
    emulators_needed()
    with pubsub_emulator() as first:
        with pubsub_emulator() as second:
            assert second == first
        assert listens(int(first.rpartition(":")[2]))


def test_messages_are_published_and_pulled(pubsub_address: str) -> None:
    """Published messages are pulled once, in order; discarded ones are not pulled."""
    pubsub = PubSub(address=pubsub_address, project="standins")
    pubsub.make_topics("letters")
    pubsub.subscribe("letters", "letters")
    messages = [{"data": base64.b64encode(text).decode(), "attributes": {"a": "ü"}} for text in (b"one", b"two")]
    identifiers = pubsub.publish("letters", messages)
    taken = pubsub.take("letters")
    assert [(each["messageId"], each["data"], each["attributes"]) for each in taken] == [
        (identifier, message["data"], message["attributes"])
        for identifier, message in zip(identifiers, messages, strict=True)
    ]
    assert pubsub.take("letters") == []
    pubsub.publish("letters", messages)
    pubsub.discard(["letters"])
    assert pubsub.take("letters") == []


def test_a_mistake_in_the_setup_is_an_error(pubsub_address: str) -> None:
    """A request that Pub/Sub refuses raises an error."""
    pubsub = PubSub(address=pubsub_address, project="standins")
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        pubsub.publish("nowhere", [{"data": ""}, {"data": "eA=="}])


def test_connections_can_be_redirected(pubsub_address: str) -> None:
    """While connections go to a port without a server they are closed; after that they work as before."""
    with WireGate(pubsub_address) as wire:
        pubsub = PubSub(address=wire.address, project="standins")
        pubsub.make_topics("wired")
        with wire.leading_to("127.0.0.1:1"), pytest.raises((OSError, http.client.HTTPException)):
            pubsub.make_topics("lost")
        pubsub.make_topics("wired-again")
        assert wire.connections == 2


def test_a_function_sees_its_own_environment_and_bundle(bundle: Path) -> None:
    """Its packages are those of the bundle, its variables those of the platform and the deployment."""
    with FrameworkFunction(bundle=bundle, target="receive", environment={"TOGETHER": "1"}) as function:
        reply = send_request(function.port, HttpRequest(method="POST", path="/projects/p/topics/t", content={}))
        assert (reply.status, reply.body["name"], reply.body["ours"]) == (200, "of the bundle", False)
        assert reply.body["home"] != os.environ.get("HOME")
    assert "handled /projects/p/topics/t" in function.logs()
    until(lambda: not listens(function.port))
    assert sorted(path.name for path in bundle.rglob("*")) == ["__init__.py", "main.py", "shared"]


def test_sixteen_requests_are_handled_at_the_same_time(bundle: Path) -> None:
    """A function in which each request waits for fifteen others answers them all."""
    with FrameworkFunction(bundle=bundle, target="receive", environment={"TOGETHER": "16"}) as function:
        with ThreadPoolExecutor(16) as pool:
            request = HttpRequest(method="POST", path="/", content={})
            replies = list(pool.map(lambda _: send_request(function.port, request).status, range(16)))
        assert replies == [200] * 16


def test_a_function_that_does_not_start_says_why(bundle: Path) -> None:
    """The error contains the framework's output about a broken bundle."""
    (bundle / "main.py").write_text("raise RuntimeError('no such luck')\n", encoding="ascii")
    with (
        pytest.raises(RuntimeError, match="no such luck"),
        FrameworkFunction(bundle=bundle, target="receive", environment={}),
    ):
        pass
