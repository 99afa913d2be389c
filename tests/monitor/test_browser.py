"""The pages in a real browser."""

import itertools
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from functions.monitor.run import run_checks
from functions.monitor.site.pages import failure_page
from tests.monitor.browser import Browser, browser
from tests.monitor.given import MONDAY, STAMP, World, configuration, links, rows

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'
EVIL = "</script><script>document.title='pwned'</script><img src=x onerror=document.title='pwned'>"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Find the browser."""
    return browser(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a site whose data have drifted in one column, and hold markup."""
    folder = tmp_path_factory.mktemp("monitor")
    world = World(folder, configuration(churn=TABLE + "\ndrift_share = 0.2"))
    reference, current = (rows(seed=seed).assign(region=EVIL) for seed in (0, 1))
    world.put(reference=reference.assign(old=1), current=current.assign(price=current["price"] + 2))
    run_checks(world.monitor, [], MONDAY)
    return folder / "site"


def test_the_index_names_the_drifted_column_and_leads_to_the_report(chromium: Browser, site: Path) -> None:
    """The start page shows model, verdict, column and trend; its own style is allowed, and it requests nothing else."""
    seen = chromium.open(site / "index.html")
    assert all(text in seen.dom for text in ("churn", ">drift<", "<br>price<", "<rect ", "2026-11-23 09:30 UTC"))
    report = f"models/churn/{STAMP}/report.html"
    assert list(links(seen.dom)) == ["models/churn/index.html", report, report, f"models/churn/{STAMP}/drift.json"]
    assert not seen.console


def test_the_page_of_the_model_shows_its_columns(chromium: Browser, site: Path) -> None:
    """Its own style is allowed, nothing else is requested, and each column has a picture."""
    seen = chromium.open(site / "models/churn/index.html")
    assert seen.dom.count("<svg ") == 6
    assert not seen.console


def test_the_report_shows_the_drifted_column(chromium: Browser, site: Path) -> None:
    """Evidently's page works: the table is drawn, and one column of it is detected."""
    dom = chromium.open(site / f"models/churn/{STAMP}/report.html").dom
    body = dom.rpartition("</script>")[2] + dom.partition("<body>")[2].partition("<script>")[0]
    assert "1 of 5 columns drifted" in body
    assert ">price<" in body
    assert body.count(">Detected<") == 1
    assert body.count(">Not Detected<") == 4


def test_markup_in_the_data_is_not_run(chromium: Browser, site: Path) -> None:
    """A value that ends a script and begins another one changes nothing on the page."""
    assert "<title>pwned</title>" not in chromium.open(site / f"models/churn/{STAMP}/report.html").dom


def test_the_error_page_leads_back(chromium: Browser, site: Path) -> None:
    """The page for a missing address says so and links to the start page."""
    seen = chromium.open(site / "error.html")
    assert "This page does not exist" in seen.dom
    assert list(links(seen.dom)) == ["index.html"]
    assert not seen.console


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(chromium: Browser, site: Path, scheme: Literal["light", "dark"]) -> None:
    """axe-core finds no violation in index, model, report, failure and error page, nor at the width of a phone."""
    check = site / "models" / "churn" / STAMP
    (check / "failure.html").write_text(failure_page("churn", MONDAY, "current.parquet: no such file exists"))
    # Below its head, the report is Evidently's.
    parts = {check / "report.html": "header", check / "failure.html": None}
    parts |= dict.fromkeys((site / "index.html", site / "models/churn/index.html", site / "error.html"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.program, args=["--no-sandbox"])
        page = browser.new_context(color_scheme=scheme).new_page()
        for width, (path, part) in itertools.product((1200, 360), parts.items()):
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(path.as_uri())
            for summary in page.locator("summary").all():
                summary.click()
            found = Axe().run(page, context=part)
            assert found.violations_count == 0, f"{path.name}, {width}: {found.generate_report()}"
            assert part or page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path.name}, {width}"
        browser.close()
