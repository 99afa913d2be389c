"""`python -m examples.demo.drift`: data drift, the error of a model grows, it is retrained, and the error falls.

Exit code 0: every claim is true; 1: one is not.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from rich.console import Console

from examples.demo.drift_stage import DriftStage, drift_stage, last_training_day
from examples.demo.report import Report
from examples.demo.waiting import wait

HOME = Path(".local", "demo")
# Seconds.
SCREENSHOT_TIME_LIMIT = 60.0


def main() -> int:
    """Run the demo."""
    HOME.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="drift-", dir=HOME)).resolve()
    began = time.monotonic()
    report = Report(Console(width=None if sys.stdout.isatty() else 120))
    with drift_stage(home) as stage:
        play(stage, report)
    site = home / "site" / "index.html"
    report.line(f"The site: {site.relative_to(Path.cwd())}")
    for picture in _pictures(home):
        report.line(f"A screenshot: {picture.relative_to(Path.cwd())}")
    report.line(f"The demo took {time.monotonic() - began:.0f} s.")
    return 0 if report.came_true else 1


def play(stage: DriftStage, report: Report) -> None:
    """Play the story on *stage* and check every claim."""
    report.act(
        "A model of bike rentals per day, trained in summer 2011, and a monitor that compares each month with its data"
    )
    stage.put_reference(last_training_day(stage.home / "first"))
    _first_window(stage, report)
    _second_window(stage, report)
    _training(stage, report)
    _again(stage, report)
    report.decisions("demand", stage.model())


def _first_window(stage: DriftStage, report: Report) -> None:
    report.act("1. August 2011")
    days = stage.put_window("2011-08", date(2011, 8, 4), date(2011, 9, 1))
    line = stage.monitor("2011-09-01")
    report.line(f"{days} days. {line['summary']}")
    report.claim("no drift", true=line["status"] == "no_drift")
    report.claim("the error is within its limit of 1,000 rentals a day", true=stage.quality()["status"] == "as_before")
    report.claim(f"people are notified: {_title(stage)}", true="have not drifted" in _title(stage))
    report.claim("no training is requested", true=not stage.model()["decisions"])


def _second_window(stage: DriftStage, report: Report) -> None:
    report.act("2. Summer 2012: many more people rent bicycles")
    days = stage.put_window("2012-08", date(2012, 6, 1), date(2012, 9, 1))
    line = stage.monitor("2012-09-01")
    report.line(f"{days} days. {line['summary']}")
    report.claim("drift", true=line["status"] == "drift")
    report.claim("the error has grown beyond its limit", true=stage.quality()["status"] == "worse")
    report.claim(f"people are notified: {_title(stage)}", true="have drifted" in _title(stage))
    report.claim("the report is written", true=Path(str(line["report_url"])).is_file())
    # The same data again: the same trigger, which the local cloud skips as a duplicate.
    stage.monitor("2012-09-01")


def _training(stage: DriftStage, report: Report) -> None:
    report.act("3. The local cloud receives the trigger and trains")
    wait(lambda: len(stage.decided) > 1 and stage.model()["running"] is None)
    reasons = [decided.reason for decided in stage.decided]
    report.claim(f"the check ran twice: {', then '.join(reasons)}", true=reasons == ["launched", "duplicate"])
    report.claim("one training", true=len(stage.model()["runs"]) == 1)
    metrics = stage.trainings()
    report.trainings(metrics)
    better = [training["mae_after"] < training["mae_before"] and training["promoted"] for training in metrics]
    report.claim("the new model is better on recent days and in production", true=better == [True])


def _again(stage: DriftStage, report: Report) -> None:
    report.act("4. The same summer, compared with the training data of the new model")
    (run,) = (stage.home / ".local" / "runs").iterdir()
    stage.put_reference(last_training_day(run))
    stage.put_window("2012-08", date(2012, 6, 1), date(2012, 9, 1))
    line = stage.monitor("2012-09-01T12:00:00Z")
    report.line(str(line["summary"]))
    report.claim("no drift", true=line["status"] == "no_drift")
    report.claim("the error of the new model is within its limit", true=stage.quality()["status"] == "as_before")
    report.claim("no further training is requested", true=len(stage.model()["decisions"]) == 1)


def _title(stage: DriftStage) -> str:
    return str(stage.inbox[-1]["title"]) if stage.inbox else "nothing"


def _pictures(home: Path) -> list[Path]:
    """Take screenshots of the start page and of the last report with drift, if there is a browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return []
    pages = {"index": home / "site/index.html", "report": home / "site/models/demand/2012-09-01T000000Z/report.html"}
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    pictures: list[Path] = []
    for name, page in pages.items():
        picture = home / f"{name}.png"
        with tempfile.TemporaryDirectory() as profile:
            command = [program, *flags, *quiet, f"--user-data-dir={profile}", "--virtual-time-budget=10000"]
            command += ["--window-size=1200,1500", f"--screenshot={picture}", page.as_uri()]
            subprocess.run(command, capture_output=True, check=False, timeout=SCREENSHOT_TIME_LIMIT)  # noqa: S603 - the browser
        pictures += [picture] if picture.is_file() else []
    return pictures


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # As a shell counts Ctrl-C, without a stack trace.
        sys.exit(130)
