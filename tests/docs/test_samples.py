"""Samples of configurations, events and requests are what the page says that they are."""

import argparse
import json
import re
import shlex
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.local.server import serve
from functions.local.wiring import LocalCloud, local_cloud
from shared.config.file import parse_configuration
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_document
from shared.wire import eventbridge, eventgrid, pubsub
from shared.wire.incoming import Foreign, Incoming
from tests.docs.pages import PAGES, ROOT, Block, Page, all_blocks, page_of
from tests.local.given import until

SOURCE = "ml3_platform"
SERVER = "http://127.0.0.1:8080"
_EXAMPLE = re.compile(r"^# (\d{3})([^\n]*)\ncurl ([^\n]+)$", re.MULTILINE)


def blocks_of(*languages: str) -> list[Any]:
    """Return the blocks in *languages* as parameters of a test."""
    return [pytest.param(block, id=f"{block.page}-{place}") for place, block in enumerate(all_blocks(*languages))]


def curls(page: Page) -> str:
    """Return the shell blocks of *page*."""
    return "\n".join(block.text for block in page.blocks("sh"))


SERVED = [page for page in PAGES if f"{SERVER}/" in curls(page)]


@pytest.mark.parametrize("block", blocks_of("toml"))
def test_every_configuration_that_is_shown_is_valid(block: Block) -> None:
    """A configuration that is copied from a page works as it is."""
    assert parse_configuration(block.text, source=block.page, folder=ROOT).models


@pytest.mark.parametrize("block", blocks_of("json"))
def test_every_json_sample_is_json_and_every_event_is_read_as_one(block: Block) -> None:
    """An event of a bus goes through that bus's codec, and is not foreign to it; a dead letter has all its fields."""
    content = json.loads(block.text)
    assert isinstance(content, dict | list)
    read = decoded(content) if isinstance(content, dict) else None
    assert not isinstance(read, Foreign)
    if isinstance(content, dict) and "error" in content:
        letter = DeadLetter(at=datetime.now(UTC), cloud="", reason="", error="", event={})
        assert content.keys() == letter_document(letter).keys()


def decoded(content: Mapping[str, object]) -> Incoming | None:
    """Return what the codec of its bus makes of *content*; none if it is not an event."""
    if isinstance(content.get("detail-type"), str):
        return eventbridge.decode(content, SOURCE)
    if "event_type" in content and "payload" in content:
        data = b64encode(json.dumps(content).encode()).decode()
        return pubsub.decode({"message": {"data": data, "messageId": "1"}, "subscription": "s"}, SOURCE)
    if "eventType" in content or "specversion" in content:
        return eventgrid.decode(content, SOURCE)
    return None


@pytest.mark.parametrize("block", blocks_of("python"))
def test_every_python_sample_compiles(block: Block) -> None:
    """A script that is copied from a page has no syntax error."""
    assert compile(block.text, block.page, "exec").co_code


def configured(page: Page, folder: Path) -> LocalCloud:
    """Put the first configuration of *page*, and its scripts under the names in their first lines, into *folder*."""
    (folder / "retrain.toml").write_text(page.blocks("toml")[0].text, encoding="utf-8")
    for block in page.blocks("python"):
        (folder / block.text.partition("\n")[0].removeprefix("# ")).write_text(block.text, encoding="utf-8")
    return local_cloud({"RETRAIN_CONFIG": str(folder / "retrain.toml")})


@contextmanager
def served(cloud: LocalCloud) -> Iterator[str]:
    """Serve the API of *cloud* on a free port, and yield its address."""
    server = serve(cloud.emitter, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()
    thread.join()


def curl(arguments: list[str]) -> tuple[int, Any]:
    """Do what curl does with *arguments*; an option that this does not know is an error."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    parser.add_argument("url")
    options = parser.parse_args(arguments)
    headers = dict(header.split(": ", 1) for header in options.headers)
    data = options.data.encode() if options.data is not None else None
    request = urllib.request.Request(options.url, data=data, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own server
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("page", SERVED, ids=lambda page: page.name)
def test_the_requests_get_the_responses_that_the_page_shows(page: Page, tmp_path: Path) -> None:
    """Sent in order to a real server with the page's configuration, each gets the status and body of its comment."""
    cloud = configured(page, tmp_path)
    examples = _EXAMPLE.findall(curls(page))
    assert len(examples) == curls(page).count(f"{SERVER}/")
    with served(cloud) as url:
        for status, shown, line in examples:
            answered, body = curl(shlex.split(line.replace(SERVER, url)))
            assert answered == int(status), line
            if shown.strip().startswith("{"):
                assert body == json.loads(shown), line
    cloud.bus.close()


def test_the_model_of_the_first_page_trains(tmp_path: Path) -> None:
    """With the configuration and the script of the page, the request of the page leads to a training that succeeds."""
    page = page_of("docs/start.md")
    cloud = configured(page, tmp_path)
    cloud.consumer.start()
    try:
        with served(cloud) as url:
            for _, _, line in _EXAMPLE.findall(curls(page)):
                curl(shlex.split(line.replace(SERVER, url)))
            until(lambda: [run["result"] for run in curl([f"{url}/models/churn"])[1]["runs"]] == ["succeeded"], 60)
    finally:
        cloud.consumer.stop()
        cloud.bus.close()
    (result,) = (tmp_path / ".local" / "runs").glob("*/model.json")
    assert json.loads(result.read_text(encoding="utf-8")) == {"epochs": 12}
