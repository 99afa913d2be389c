"""The site: complete at every moment, safe to look at, and true to what was found."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.monitor.data.storage import Storage
from functions.monitor.run import RunFailedError, run_checks
from functions.monitor.site.layout import model_folder
from functions.monitor.site.pages import error_page
from functions.monitor.site.publish import Site
from shared.errors import UnavailableError
from tests.monitor.given import MONDAY, STAMP, World, configuration, links, rows

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'


class WatchedStorage(Storage):
    """A storage that looks at the whole site after every write, and can fail before one of them.

    Attributes:
        writes: the addresses written to.
        fail_at: the number of the write that fails.

    """

    def __init__(self, folder: Path, fail_at: int | None = None) -> None:
        """Look at the folder `site` below *folder*."""
        super().__init__(folder)
        self.writes: list[str] = []
        self.fail_at = fail_at
        self._site = folder / "site"

    def write(self, address: str, content: bytes, content_type: str) -> None:
        """Write, and look."""
        if len(self.writes) == self.fail_at:
            self.fail_at = None
            raise UnavailableError("The storage", "write it")
        super().write(address, content, content_type)
        self.writes.append(address.partition("/site/")[2])
        assert_whole(self._site)


class KeptStorage(Storage):
    """A storage that keeps what is written in memory.

    Attributes:
        written: the contents by file name.

    """

    def __init__(self, folder: Path) -> None:
        """Keep nothing yet."""
        super().__init__(folder)
        self.written: dict[str, bytes] = {}

    def write(self, address: str, content: bytes, content_type: str) -> None:
        """Keep *content*."""
        del content_type
        self.written[address.rpartition("/")[2]] = content


def assert_whole(site: Path) -> None:
    """Check that nothing on *site* leads nowhere."""
    pages = [site / "index.html", *site.glob("models/*/index.html")]
    for page in filter(Path.exists, pages):
        # Ways back lead to what the run writes last; they are there from the first run on.
        for link in links(page.read_text()):
            assert link.startswith("..") or (page.parent / link).is_file(), link
    for document in site.glob("models/*/*/drift.json"):
        assert (document.parent / "report.html").is_file()


def index_of(world: World) -> str:
    """Return the start page."""
    return (world.folder / "site" / "index.html").read_text()


def test_a_report_is_there_before_anything_leads_to_it(tmp_path: Path) -> None:
    """The report is written first, then its JSON, then the latest copies, at last the pages that link to them."""
    storage = WatchedStorage(tmp_path)
    world = World(tmp_path, configuration(churn=TABLE), storage=storage)
    world.put(reference=rows(), current=rows(seed=1))
    run_checks(world.monitor, [], MONDAY)
    places = [f"models/churn/{STAMP}", "models/churn/latest"]
    files = [f"{place}/{name}" for place in places for name in ("report.html", "drift.json")]
    assert storage.writes == [*files, "error.html", "models/churn/index.html", "index.html"]


@pytest.mark.parametrize("fail_at", range(7))
def test_a_write_that_fails_leaves_no_dead_link(tmp_path: Path, fail_at: int) -> None:
    """Whichever write fails, no page leads nowhere, and the next run makes everything whole."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(seed=1))
    run_checks(world.monitor, [], MONDAY - timedelta(days=7))
    broken = World(tmp_path, configuration(churn=TABLE), storage=WatchedStorage(tmp_path, fail_at))
    with pytest.raises(RunFailedError):
        run_checks(broken.monitor, [], MONDAY)
    run_checks(broken.monitor, [], MONDAY)
    assert f"models/churn/{STAMP}/report.html" in index_of(world)


def test_no_reader_sees_half_a_file(tmp_path: Path) -> None:
    """A file is replaced in one step: what was written so far has another name."""
    storage = Storage(tmp_path)
    storage.write("site/index.html", b"old", "text/html")
    opened = (tmp_path / "site" / "index.html").open("rb")
    storage.write("site/index.html", b"new" * 1_000_000, "text/html")
    with opened:
        assert opened.read() == b"old"
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]


def test_the_index_shows_every_model_with_its_trend(tmp_path: Path) -> None:
    """One row a model: status, share, columns, a bar for each check, links; models not checked yet are there too."""
    world = World(tmp_path, configuration(churn=TABLE, prices=TABLE))
    world.put(reference=rows(), current=rows(seed=1))
    run_checks(world.monitor, ["churn"], MONDAY - timedelta(days=7))
    world.put(current=rows(shift=1.0))
    run_checks(world.monitor, ["churn"], MONDAY)
    page = index_of(world)
    assert page.count('class="hit"') == 2
    assert "not checked yet" in page
    assert "80% " in page
    assert "price, visits, region, target" in page
    assert [link for link in links(page) if "churn" in link] == [
        "models/churn/index.html",
        "models/churn/2026-11-16T093000Z/report.html",
        f"models/churn/{STAMP}/report.html",
        f"models/churn/{STAMP}/report.html",
        f"models/churn/{STAMP}/drift.json",
    ]


def test_the_page_of_a_model_shows_every_check_and_column(tmp_path: Path) -> None:
    """Each check has a page, which the chart and the list lead to; the one that requested a training names it."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(shift=1.0))
    run_checks(world.monitor, [], MONDAY - timedelta(days=14))
    (tmp_path / "current.parquet").unlink()
    run_checks(world.monitor, [], MONDAY - timedelta(days=7))
    world.put(current=rows(seed=1))
    run_checks(world.monitor, [], MONDAY)
    page = (tmp_path / "site/models/churn/index.html").read_text()
    (trigger,) = world.bus.published
    assert page.count(trigger.trigger_id) == 1
    assert page.count(f'href="{STAMP}/report.html"') == 7  # in the chart, in those of five columns, and in the list
    assert page.count('href="2026-11-16T093000Z/report.html"') == 2
    assert "current.parquet: no such file exists" in page
    assert "Checks older than 365 days are deleted." in page
    failed = (tmp_path / "site/models/churn/2026-11-16T093000Z/report.html").read_text()
    assert "current.parquet: no such file exists" in failed
    assert [link for link in links(failed) if link.startswith("..")] == ["../../../index.html", "../index.html"]


def test_the_page_of_a_model_leads_to_the_console(tmp_path: Path) -> None:
    """Where the configuration says where that is: a check that requested a training links to the model there."""
    world = World(tmp_path, f'{configuration(churn=TABLE)}[console]\nurl = "https://retrain.example/"\n')
    world.put(reference=rows(), current=rows(shift=1.0))
    run_checks(world.monitor, [], MONDAY)
    page = (tmp_path / "site/models/churn/index.html").read_text()
    assert page.count('href="https://retrain.example/?model=churn"') == 2
    assert 'href="https://retrain.example/"' in (tmp_path / "site/index.html").read_text()


def test_old_checks_are_deleted(tmp_path: Path) -> None:
    """A check that is older than `keep_reports` goes with its report; strange folders stay."""
    world = World(tmp_path, configuration(churn=TABLE + '\nkeep_reports = "30d"'))
    world.put(reference=rows(), current=rows(seed=1))
    folder = tmp_path / "site/models/churn"
    for name in ("2026-10-24T093000Z", "2026-10-24T092959Z", "2024-01-01T000000Z", "notes"):
        (folder / name).mkdir(parents=True)
        (folder / name / "drift.json").write_text("{}")
    run_checks(world.monitor, [], MONDAY)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    assert names == ["2026-10-24T093000Z", STAMP, "latest", "notes"]


def test_the_trend_has_the_last_checks_only(tmp_path: Path) -> None:
    """Thirteen checks, a quarter of a year of weekly ones, are shown; older ones stay in their folders."""
    world = World(tmp_path, configuration(churn=TABLE))
    site = Site(address=str(tmp_path / "site"), url="", storage=world.monitor.storage)
    for week in range(20):
        site.record_failure("churn", MONDAY + timedelta(weeks=week), f"problem {week}")
    site.rebuild(["churn"])
    assert index_of(world).count('class="cross"') == 13
    assert "problem 19" in index_of(world)
    assert len([path for path in (tmp_path / "site/models/churn").iterdir() if path.is_dir()]) == 20


def test_an_older_check_does_not_replace_the_latest(tmp_path: Path) -> None:
    """Who repeats the check of a past week gets a dated report; `latest` remains the newest."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(seed=1))
    run_checks(world.monitor, [], MONDAY)
    run_checks(world.monitor, [], MONDAY - timedelta(days=7))
    latest = json.loads((tmp_path / "site/models/churn/latest/drift.json").read_text())
    assert latest["at"] == "2026-11-23T09:30:00Z"
    assert (tmp_path / "site/models/churn/2026-11-16T093000Z/report.html").is_file()


def test_what_is_damaged_on_the_site_is_passed_over(tmp_path: Path) -> None:
    """A past check that cannot be read, or a stranger's folder, keeps no index from being built."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(seed=1))
    for name, content in (("2026-11-09T093000Z", "{"), ("2026-11-10T093000Z", "[]"), ("notes", "{}")):
        (tmp_path / "site/models/churn" / name).mkdir(parents=True)
        (tmp_path / "site/models/churn" / name / "drift.json").write_text(content)
    run_checks(world.monitor, [], MONDAY)
    assert index_of(world).count('class="hit"') == 1


def test_pages_hold_no_markup_from_outside(tmp_path: Path) -> None:
    """Names of models and columns, and texts of problems, are shown as they are."""
    evil = "<script>alert(1)</script>"
    world = World(tmp_path, configuration(**{"a&b": TABLE, "broken": TABLE.replace("current.p", "<img src=x>.p")}))
    world.put(reference=rows().rename(columns={"price": evil}), current=rows(shift=1.0).rename(columns={"price": evil}))
    run_checks(world.monitor, [], MONDAY)
    page, report = index_of(world), next((tmp_path / "site").glob(f"models/a-b-*/{STAMP}/report.html")).read_text()
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a&amp;b" in page
    assert evil not in report
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report


@pytest.mark.parametrize("page", [lambda: error_page('/"><script>'), None], ids=["error", "index"])
def test_the_policy_allows_the_page_s_own_style_and_nothing_else(
    tmp_path: Path, page: Callable[[], str] | None
) -> None:
    """The Content-Security-Policy names one style by its hash, which is that of the style on the page."""
    Site(address=str(tmp_path), url="", storage=Storage(tmp_path)).rebuild(["churn"])
    text = page() if page else (tmp_path / "index.html").read_text()
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    assert f'content="{policy}"' in text
    assert "<script" not in text
    assert " style=" not in text


@pytest.mark.parametrize(
    ("site", "url", "start"),
    [
        ("s3://drift.example.com", "", "/index.html"),
        ("s3://acme/drift/", "", "/drift/index.html"),
        ("s3://acme/drift", "https://drift.example.com", "https://drift.example.com/index.html"),
        ("site", "", "index.html"),
    ],
)
def test_the_error_page_leads_back_from_any_depth(site: str, url: str, start: str) -> None:
    """A web server shows the error page at the wrong address itself, so the way back is not a relative one."""
    storage = KeptStorage(Path())
    Site(address=site, url=url, storage=storage).rebuild([])
    assert f'href="{start}"' in storage.written["error.html"].decode()


@pytest.mark.parametrize(
    ("model_id", "folder"),
    [("churn", "models/churn"), ("churn-1.2_b", "models/churn-1.2_b")],
)
def test_a_plain_name_is_its_own_folder(model_id: str, folder: str) -> None:
    """A name that needs no quoting anywhere stays unchanged."""
    assert model_folder(model_id) == folder


def test_any_other_name_gets_a_safe_folder_of_its_own() -> None:
    """No name leaves the site or shares a folder with another."""
    names = ["..", "../churn", "a/b", "a b", "a\\b", "ä", "数", "x" * 256, ".", "-", "a?b", "a%2Fb"]
    folders = [model_folder(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(re.fullmatch(r"models/[A-Za-z0-9][A-Za-z0-9._-]*", folder) for folder in folders)


def test_the_document_has_all_that_the_page_shows(tmp_path: Path) -> None:
    """`drift.json` has method, value, threshold and status of each column, the data, and what was left out."""
    world = World(
        tmp_path, configuration(churn=TABLE + '\nmax_rows = 1000\ntarget = "target"\nseverity = { low = 0.5 }')
    )
    world.put(reference=rows().assign(old=[1, None, None, None] * 375), current=rows(shift=1.0))
    run_checks(world.monitor, [], datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    found = json.loads((tmp_path / "site/models/churn/latest/drift.json").read_text())
    assert (found["status"], found["severity"], found["share"], found["drift_share"]) == ("drift", "low", 0.8, 0.5)
    assert found["columns"]["target"] == {
        "status": "drift",
        "method": "K-S p_value",
        "value": found["columns"]["target"]["value"],
        "threshold": 0.05,
        "missing": {"reference": 0.0, "current": 0.0, "threshold": 0.2, "status": "no_drift"},
        "role": "target",
    }
    assert found["left_out"] == {"old": "is not in the current data"}
    # Of the rows that were sampled.
    assert found["left_out_values"] == {"old": {"reference": pytest.approx(0.25, abs=0.02), "current": None}}
    assert found["current"] == {"address": "current.parquet", "rows": 1500, "sampled": 1000}
    report = (tmp_path / "site/models/churn/latest/report.html").read_text()
    assert "a random sample of 1,000 of 1,500 rows" in report
    shown = "is not in the current data; values in 25% of the reference rows"
    assert f"Not compared: old, which {shown}." in report
    for page in ("index.html", "models/churn/index.html"):
        assert f"<li>old: {shown}</li>" in (tmp_path / "site" / page).read_text()
    assert "old (values in 25% of the reference rows)" in str(world.mailbox.notices[0].evidence["not compared"])
