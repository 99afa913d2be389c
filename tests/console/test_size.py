"""A thousand models, each trained for weeks: how soon there is something to see, and what is transferred for it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.console.conftest import OpenPage
from tests.console.histories import stock
from tests.console.site import Site, model_text

NAMES: Final = [f"shop-{number:04}" for number in range(1000)]
# All that was transferred until now, with headers; and when the first content was painted.
_TRANSFERRED: Final = "performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)"
_PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a thousand models with full histories."""
    folder = tmp_path_factory.mktemp("large")
    (folder / ".local").mkdir()
    stock(folder / ".local" / "retrain.db", NAMES, datetime.now(UTC).replace(microsecond=0))
    site = Site(folder, "".join(map(model_text, NAMES)))
    yield site
    site.stop()


def test_a_thousand_models(large: Site, open_page: OpenPage) -> None:
    """There is something to see within a second, and the first page of 100 models transfers at most 200 KB."""
    painted = []
    for _ in range(3):
        page = open_page("", large)
        expect(page.get_by_role("link", name="shop-0099").first).to_be_visible()
        painted.append(page.evaluate(_PAINTED))
        assert page.evaluate(_TRANSFERRED) <= 200 * 1024
    # The best of three, and more on a machine that is busy with other programs.
    assert min(painted) < 1000 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1)), painted
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="shop-0100").first).to_be_visible()
