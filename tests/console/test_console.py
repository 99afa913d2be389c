"""A person looks at the console and acts there."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.console.conftest import OpenPage, confirm, press, said
from tests.console.site import Site, model_text, until

EVIL = "careful-<img src=x onerror=\"document.title='pwned'\">\u202e</script>"


def test_a_trigger_shows_up_and_is_approved_once(site: Site, open_page: OpenPage) -> None:
    """It appears without reload with its content; approved by a double click, it trains once."""
    page = open_page()
    site.post("/retrain", model_id="careful-1", trigger_id="t-1", reason="new labels", parameters={"epochs": 12})
    expect(page.get_by_role("region", name="Waiting for approval: careful-1")).to_be_visible()
    page.get_by_role("link", name="careful-1").first.click()
    press(page, "Approve t-1 of", "careful-1")
    expect(page.get_by_role("dialog")).to_contain_text("new labels")
    confirm(page, "Approve")
    said(page, "Approved t-1")
    until(lambda: [run["result"] for run in site.model("careful-1")["runs"]] == ["succeeded"])
    expect(page.get_by_role("region", name="Trainings from")).to_contain_text("succeeded")
    assert site.reasons("careful-1").count("launched") == 1


def test_two_tabs_approve_one_training(site: Site, open_page: OpenPage) -> None:
    """The second tab, whose dialog was open, gets the answer of the first one."""
    site.post("/retrain", model_id="careful-2", trigger_id="t-2")
    tabs = [open_page("?model=careful-2") for _ in range(2)]
    for tab in tabs:
        press(tab, "Approve t-2 of", "careful-2")
    for tab in tabs:
        confirm(tab, "Approve")
        said(tab, "Approved t-2")
    until(lambda: len(site.model("careful-2")["runs"]) == 1)
    assert site.reasons("careful-2").count("launched") == 1


def test_what_a_person_rejects_does_not_train(site: Site, open_page: OpenPage) -> None:
    """It is gone from the page, and the story says who dropped it."""
    site.post("/retrain", model_id="careful-3", trigger_id="t-3")
    page = open_page("?model=careful-3")
    press(page, "Reject t-3 of", "careful-3")
    confirm(page, "Reject")
    said(page, "Rejected t-3")
    expect(page.get_by_role("region", name="Story")).to_contain_text("a person rejected it")
    assert site.model("careful-3")["runs"] == []


def test_retraining_with_parameters(site: Site, open_page: OpenPage) -> None:
    """The dialog has the defaults, says what would happen, shows a refusal in the API's words, and sends once."""
    site.post("/retrain", model_id="plain-1")
    until(lambda: [run["result"] for run in site.model("plain-1")["runs"]] == ["succeeded"])
    page = open_page("?model=plain-1")
    press(page, "Retrain", "plain-1")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("epochs")).to_have_value("8")
    expect(dialog).to_contain_text("A training starts immediately.")
    dialog.get_by_label("epochs").fill("many")
    confirm(page, "Retrain")
    expect(dialog.get_by_role("alert")).to_contain_text("epochs")
    dialog.get_by_label("epochs").fill("12")
    dialog.get_by_label("balanced").uncheck()
    confirm(page, "Retrain")
    said(page, "Sent as console-")
    until(lambda: len(site.model("plain-1")["runs"]) == 2)
    assert site.reasons("plain-1") == ["launched", "launched"]


def test_why_something_was_skipped_is_visible_without_a_click(site: Site, open_page: OpenPage) -> None:
    """The list says it in words, and the model's page says what a new trigger would meet."""
    for name in ("t-1", "t-2"):
        site.post("/retrain", model_id="calm-1", trigger_id=name, parameters={"seconds": 60})
    until(lambda: len(site.reasons("calm-1")) == 2)
    page = open_page("?q=calm-1")
    expect(page.get_by_role("main")).to_contain_text("the cooldown after the last training is not over")
    page.get_by_role("link", name="calm-1").first.click()
    expect(page.get_by_text("Nothing starts: the cooldown")).to_be_visible()


def test_what_an_event_brings_stays_text(site: Site, open_page: OpenPage) -> None:
    """Markup in a model's name, a reason and evidence is shown; only addresses of http and https are links."""
    evidence = {
        "report_url": "https://reports.example/1",
        "bad": "javascript:document.title='pwned'",
        "html": "<b>x</b>",
    }
    site.post("/retrain", model_id=EVIL, trigger_id="evil", reason="</script><b id=evil>", evidence=evidence)
    until(lambda: site.model(EVIL)["waiting"])
    page = open_page()
    page.get_by_role("link", name=EVIL).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(EVIL)
    press(page, "Approve evil of", EVIL)
    expect(page.get_by_role("dialog")).to_contain_text("<b id=evil>")
    assert page.locator("img, #evil").count() == 0
    assert not page.title().startswith("pwned")
    for link in page.locator("a[target]").all():
        assert str(link.get_attribute("href")).startswith(("https://", "http://"))


def test_the_server_goes_away_and_comes_back(open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page says so, keeps what it had, and goes on by itself."""
    server = Site(tmp_path_factory.mktemp("away"), model_text("plain"))
    try:
        page = open_page("", server)
        server.stop()
        expect(page.locator("#connection")).to_contain_text("The server does not answer")
        expect(page.get_by_role("link", name="plain")).to_be_visible()
        server.start()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        said(page, "The server answers again")
    finally:
        server.stop()


def test_the_focus_and_what_is_typed_survive_a_refresh(site: Site, open_page: OpenPage) -> None:
    """A keyboard alone reaches search and dialog; news redraws the list below them."""
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    search = page.get_by_role("searchbox")
    search.press_sequentially("calm-2")
    expect(page.get_by_text("No model matches.")).to_be_visible()
    site.post("/retrain", model_id="calm-2", trigger_id="t-1")
    expect(page.get_by_role("link", name="calm-2")).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("calm-2")
    page.get_by_role("link", name="calm-2").press("Enter")
    page.get_by_role("button", name="Retrain calm-2").press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Retrain calm-2")).to_be_focused()


def test_the_models_are_there_without_javascript(site: Site, open_page: OpenPage) -> None:
    """The server has rendered them, with links to each."""
    site.post("/retrain", model_id="careful-4", trigger_id="t-4", reason="look first")
    until(lambda: site.model("careful-4")["waiting"])
    page = open_page(java_script_enabled=False)
    page.get_by_role("link", name="careful-4").first.click()
    expect(page.get_by_role("main")).to_contain_text("look first")


def test_the_trainings_fit_on_a_phone(site: Site, open_page: OpenPage) -> None:
    """The error, the duration and the button to retry are all within the width, without scrolling sideways."""
    site.post("/retrain", model_id="plain-phone", trigger_id="p-1", reason="night", parameters={"fails": True})
    until(lambda: (site.model("plain-phone")["runs"] or [{}])[0].get("ended_at"))
    page = open_page(viewport={"width": 390, "height": 844})
    expect(page.get_by_role("listitem").filter(has_text="plain-phone").last).to_contain_text("failed")
    page.goto(f"{site.url}/?model=plain-phone")
    table = page.get_by_role("table")
    expect(table.get_by_role("cell").filter(has_text="night")).to_be_visible()
    edges = table.evaluate(
        "table => [...table.querySelectorAll('td *')].map(each => each.getBoundingClientRect().right)"
    )
    assert max(edges) <= 390
    expect(table.get_by_role("button", name="Retry p-1 of plain-phone")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_barrier(site: Site, open_page: OpenPage, scheme: str) -> None:
    """axe-core finds no violation in the overview, a model and each dialog, nor at the width of a phone."""
    site.post("/retrain", model_id="plain-bad", trigger_id=f"bad-{scheme}", parameters={"fails": True})
    site.post(
        "/retrain",
        model_id="careful-axe",
        trigger_id=f"axe-{scheme}",
        reason="look",
        evidence={"a": "https://x.example"},
    )
    until(lambda: site.model("careful-axe")["waiting"])
    page = open_page(color_scheme=scheme)
    check(page)
    page.set_viewport_size({"width": 360, "height": 740})
    check(page)
    approve, reject, retry = f"Approve axe-{scheme} of", f"Reject axe-{scheme} of", f"Retry bad-{scheme} of"
    views = {"careful-axe": (approve, reject, "Pause"), "plain-bad": ("Retrain", retry)}
    for model, dialogs in views.items():
        page.goto(f"{site.url}/?model={model}")
        expect(page.get_by_role("heading", level=1)).to_have_text(model)
        check(page)
        for dialog in dialogs:
            press(page, dialog, model)
            check(page)
            page.keyboard.press("Escape")


def check(page: Page) -> None:
    """Let axe-core look at the page; nothing on it is wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
