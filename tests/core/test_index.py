"""The index of the ledger: what is due is found, whether the index is late, missing, incomplete or outdated."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import UnavailableError
from shared.ledger.index import OVERLAP, OWN, PASS_EVERY, IndexRecord, load_record, save_record
from shared.ports import NOT_INDEXED, Ledger, RunResult
from shared.training.end import MOST_SEARCHED
from shared.training.sweep import SWEEP_TIME_LIMIT, sweep
from shared.wire import eventbridge
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, MINUTE, SECOND, model_text, trigger
from tests.fakes.faults import Script
from tests.fakes.memory import IndexState

END_OF_ANOTHER = {
    "source": "aws.sagemaker",
    "detail-type": eventbridge.STATUS_CHANGE[1],
    "detail": {
        "pipelineExecutionArn": "theirs",
        "pipelineExecutionDisplayName": "retrain-theirs",
        "currentPipelineExecutionStatus": "Succeeded",
    },
}


def complete_index(ledger: Ledger) -> None:
    """Remember that all models of *ledger* are indexed."""
    long_ago = Deployment().now
    record = IndexRecord(since=long_ago - HOUR, began_at=long_ago, running=False, complete=True)
    assert save_record(ledger, record, load_record(ledger).version)


def deployed(*names: str, complete: bool = True) -> Deployment:
    """Return a deployment in which the models with these *names* train."""
    deployment = Deployment(model_text("*"))
    if complete:
        complete_index(deployment.ledger)
    for name in names:
        deployment.receive(trigger_event("t-1", model_id=name))
    return deployment


def outdate(deployment: Deployment, *names: str) -> None:
    """Save the documents of these models once more, as a version without an index saves them."""
    for name in names:
        stored = deployment.ledger.peek(name)
        assert stored.document is not None
        assert deployment.ledger.save(name, stored.document, stored.version, NOT_INDEXED)


def calls_of(deployment: Deployment, work: Callable[[Any], object]) -> list[str]:
    """Return the calls of the ledger that *work* makes with the receiver."""
    script = Script()
    work(dataclasses.replace(deployment.receiver, ledger=deployment.ledger.through(script)))
    return script.calls


def idle(deployment: Deployment, number: int) -> None:
    """Add models that once trained and need nothing."""
    for place in range(number):
        deployment.ledger.save(f"idle-{place:05}", '{"schema":1}', None)


def end_all(deployment: Deployment) -> None:
    """Let every training end without an event."""
    for run in deployment.service.running():
        deployment.service.end(run.run_id, RunResult.SUCCEEDED)


def test_a_sweep_reads_what_is_due_and_nothing_else() -> None:
    """Beside 10,000 idle models it makes two calls, and as many for each due model as that needs."""
    deployment = deployed("busy")
    idle(deployment, 10_000)
    assert calls_of(deployment, sweep) == ["load", "due"]
    deployment.wait(2 * MINUTE)
    assert calls_of(deployment, sweep) == ["load", "due", "load", "load", "save"]
    end_all(deployment)
    deployment.wait(HOUR)
    assert sweep(deployment.receiver) == ["busy"]
    assert deployment.state("busy").training is None
    deployment.wait(HOUR)
    assert calls_of(deployment, sweep) == ["load", "due"]


def test_an_index_that_is_late_delays_a_model_and_loses_none() -> None:
    """A model that is not in it is found when it has caught up; one that should be gone costs a read and a write."""
    deployment = deployed()
    deployment.ledger.index_state = IndexState.LATE
    deployment.receive(trigger_event("t-1", model_id="a"))
    deployment.wait(HOUR)
    assert sweep(deployment.receiver) == []
    deployment.ledger.index_state = IndexState.LATE
    end_all(deployment)
    assert sweep(deployment.receiver) == ["a"]
    assert deployment.state("a").training is None
    assert calls_of(deployment, sweep) == ["load", "due", "load", "save"]
    deployment.ledger.index_state = IndexState.CURRENT
    assert sweep(deployment.receiver) == []


def test_without_an_index_every_sweep_goes_through_all_models() -> None:
    """A table whose index is missing or still being built is swept as before, in slices, and none is left out."""
    names = [f"m-{number:03}" for number in range(30)]
    deployment = deployed(*names)
    deployment.ledger.index_state = IndexState.MISSING
    deployment.wait(HOUR)
    end_all(deployment)
    slow = dataclasses.replace(deployment.receiver, ledger=Slow(deployment))
    slices = []
    while any(deployment.state(name).training for name in names):
        slices.append(sweep(slow))
        assert len(slices) < len(names)
    assert len(slices) > 1
    assert [name for swept in slices for name in swept][: len(names)] == names


class Slow:
    """A ledger that takes four seconds to load a model."""

    def __init__(self, deployment: Deployment) -> None:
        """Be slow in the time of *deployment*."""
        self._deployment, self._ledger = deployment, deployment.ledger

    def load(self, model_id: str) -> Any:
        """Take a while."""
        self._deployment.wait(SWEEP_TIME_LIMIT / 10 if not model_id.startswith(OWN) else 0 * SECOND)
        return self._ledger.load(model_id)

    def __getattr__(self, name: str) -> Any:
        """Do all else as fast as ever."""
        return getattr(self._ledger, name)


def test_documents_of_the_version_before_are_indexed_by_the_first_sweeps() -> None:
    """The index counts as complete once a pass that began after the last such document was saved has reached all."""
    deployment = deployed("a", "b", complete=False)
    outdate(deployment, "a", "b")
    sweep(deployment.receiver)
    assert not load_record(deployment.ledger).is_complete
    outdate(deployment, "b")  # by a process of the version before that was still running
    deployment.wait(OVERLAP)
    sweep(deployment.receiver)
    assert load_record(deployment.ledger).is_complete
    assert all(deployment.ledger.index[name].attention for name in "ab")
    assert all(deployment.ledger.index[name].runs for name in "ab")
    assert calls_of(deployment, sweep) == ["load", "due"]


def test_after_a_roll_back_a_later_pass_indexes_what_was_saved_meanwhile() -> None:
    """A pass through all models is repeated every day, in slices that leave the sweep its time."""
    deployment = deployed("a")
    outdate(deployment, "a")
    idle(deployment, 1200)
    end_all(deployment)
    deployment.wait(PASS_EVERY - SECOND)
    assert sweep(deployment.receiver) == []
    deployment.wait(SECOND)
    swept = [len(sweep(deployment.receiver)) for _ in range(4)]
    assert swept == [499, 500, 202, 0]  # the record of the index is among the documents
    assert deployment.state("a").training is None


@pytest.mark.parametrize("others", [0, MOST_SEARCHED - 1])
def test_an_end_is_found_in_a_small_ledger_that_is_not_indexed_yet(others: int) -> None:
    """So few models are searched, and an end of a run of another system is acknowledged."""
    deployment = deployed("a", complete=False)
    outdate(deployment, "a")
    idle(deployment, others)
    assert deployment.receive(END_OF_ANOTHER).model_id == ""
    assert deployment.end(trigger(model_id="a"), "run-1").model_id == "a"


def test_an_end_is_found_behind_a_damaged_model(caplog: pytest.LogCaptureFixture) -> None:
    """The search goes on, and the log names the model; it trained something else, or its repair finds out."""
    deployment = deployed("b", complete=False)
    outdate(deployment, "b")
    assert deployment.ledger.save("a", "not JSON", None)
    assert deployment.end(trigger(model_id="b"), "run-1").model_id == "b"
    assert [vars(record)["model_id"] for record in caplog.records if record.message == "retrain.state_damaged"] == ["a"]


def test_an_end_that_is_not_indexed_yet_comes_again() -> None:
    """Among many models it is not searched for, and not acknowledged either, until all models are indexed."""
    deployment = deployed("a", complete=False)
    outdate(deployment, "a")
    idle(deployment, MOST_SEARCHED)
    with pytest.raises(UnavailableError, match="a sweep is still indexing the models; try again"):
        deployment.end(trigger(model_id="a"), "run-1")
    for _ in range(2):
        sweep(deployment.receiver)
        deployment.wait(OVERLAP)
    assert deployment.end(trigger(model_id="a"), "run-1").model_id == "a"


def test_a_run_of_another_system_costs_the_query_of_the_index() -> None:
    """However many models there are; that the index is complete is read once by each process."""
    deployment = deployed()
    idle(deployment, 1000)
    script = Script()
    deployment.receiver = dataclasses.replace(deployment.receiver, ledger=deployment.ledger.through(script))
    for _ in range(2):
        assert deployment.receive(END_OF_ANOTHER).model_id == ""
    assert script.calls == ["model_of_run", "load", "model_of_run"]


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"form": 0}', '{"form": 1}', "null"])
def test_a_record_that_cannot_be_read_begins_anew(document: str) -> None:
    """It is a note about a pass, which can be repeated; the next sweep replaces it."""
    deployment = deployed("a", complete=False)
    deployment.ledger.save(f"{OWN}index", document, None)
    for _ in range(2):
        sweep(deployment.receiver)
        deployment.wait(OVERLAP)
    assert load_record(deployment.ledger).is_complete
    stored = deployment.ledger.peek(f"{OWN}index").document
    assert json.loads(stored or "")["complete"] is True


def test_own_documents_are_no_models() -> None:
    """Lists show none of them, and no pattern matches them."""
    deployment = deployed("a")
    following = deployment.get("/models").get("next")
    listed = deployment.get("/models", after=following)["models"]
    assert [model["model_id"] for model in listed] == ["a"]
