"""A ledger keeps one document a model, and of many writers of one version exactly one wins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from shared.errors import UnavailableError
from shared.fields import MAX_MODEL_ID
from shared.ledger.index import OWN
from shared.ports import NOT_INDEXED, IndexEntry, Ledger
from tests.contracts.ports import Ports

ROUNDS = 5
# A time with fractions of a second, as clocks have it.
NOW: Final = datetime(2026, 11, 21, 3, 0, 0, 250_001, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MINUTE: Final = timedelta(minutes=1)
LATER: Final = datetime(9999, 1, 1, tzinfo=UTC)
# Their ledgers do not index runs.
EVENTS_NAME_THE_MODEL: Final = ("aws", "azure")


def test_a_model_that_was_never_written_has_no_document(ports: Ports) -> None:
    """Nothing is found, nothing is made by looking, and nothing is listed."""
    assert ports.ledger.load("churn").document is None
    assert ports.ledger.load("churn").document is None
    assert ports.ledger.models(None, 10) == []


def test_what_was_saved_is_loaded(ports: Ports) -> None:
    """A document comes back as it was, with a version that lets its reader replace it."""
    assert ports.ledger.save("churn", '{"text": "ü\U0001f4c9"}', ports.ledger.load("churn").version)
    first = ports.ledger.load("churn")
    assert first.document == '{"text": "ü\U0001f4c9"}'
    assert ports.ledger.save("churn", "second", first.version)
    assert ports.ledger.load("churn").document == "second"


def test_who_was_slower_changes_nothing(ports: Ports) -> None:
    """A version that was replaced saves nothing, and neither does the version of a model that was never written."""
    unwritten = ports.ledger.load("churn").version
    assert ports.ledger.save("churn", "first", unwritten)
    first = ports.ledger.load("churn").version
    assert ports.ledger.save("churn", "second", first)
    assert not ports.ledger.save("churn", "too late", first)
    assert not ports.ledger.save("churn", "as if new", unwritten)
    assert ports.ledger.load("churn").document == "second"


def test_the_version_of_another_model_is_none(ports: Ports) -> None:
    """A version that this model never had saves nothing, whether the model has a document or not."""
    ports.ledger.save("churn", "first", None)
    once = ports.ledger.load("churn").version
    ports.ledger.save("churn", "second", once)
    twice = ports.ledger.load("churn").version
    assert not ports.ledger.save("fraud", "of another one", twice)
    assert ports.ledger.load("fraud").document is None


def test_the_same_text_is_a_new_version(ports: Ports) -> None:
    """A save that changes nothing outdates the version before it all the same."""
    ports.ledger.save("churn", "same", None)
    first = ports.ledger.load("churn").version
    assert ports.ledger.save("churn", "same", first)
    assert not ports.ledger.save("churn", "same", first)


@pytest.mark.deep
def test_of_sixteen_processes_one_wins_each_round(ports: Ports) -> None:
    """Sixteen processes that replace one document at the same time see exactly as many successes as there were."""
    assert ports.race(ROUNDS) == ROUNDS
    assert ports.ledger.load("race").document is not None


def test_all_models_are_listed_page_by_page(ports: Ports) -> None:
    """Every stored model is listed once, in pages of at most the requested size, in an order that stays."""
    names = {f"model-{number}" for number in range(7)} | {"ä/1 %", "\U0001f4c9"}
    for name in names:
        assert ports.ledger.save(name, "{}", None)
    pages = _pages(ports.ledger, 4)
    assert all(1 <= len(page) <= 4 for page in pages)
    assert sorted(name for page in pages for name in page) == sorted(names)
    assert pages == _pages(ports.ledger, 4)


def _pages(ledger: Ledger, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    while page := ledger.models(pages[-1][-1] if pages else None, limit):
        pages.append(page)
    return pages


@pytest.mark.parametrize(
    "model_id",
    ["a/b", "a b", "ä", "..", "%2F", "a#b?c", "a'b\"c", "\U0001f4c9" * MAX_MODEL_ID, "*", "__x__"],
    ids=["slash", "space", "umlaut", "dots", "percent", "url", "quotes", "longest", "star", "underscores"],
)
def test_every_model_id_has_a_document_of_its_own(ports: Ports, model_id: str) -> None:
    """Whatever an id may hold, its document is kept under it, listed by it, and no other id finds it."""
    assert ports.ledger.save(model_id, "mine", None)
    assert ports.ledger.save(model_id[:-1] + "Z", "other", None)
    stored = ports.ledger.load(model_id)
    assert stored.document == "mine"
    assert ports.ledger.save(model_id, "mine again", stored.version)
    assert sorted(ports.ledger.models(None, 10)) == sorted([model_id, model_id[:-1] + "Z"])


def test_models_that_are_loaded_together_are_as_loaded_one_by_one(ports: Ports) -> None:
    """Each of a hundred models has its own document and version, and one that was never written has none."""
    names = [f"a/{number} ü'#" for number in range(99)]
    for name in names[:60]:
        assert ports.ledger.save(name, f'{{"name": "{name}"}}', None)
    once = ports.ledger.load_many([*names, "churn"])
    assert {name: each.document for name, each in once.items()} == {
        name: f'{{"name": "{name}"}}' if name in names[:60] else None for name in [*names, "churn"]
    }
    assert ports.ledger.save(names[0], "second", once[names[0]].version)
    assert ports.ledger.save("churn", "first", once["churn"].version)
    assert not ports.ledger.save(names[0], "third", once[names[0]].version)
    assert ports.ledger.load_many([]) == {}


def test_a_large_document_is_kept_whole(ports: Ports) -> None:
    """A state of 100 KB, far more than a model's histories can be, is neither cut nor refused."""
    document = '{"text": "' + "ü" * 50_000 + '"}'
    assert len(document.encode()) > 100_000
    assert ports.ledger.save("churn", document, None)
    assert ports.ledger.load("churn").document == document


@pytest.mark.parametrize(
    "work",
    [
        lambda ledger: ledger.load("churn"),
        lambda ledger: ledger.load_many(["churn"]),
        lambda ledger: ledger.save("churn", "second", None),
        lambda ledger: ledger.models(None, 10),
        lambda ledger: ledger.due(NOW, 10),
    ],
    ids=["load", "load_many", "save", "models", "due"],
)
def test_a_ledger_that_is_away_says_so(ports: Ports, work: Callable[[Ledger], object]) -> None:
    """While the ledger cannot be reached every verb is unavailable; then everything is there as before."""
    ports.ledger.save("churn", "kept", None)
    with ports.ledger_away(), pytest.raises(UnavailableError, match=r"; try again$"):
        work(ports.ledger)
    assert ports.ledger.load("churn").document == "kept"


def test_models_that_need_attention_are_found_by_the_time(ports: Ports) -> None:
    """A model is due from its time on, and its entry changes with its document: to later, to never, and back."""
    names = [f"model-{number}" for number in range(7)] + ["ä/1 %"]
    for number, name in enumerate(names):
        assert ports.ledger.save(name, "{}", None, IndexEntry(attention=NOW + number * MINUTE))
    assert ports.ledger.save("idle", "{}", None)
    assert sorted(_due(ports, NOW + 2 * MINUTE)) == names[:3]
    assert _due(ports, NOW - MICROSECOND) == []
    assert sorted(_due(ports, LATER)) == sorted(names)
    assert len(_due(ports, LATER, 3)) == 3
    for entry in (IndexEntry(attention=LATER), NOT_INDEXED, IndexEntry(attention=NOW), NOT_INDEXED, NOT_INDEXED):
        assert ports.ledger.save("model-0", "{}", ports.ledger.load("model-0").version, entry)
        assert ("model-0" in _due(ports, NOW)) == (entry.attention == NOW)
    assert len(ports.ledger.models(None, 20)) == len(names) + 1


def test_the_index_is_written_with_the_document_or_not_at_all(ports: Ports) -> None:
    """Who was slower changes neither."""
    assert ports.ledger.save("churn", "{}", None, IndexEntry(attention=LATER, runs=("retrain-1",)))
    outdated = ports.ledger.load("churn").version
    assert ports.ledger.save("churn", "{}", outdated, IndexEntry(attention=LATER, runs=("retrain-1",)))
    for version in (None, outdated):
        assert not ports.ledger.save("churn", "{}", version, IndexEntry(attention=NOW, runs=("retrain-2",)))
    assert _due(ports, NOW) == []
    assert ports.ledger.model_of_run("retrain-2") is None
    assert _due(ports, LATER) == ["churn"]


def test_a_document_of_the_ledgers_own_is_like_one_of_a_model(ports: Ports) -> None:
    """A key that no model can have has a document of its own, also on the ledgers whose keys have fewer characters."""
    assert ports.ledger.save(f"{OWN}index", "{}", None)
    assert ports.ledger.load(f"{OWN}index").document == "{}"
    assert _due(ports, LATER) == []


def test_the_model_of_a_run_is_found(ports: Ports) -> None:
    """A run belongs to the model whose entry names it, until another save of that model no longer does."""
    assert ports.ledger.save("churn", "{}", None, IndexEntry(runs=("retrain-1", "retrain-2")))
    assert ports.ledger.save("fraud", "{}", None, IndexEntry(runs=("retrain-3",)))
    found = [ports.ledger.model_of_run(f"retrain-{number}") for number in (1, 2, 3, 4)]
    if ports.name in EVENTS_NAME_THE_MODEL:
        assert found == [None] * 4
        return
    assert found == ["churn", "churn", "fraud", None]
    assert ports.ledger.save("churn", "{}", ports.ledger.load("churn").version, IndexEntry(runs=("retrain-4",)))
    assert [ports.ledger.model_of_run(f"retrain-{number}") for number in (1, 4)] == [None, "churn"]


def _due(ports: Ports, until: datetime, limit: int = 1000) -> list[str]:
    found = ports.ledger.due(until, limit)
    assert found is not None
    return found
