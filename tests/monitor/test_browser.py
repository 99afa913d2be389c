"""The pages in a real browser."""

from pathlib import Path

import pytest

from functions.monitor.run import run_checks
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
    world.put(reference=reference, current=current.assign(price=current["price"] + 2))
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
