"""The cost by the number of models, configured and stored, and by the number of triggers at the same moment."""

import dataclasses
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

from functions.local.ledger import SqliteLedger
from functions.machine import new_id, now
from shared.config.file import compile_configuration, load_configuration, load_deployed
from shared.config.model import Configuration
from shared.decision.policy import decide
from shared.decision.state import ModelState
from shared.ledger.index import load_record
from shared.ports import LaunchRequest, Ledger, Run, RunResult, RunStatus
from shared.receive import receive
from shared.training.admission import triggers_of
from shared.training.parts import ReceiverParts
from shared.training.sweep import sweep
from shared.trigger import RetrainTrigger, run_name
from shared.wire import eventbridge
from shared.wire.incoming import Incoming, RunEnded

MODELS: Final = (1, 100, 1_000, 10_000)
TRIGGERS: Final = (1, 10, 50, 200)
# Twice what a call to DynamoDB, Firestore or Table storage usually takes.
CALL_SECONDS: Final = 0.02
JUDGED: Final = 3_000
_COLUMNS: Final = (
    "configuration parsed, ms of CPU",
    "compiled, ms of CPU",
    "triggers read and judged a second",
    "ledger calls of the first sweeps, which index all models",
    "of every later sweep, all idle",
)
SOURCE: Final = "ml3_platform"
MODEL: Final = """
[models."model-{number}"]
cooldown = "0s"
[models."model-{number}".target.local]
kind = "command"
command = ["python", "train.py"]
"""


class Training:
    """A service that starts every training, counts the starts, and reports each as running."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.tokens: list[str] = []

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - see the protocol
        """Start the training."""
        self.tokens.append(request.token)
        return Run(run_id=run_name(request.token))

    def status(self, run_id: str) -> RunStatus:  # noqa: ARG002 - see the protocol
        """Report that the run is running."""
        return RunStatus(result=RunResult.RUNNING)

    def cancel(self, run_id: str) -> None:
        """Ignore the request: nothing is cancelled here."""


class CountedLedger:
    """The ledger of this machine, whose calls are counted and take as long as those of a cloud."""

    def __init__(self, ledger: SqliteLedger, seconds: float) -> None:
        """Count from nothing; each call takes *seconds* more."""
        self.calls: Counter[str] = Counter()
        self._ledger = ledger
        self._seconds = seconds
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the ledger that is counted."""
        method = getattr(self._ledger, name)

        def counted(*values: object, **named: object) -> object:
            with self._lock:
                self.calls[name] += 1
            if self._seconds:
                time.sleep(self._seconds)
            return method(*values, **named)

        return counted


def measure() -> dict[str, Any]:
    """Return the cost by number of models, and by number of triggers at the same moment."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "models": [_by_models(Path(folder), count) for count in MODELS],
            "triggers": [_by_triggers(Path(folder), count) for count in TRIGGERS],
        }


def tables(result: Mapping[str, Any]) -> list[str]:
    """Return the lines of both tables in Markdown."""
    lines = [
        f"| models | {' | '.join(_COLUMNS)} |",
        f"| --- |{' --- |' * len(_COLUMNS)}",
    ]
    lines += [
        f"| {each['count']:,} | {each['parsed'] * 1e3:.1f} | {each['compiled'] * 1e3:.1f} | {each['judged']:,.0f}"
        f" | {each['first']:,} | {each['later']:,} |"
        for each in result["models"]
    ]
    lines += [
        "",
        "| triggers of one model at the same moment | trainings | ledger calls a trigger | last decided after, s |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each['count']} | {each['trainings']} | {each['calls'] / each['count']:.1f} | {each['seconds']:.1f} |"
        for each in result["triggers"]
    ]
    return lines


def _by_models(folder: Path, count: int) -> dict[str, Any]:
    path = folder / f"{count}.toml"
    path.write_text("".join(MODEL.format(number=number) for number in range(count)), encoding="ascii")
    compile_configuration(path)
    config = load_configuration(path)
    name = f"model-{count // 2}"
    parsed = _cpu(lambda: load_configuration(path).find(name))
    compiled = _cpu(lambda: load_deployed(path).find(name))
    ledger = CountedLedger(SqliteLedger(folder / f"models-{count}.db"), 0)
    receiver = _receiver(config, ledger, Training())
    # Every model has trained once, so that each has a document and none needs anything.
    for number in range(count):
        receive(receiver, _trigger(number, "t-1"), decode)
        receive(receiver, _ended(number, "t-1"), lambda ended: cast("RunEnded", ended))
    first, later = _sweeps(receiver, ledger)
    began = time.process_time()
    for _ in range(JUDGED):
        for trigger in triggers_of(config, "local", decode(_trigger(count // 2, "t-2")), now()):
            decide(ModelState(), trigger, config.find(trigger.model_id).policy, now())
    judged = JUDGED / (time.process_time() - began)
    return {
        "count": count,
        "parsed": parsed,
        "compiled": compiled,
        "judged": judged,
        "first": first,
        "later": later,
    }


def _cpu(work: Callable[[], object]) -> float:
    """Return the seconds of CPU that *work* takes, the least of five times: other load only adds."""
    times = []
    for _ in range(5):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def _sweeps(receiver: ReceiverParts, ledger: CountedLedger) -> tuple[int, int]:
    """Return the calls of the first sweeps, until all models are in the index, and of the dearest of ten later ones."""
    calls: list[int] = []

    def once() -> None:
        # A deployment sweeps every five minutes.
        moment = now() + len(calls) * timedelta(minutes=5)
        ledger.calls.clear()
        sweep(dataclasses.replace(receiver, clock=lambda: moment))
        calls.append(ledger.calls.total())

    while not load_record(cast("Ledger", ledger)).is_complete:
        once()
    first = sum(calls)
    for _ in range(10):
        once()
    return first, max(calls[-10:])


def _by_triggers(folder: Path, count: int) -> dict[str, Any]:
    path = folder / "1.toml"
    ledger = CountedLedger(SqliteLedger(folder / f"triggers-{count}.db"), CALL_SECONDS)
    training = Training()
    receiver = _receiver(load_configuration(path), ledger, training)
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda number: receive(receiver, _trigger(0, f"t-{number}"), decode), range(count)))
    seconds = time.perf_counter() - began
    return {"count": count, "trainings": len(training.tokens), "calls": ledger.calls.total(), "seconds": seconds}


def decode(event: object) -> Incoming:
    """Read what EventBridge delivers."""
    return eventbridge.decode(event, SOURCE)


def _receiver(config: Configuration, ledger: CountedLedger, training: Training) -> ReceiverParts:
    return ReceiverParts(
        cloud="local",
        source=SOURCE,
        config=config,
        ledger=cast("Ledger", ledger),
        launcher=lambda _target: training,
        dead_letters=None,
        clock=now,
        new_id=new_id,
        observe=lambda _model_id, _decided: None,
    )


def _trigger(number: int, trigger_id: str) -> dict[str, object]:
    return {
        "id": f"e-{number}",
        "source": SOURCE,
        "detail-type": "retrain_trigger",
        "time": "2026-11-21T12:00:00Z",
        "detail": {"model_id": f"model-{number}", "trigger_id": trigger_id},
    }


def _ended(number: int, trigger_id: str) -> object:
    trigger = RetrainTrigger(model_id=f"model-{number}", trigger_id=trigger_id, origin="event", requested_at=now())
    name = run_name(trigger.token)
    return RunEnded(run_id=name, name=name, model_id=trigger.model_id, result=RunResult.SUCCEEDED)
