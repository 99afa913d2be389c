"""Chromium, driven by Playwright, and a server with models."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.site import Site, model_text

SECONDS: Final = 15
# All tests of the room share one server and one browser.
GROUP: Final = pytest.mark.xdist_group("console")

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this room: `make test-console` runs them."""
    for item in items:
        if "tests/console/" in str(item.path):
            item.add_marker(GROUP)
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the browser of this machine; without one the tests are skipped, or fail where CI runs."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        reason = "the console is tested in Chromium, which is not installed: apt-get install chromium"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve models for every test: those that wait for a person, those that do not, and some with a cooldown."""
    config = model_text("plain*") + model_text("careful*", "approval = true") + model_text("calm*", 'cooldown = "6h"')
    site = Site(tmp_path_factory.mktemp("console"), config)
    yield site
    site.stop()


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[OpenPage]:
    """Return a function that opens a view in a new tab of a new profile; errors of the page fail the test."""
    contexts, errors = [], []

    def opened(path: str = "", server: Site = site, **options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _is_error(said) else None)
        page.goto(f"{server.url}/{path}")
        if options.get("java_script_enabled", True):
            expect(page.get_by_text("Live", exact=True)).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def press(page: Page, button: str, model: str) -> None:
    """Open the dialog of a button of a model; *button* names the trigger, too: `Approve t-1 of`."""
    page.get_by_role("button", name=f"{button} {model}", exact=True).first.click()


def confirm(page: Page, button: str) -> None:
    """Hit the button of the dialog twice, as an impatient person does."""
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).dblclick()


def said(page: Page, text: str) -> None:
    """Expect the page to say what was done."""
    expect(page.locator("#done")).to_contain_text(text)


def _is_error(said: Any) -> bool:
    # The browser itself reports each answer of 4xx and 5xx, which the page handles.
    return said.type in ("error", "warning") and "Failed to load resource" not in said.text
