"""A person steers a model from the console: pause, resume, cancel, retry."""

from playwright.sync_api import expect

from tests.console.conftest import OpenPage, confirm, press, said
from tests.console.site import Site, until


def test_a_pause_keeps_the_newest_trigger_and_resume_says_what_starts(site: Site, open_page: OpenPage) -> None:
    """The reason of the pause is on the page; the dialog of resume shows the kept trigger, which then trains once."""
    page = open_page("?model=plain-pause")
    press(page, "Pause", "plain-pause")
    page.get_by_role("dialog").get_by_label("Reason").fill("inventory")
    confirm(page, "Pause")
    said(page, "Paused.")
    expect(page.get_by_role("region", name="Now")).to_contain_text("inventory")
    site.post("/retrain", model_id="plain-pause", trigger_id="kept", reason="later please")
    expect(page.get_by_text("Kept: the model is paused").first).to_be_visible()
    press(page, "Resume", "plain-pause")
    expect(page.get_by_role("dialog")).to_contain_text("later please")
    confirm(page, "Resume")
    said(page, "Resumed.")
    until(lambda: [run["result"] for run in site.model("plain-pause")["runs"]] == ["succeeded"])
    assert site.model("plain-pause")["runs"][0]["trigger_id"] == "kept"


def test_a_training_is_stopped_and_a_failed_one_is_retried(site: Site, open_page: OpenPage) -> None:
    """Cancel stops the run and drops nothing else; retry starts one new attempt, with the same parameters."""
    site.post("/retrain", model_id="plain-stop", trigger_id="long", parameters={"seconds": 300})
    page = open_page("?model=plain-stop")
    press(page, "Cancel long of", "plain-stop")
    confirm(page, "Stop the training")
    said(page, "The run will be stopped: long")
    until(lambda: [run["result"] for run in site.model("plain-stop")["runs"]] == ["stopped"])
    site.post("/retrain", model_id="plain-stop", trigger_id="bad", parameters={"fails": True, "epochs": 3})
    press(page, "Retry bad of", "plain-stop")
    confirm(page, "Retry")
    said(page, "The new attempt is bad~2")
    runs = until(lambda: (found := site.model("plain-stop")["runs"])[0]["trigger_id"] == "bad~2" and found)
    assert [run["trigger_id"] for run in runs] == ["bad~2", "bad", "long"]
    assert runs[0]["trigger"]["parameters"]["epochs"] == 3
