"""The calls that an event, a sweep and a page of the list cost do not grow with the number of idle models.

Those of a tick, which requests all models, grow by one for each thousand.
"""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final

import pytest

from shared.emit import PART, emit_scheduled
from shared.errors import UnavailableError
from shared.ports import IndexEntry, Ledger, RunResult
from shared.training.end import run_ended
from shared.training.sweep import sweep
from shared.trigger import RetrainTrigger, run_name, token_of
from shared.wire.incoming import RunEnded
from tests.contracts.ports import Ports
from tests.contracts.test_ledger import EVENTS_NAME_THE_MODEL, LATER
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, model_text
from tests.core.test_index import complete_index

MOST_CALLS_OF_AN_END: Final = 4
MOST_CALLS_OF_A_SWEEP: Final = 6
MOST_CALLS_OF_A_PAGE: Final = 4
# An entity with a time of attention costs Table storage a second operation, so only some of the models have one.
WRITERS: Final = 8


class Counted:
    """A ledger that counts its calls."""

    def __init__(self, ledger: Ledger) -> None:
        """Count the calls of *ledger*."""
        self._ledger = ledger
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the ledger that is counted."""
        method = getattr(self._ledger, name)

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            return method(*arguments)

        return call


class Sized:
    """A deployment in memory on the ledger of a cloud, with many idle models and one that trains."""

    def __init__(self, ports: Ports, models: int) -> None:
        """Store *models* idle models, one of which in ten waits for a person."""
        self._ports = ports
        self._counted = Counted(ports.ledger)
        self.deployment = Deployment(model_text("*"))
        self.deployment.receiver = dataclasses.replace(self.deployment.receiver, ledger=self._counted)
        self.deployment.emitter = dataclasses.replace(self.deployment.emitter, ledger=self._counted)
        complete_index(ports.ledger)

        def save(number: int) -> None:
            entry = IndexEntry(attention=None if number % 10 else LATER, runs=(f"retrain-{number}",))
            name = f"idle-{number:05}"
            try:
                saved = ports.ledger.save(name, '{"schema":1}', None, entry)
            except UnavailableError:  # An emulator that answers too late may have saved it.
                saved = ports.ledger.load(name)
                if saved.document is None:
                    saved = ports.ledger.save(name, '{"schema":1}', None, entry)
            assert saved

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(save, range(models)))
        self.deployment.receive(trigger_event("t-1", model_id="busy"))

    def calls(self, work: Callable[[], object]) -> list[str]:
        """Return the requests that *work* makes to the service, or its statements if the ledger is a file."""
        is_service = self._ports.name in ("aws", "gcp", "azure")
        read = self._ports.traffic if is_service else lambda: self._counted.calls
        before = len(read())
        work()
        return list(read()[before:])

    def tick(self, models: int) -> list[str]:
        """Return the calls of a tick that publishes a trigger for each of so many models, to a bus in memory."""
        text = "".join(model_text(f"idle-{number:05}", "schedule = true") for number in range(models))
        emitter = dataclasses.replace(Deployment(text).emitter, ledger=self._counted)
        published: list[RetrainTrigger] = []
        calls = self.calls(lambda: published.extend(emit_scheduled(emitter, self.deployment.now)))
        assert len(published) == models
        return calls

    def end(self, model_id: str, run_id: str) -> str | None:
        """Report the end of a run as this cloud's events do, and return the model that had it."""
        hint = model_id if self._ports.name in EVENTS_NAME_THE_MODEL else None
        name = run_name(token_of(model_id, "t-1"))
        news = RunEnded(run_id=run_id, name=name, result=RunResult.SUCCEEDED, model_id=hint)
        return run_ended(self.deployment.receiver, news)


@pytest.mark.parametrize("models", [60, pytest.param(10_000, marks=pytest.mark.deep)])
def test_idle_models_cost_nothing(ports: Ports, models: int) -> None:
    """An end, a sweep and a page cost as many calls with ten thousand idle models as with sixty, a tick eleven."""
    sized = Sized(ports, models)
    receiver = sized.deployment.receiver
    idle = sized.calls(lambda: sweep(receiver))
    foreign = sized.calls(lambda: sized.end("fraud", "run-of-another-system"))
    ended: list[str | None] = []
    end = sized.calls(lambda: ended.append(sized.end("busy", "run-1")))
    assert ended == ["busy"]
    pages = [sized.deployment.call("GET", "/models")]
    following = {"after": "seen:"}
    page = sized.calls(lambda: pages.append(sized.deployment.call("GET", "/models", query=following)))
    assert [one.status for one in pages] == [HTTPStatus.OK] * 2
    tick = sized.tick(models)
    found = {"sweep": idle, "foreign end": foreign, "end": end, "page": page, "tick": tick}
    print(ports.name, models, {name: len(calls) for name, calls in found.items()})  # noqa: T201 - for reports
    assert len(idle) <= MOST_CALLS_OF_A_SWEEP
    assert len(end) <= MOST_CALLS_OF_AN_END
    assert len(foreign) <= MOST_CALLS_OF_AN_END
    assert len(page) <= MOST_CALLS_OF_A_PAGE
    # The place of the tick is read once, and saved after each thousand of more than a thousand triggers.
    assert len(tick) == (models // PART + 1 if models > PART else 0)
    sized.deployment.wait(HOUR)
    assert len(sized.calls(lambda: sweep(receiver))) <= MOST_CALLS_OF_A_SWEEP
