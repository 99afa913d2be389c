"""Looking at models over HTTP: the list of all, page by page, and the page of one."""

import dataclasses

import pytest

from shared.errors import DamagedStateError, UnavailableError
from shared.ports import RunResult
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, problem, trigger_event
from tests.core.samples import HOUR, MINUTE, model_text, trigger
from tests.core.test_index import complete_index


def test_a_page_shows_everything_about_a_model() -> None:
    """The running training, the waiting triggers, decisions, runs and rejections, and the rules."""
    deployment = Deployment(model_text(settings='cooldown = "1h"', tables='[models."churn".parameters]\nepochs = 8'))
    deployment.emit("t-1")
    deployment.wait(2 * HOUR)
    deployment.end(trigger(), "run-1", RunResult.FAILED)
    deployment.emit("t-2")
    deployment.emit("t-3", force=True, reason="again", origin="data")
    page = deployment.get("/models/churn")
    assert list(page) == [
        *("model_id", "state", "running", "cooldown_until", "queued", "waiting", "paused", "retry", "decisions"),
        *("runs", "rejected", "follow_ups", "configuration"),
    ]
    assert (page["model_id"], page["state"], page["waiting"], page["rejected"]) == ("churn", "training", None, [])
    assert page["running"]["trigger_id"] == "t-2"
    assert page["cooldown_until"] == "2026-11-21T06:00:00Z"
    assert page["queued"]["trigger_id"] == "t-3"
    queued, launched, _ = page["decisions"]
    assert queued == {
        "at": "2026-11-21T05:00:00Z",
        "trigger_id": "t-3",
        "decision": "queue",
        "reason": "queued",
        "detail": "behind the training of t-2",
        "origin": "data",
        "why": "again",
        "requested_by": None,
        "evidence": [],
    }
    assert set(launched) == set(queued)
    assert page["runs"][1] == {
        "run_id": "run-1",
        "trigger_id": "t-1",
        "started_at": "2026-11-21T03:00:00Z",
        "ended_at": "2026-11-21T05:00:00Z",
        "result": "failed",
        "url": None,
        "attempt": 1,
        "error": None,
        "trigger": page["running"]["trigger"] | {"requested_at": "2026-11-21T03:00:00Z"},
    }
    assert page["running"]["trigger"]["parameters"] == {"epochs": 8}
    assert set(page["runs"][0]) == set(page["runs"][1])


def pages(deployment: Deployment) -> list[list[str]]:
    """Go through the list of models by `next`, and return the ids of each page; there are fewer than ten."""
    found: list[list[str]] = []
    query: dict[str, str] = {}
    for _ in range(10):
        answer = deployment.get("/models", **query)
        found.append([model["model_id"] for model in answer["models"]])
        if "next" not in answer:
            return found
        query = {"after": answer["next"]}
    raise AssertionError(found)


def test_the_list_of_models() -> None:
    """Each model with its state and last decision, in the order of the names; no `next` where nothing follows."""
    deployment = Deployment(model_text("price") + model_text("churn"))
    deployment.emit("t-1")
    page = deployment.get("/models")
    assert list(page) == ["models"]
    shown = [(model["model_id"], model["state"], [run["as"] for run in model["strip"]]) for model in page["models"]]
    assert shown == [("churn", "training", ["r"]), ("price", "idle", [])]
    churn, price = page["models"]
    assert (churn["last_decision"]["reason"], churn["running"]["trigger_id"]) == ("launched", "t-1")
    assert {name for name, value in price.items() if value} == {"model_id", "state"}


@pytest.mark.parametrize(("named", "seen"), [(0, 0), (1, 0), (101, 0), (0, 120), (101, 100)])
def test_every_model_is_on_exactly_one_page(named: int, seen: int) -> None:
    """First the named ones, then those seen under a pattern, each once, and no page has more than a hundred."""
    names = [f"n-{number:03}" for number in range(named)]
    deployment = Deployment("".join(map(model_text, [*names, "x-*"])))
    below = [f"x-{number:03}" for number in range(seen)]
    for name in [*below, *names[:60]]:
        deployment.call("POST", "/retrain", {"model_id": name})
    deployment.carry()
    found = pages(deployment)
    assert [name for page in found for name in page] == names + below
    assert max(map(len, found)) <= 100


@pytest.mark.parametrize(("named", "seen", "following"), [(100, 0, 1), (101, 0, 2), (0, 100, 2), (0, 101, 3)])
def test_a_full_page_has_no_needless_next(named: int, seen: int, following: int) -> None:
    """The last page has no `next`, even if it holds exactly as many models as a page may; a pattern adds one page."""
    names = [f"n-{number:03}" for number in range(named)]
    deployment = Deployment("".join(map(model_text, names or ["x-*"])))
    for number in range(seen):
        deployment.call("POST", "/retrain", {"model_id": f"x-{number:03}"})
    deployment.carry()
    assert len(pages(deployment)) == following


def ids(deployment: Deployment, **query: str) -> list[str]:
    """Return the ids on the first page of the list."""
    return [model["model_id"] for model in deployment.get("/models", **query)["models"]]


def test_the_list_is_filtered() -> None:
    """By states, by a part of the id in any case, by what waits for a person; all together."""
    settings = ("", "approval = true", 'cooldown = "1h"', "")
    names = ("churn-a", "Churn-b", "price", "stock")
    deployment = Deployment("".join(map(model_text, names, settings)))
    for name in names[:3]:
        deployment.emit("t-1", model_id=name)
    deployment.end(trigger(model_id="price"), "run-2")
    assert ids(deployment, state="training") == ["churn-a"]
    assert ids(deployment, state="waiting,cooling_down") == ["Churn-b", "price"]
    assert ids(deployment, state="idle", q="CHURN") == []
    assert ids(deployment, q="CHURN") == ["Churn-b", "churn-a"]
    assert ids(deployment, waiting="true") == ["Churn-b"]
    assert ids(deployment, waiting="true", q="price") == []
    assert problem(deployment.call("GET", "/models", query={"state": "idle,busy"}), 422, "Unprocessable Content") == (
        "state: must be one of training, paused, waiting, cooling_down, idle, not 'busy'"
    )


@pytest.mark.parametrize("after", ["seen:\0", f"seen:{'x' * 257}", "later"])
def test_a_place_that_no_page_named_is_refused(after: str) -> None:
    """It never reaches the ledger, which accepts ids only."""
    refused = Deployment(model_text("x-*")).call("GET", "/models", query={"after": after})
    assert problem(refused, 422, "Unprocessable Content") == "after: must be the `next` of an earlier page"


def test_a_filtered_page_may_be_empty_and_have_a_next() -> None:
    """A page is a hundred models before the filter, so that one request never reads thousands of documents."""
    deployment = Deployment("".join(model_text(f"n-{number:03}") for number in range(101)))
    deployment.emit("t-1", model_id="n-100")
    page = deployment.get("/models", state="training")
    assert page["models"] == []
    assert ids(deployment, state="training", after=page["next"]) == ["n-100"]


def test_what_waits_is_found_in_the_index() -> None:
    """With a complete index, what waits is on the first page among any number of models."""
    named = "".join(model_text(f"n-{number:03}") for number in range(101))
    deployment = Deployment(named + model_text("x-*", "approval = true"))
    deployment.emit("t-1", model_id="n-000")
    deployment.emit("t-1", model_id="x-1")
    assert ids(deployment, waiting="true") == []
    complete_index(deployment.ledger)
    assert ids(deployment, waiting="true") == ["x-1"]
    assert "next" not in deployment.get("/models", waiting="true")


@pytest.mark.parametrize("document", ["garbage{", "[]", '{"training":{}}', '{"schema":2}'])
def test_a_damaged_document_is_the_error_of_its_model_alone(document: str) -> None:
    """That model is 503 and says why in the list; others are listed, swept and freed by the end of their training."""
    deployment = Deployment(model_text("a") + model_text("churn") + model_text("z"))
    for name in ("churn", "z"):
        deployment.emit("t-1", model_id=name)
    deployment.ledger.save("a", document, None)
    detail = problem(deployment.call("GET", "/models/a"), 503, "Service Unavailable")
    assert detail.startswith("the ledger's document of model 'a' cannot be read: ")
    damaged, *others = deployment.get("/models")["models"]
    assert (damaged["model_id"], damaged["state"], damaged["error"]) == ("a", None, detail)
    assert [line["state"] for line in others] == ["training", "training"]
    with pytest.raises(DamagedStateError, match="'a'"):
        deployment.receive(trigger_event("t-2", model_id="a"))
    deployment.end(trigger(model_id="z"), "run-2")
    assert deployment.get("/models/z")["state"] == "idle"
    deployment.service.end("run-1", RunResult.SUCCEEDED)
    deployment.wait(MINUTE)
    with pytest.raises(UnavailableError, match="'a'"):
        sweep(deployment.receiver)
    assert deployment.get("/models/churn")["state"] == "idle"


def test_models_of_an_older_configuration_are_not_listed() -> None:
    """The ledger still knows them; the list shows what the configuration has."""
    before, now = Deployment(model_text("gone-*")), Deployment(model_text("x-*"))
    before.call("POST", "/retrain", {"model_id": "gone-1"})
    before.carry()
    now.emitter = dataclasses.replace(now.emitter, ledger=before.ledger)
    assert pages(now)[-1] == []


def test_a_next_that_is_none_is_422() -> None:
    """Only what an earlier page gave is taken."""
    response = Deployment().call("GET", "/models", query={"after": "churn"})
    assert problem(response, 422, "Unprocessable Content") == "after: must be the `next` of an earlier page"
