"""The usual function between EventBridge and SageMaker, for the fault matrix: no ledger, one call."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from emulators.moto_server import CREDENTIALS
from emulators.sagemaker import FaultKind, Pipeline, SageMakerStandIn
from tests.contracts.training_folder import until

PIPELINE: Final = "churn-training"
ROOT: Final = Path(__file__).parents[2]
NAIVE: Final = ROOT / "bench" / "naive"


class NaiveSite:
    """Each delivery is a new process of the function in *folder* of `bench/naive`."""

    def __init__(self, folder: str, sagemaker: SageMakerStandIn) -> None:
        """Deliver to that function, which starts its trainings at *sagemaker*."""
        self._folder = NAIVE / folder
        self._sagemaker = sagemaker

    def event(self, trigger_id: str, event_id: str = "") -> object:
        """See the protocol."""
        return {
            "id": event_id or f"e-{trigger_id}",
            "source": "ml3_platform",
            "detail-type": "retrain_trigger",
            "detail": {"model_id": "churn", "trigger_id": trigger_id},
        }

    def unreadable(self) -> object:
        """Return an event without a trigger."""
        return {"id": "e-1", "source": "ml3_platform", "detail-type": "retrain_trigger", "detail": "no object"}

    def deliver(self, event: object) -> bool:
        """See the protocol; Lambda gives an event up, and drops it, after two more attempts."""
        return self._process(event).wait(60) == 0

    def deliver_concurrently(self, events: Sequence[object]) -> list[bool]:
        """See the protocol."""
        with ThreadPoolExecutor(len(events)) as pool:
            return list(pool.map(self.deliver, events))

    def crash(self, event: object, *, started: bool) -> None:
        """See the protocol."""
        self._sagemaker.add_fault(FaultKind.LOST_ANSWER if started else FaultKind.HANG, seconds=60)
        process = self._process(event)
        until(lambda: self._sagemaker.calls("StartPipelineExecution"))
        until(lambda: len(self._sagemaker.executions()) == int(started))
        process.kill()
        process.wait(10)

    def sweep(self) -> None:
        """Do nothing: the function has no sweep."""

    def trainings(self) -> list[str]:
        """See the protocol; the function does not record triggers, so executions count."""
        return [execution.arn for execution in self._sagemaker.executions()]

    def accounted(self) -> set[str]:
        """Return nothing: the function records nothing."""
        return set()

    def letters(self) -> int:
        """Return zero: the function has no dead letters."""
        return 0

    @contextmanager
    def throttled(self) -> Iterator[None]:
        """See the protocol: each of botocore's attempts of both deliveries."""
        self._sagemaker.add_fault(FaultKind.THROTTLE, times=10)
        yield

    def ledger_away(self) -> nullcontext[None]:
        """Do nothing: the function has no ledger."""
        return nullcontext()

    def end(self, trigger_id: str) -> object:  # noqa: ARG002 - it does not know which training was whose
        """End the first training; the function does not listen to ends."""
        self._sagemaker.end(self._sagemaker.executions()[0].arn)
        return None

    def _process(self, event: Any) -> subprocess.Popen[bytes]:
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump([event], file)
        variables = CREDENTIALS | {"AWS_ENDPOINT_URL_SAGEMAKER": self._sagemaker.url, "PIPELINE": PIPELINE}
        return subprocess.Popen(
            [sys.executable, "-m", "bench.programs.on_lambda", "handler", "handler", file.name, "1"],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def naive(folder: str) -> Iterator[NaiveSite]:
    """Give the function in *folder* over an empty SageMaker."""
    with SageMakerStandIn(pipelines={PIPELINE: Pipeline()}) as sagemaker:
        yield NaiveSite(folder, sagemaker)
