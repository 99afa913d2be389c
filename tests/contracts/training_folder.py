"""The training service of this machine for the suite: run folders and the commands that work in them."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from functions.local.run_folder import RunFolder
from shared.trigger import run_name
from tests.contracts.triggers import MODEL, WHY, a_trigger

# Counts itself, then waits until its exit code is written to its pipe.
TRAINING = """
echo "$RETRAIN_TRIGGER_ID" >> trainings
mkfifo "$RETRAIN_RUN_DIR/end"
read -r code < "$RETRAIN_RUN_DIR/end"
[ "$code" = 0 ] || echo "%s"
exit "$code"
"""


class TrainingFolder:
    """The folder of the configuration, where the run folders are too."""

    def __init__(self, folder: Path) -> None:
        """Write the training command."""
        self._folder = folder
        self._runs = folder / ".local" / "runs"
        (folder / "train.sh").write_text(TRAINING % WHY, encoding="ascii")

    def started(self) -> list[str]:
        """Return the trigger ids of the commands that ran, including those of run folders that are about to report."""
        for run in self._open_runs():
            # A command that was marked as started counts itself a moment later.
            until(lambda run=run: (run.path / "end").exists() or run.result())  # type: ignore[misc]
        counted = self._folder / "trainings"
        return counted.read_text(encoding="utf-8").splitlines() if counted.exists() else []

    def environment(self, trigger_id: str) -> Mapping[str, str]:
        """Return what the command of a trigger gets besides the environment of the server."""
        return self._run(trigger_id).request().environment

    def end(self, trigger_id: str, *, well: bool = True) -> None:
        """Let the command of a trigger of any model end, well or not."""
        run = self._run(trigger_id)
        until((run.path / "end").exists)
        (run.path / "end").write_text("0\n" if well else "1\n", encoding="ascii")
        until(run.result)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Put a file where the folder of the runs must be."""
        kept = self._runs.with_name("kept-runs")
        if self._runs.exists():
            self._runs.rename(kept)
        self._runs.parent.mkdir(parents=True, exist_ok=True)
        self._runs.write_text("in the way", encoding="ascii")
        yield
        self._runs.unlink()
        if kept.exists():
            kept.rename(self._runs)

    @contextmanager
    def turned_away(self, trigger_id: str) -> Iterator[None]:
        """Put a file where the run folder of one trigger of the first model must be."""
        self._runs.mkdir(parents=True, exist_ok=True)
        place = self._runs / run_name(a_trigger(trigger_id, model_id=MODEL).token)
        place.write_text("in the way", encoding="ascii")
        yield
        place.unlink()

    def close(self) -> None:
        """Kill whatever still trains, and wait until its supervisor has gone."""
        for run in self._open_runs():
            until(lambda run=run: run.command_group() or run.result() or not run.is_supervised())  # type: ignore[misc]
            group = run.command_group()
            if group is not None and run.has_live_command():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
            until(lambda run=run: not run.is_supervised())  # type: ignore[misc]

    def _run(self, trigger_id: str) -> RunFolder:
        (run,) = [run for run in self._open_runs() if run.request().environment["RETRAIN_TRIGGER_ID"] == trigger_id]
        return run

    def _open_runs(self) -> list[RunFolder]:
        folders = [RunFolder(path) for path in self._runs.glob("retrain-*")] if self._runs.is_dir() else []
        return [run for run in folders if run.exists() and run.started_at() and run.result() is None]


def until(claim: Callable[[], object], seconds: float = 20) -> None:
    """Wait until *claim* holds."""
    limit = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < limit, f"does not become true within {seconds:g} s"
        time.sleep(0.005)
