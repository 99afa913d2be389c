"""One run: checks every model, publishes the report, notifies people and, after a drift, requests the training."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from functions.monitor.check import Finding, check_drift
from functions.monitor.data.storage import Storage
from functions.monitor.messages import MONITOR, People, failure_notice, notice_of, request_of
from functions.monitor.request import check_time
from functions.monitor.result import FAILED, Result
from functions.monitor.site.publish import Site
from shared.config.drift import DriftCheck
from shared.config.model import Model
from shared.emit import publish, read_request
from shared.errors import BusError, RetrainError, TransientError, UnknownModelError
from shared.http.parts import EmitterParts
from shared.notice import Notice
from shared.training.channels import described
from shared.trigger import RetrainTrigger

log = logging.getLogger("retrain")

Line = tuple[dict[str, object], Notice]
"""A finished check: a line of the run's result, and the notice for people."""


class RunFailedError(RetrainError):
    """Part of a run was not done, and people could not be notified of it, or only another run can do it."""

    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The parts of a run.

    Attributes:
        emitter: the parts for emitting triggers, the configuration among them.
        people: the people who are notified.
        storage: reads the data and writes the sites.

    """

    emitter: EmitterParts
    people: People
    storage: Storage


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state of a run."""

    at: datetime
    lines: list[dict[str, object]] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)


def run_checks(monitor: Monitor, model_ids: Sequence[str], at: datetime) -> list[dict[str, object]]:
    """Check models, and return a line about each: `model_id`, `status`, `summary` and `report_url`, or `problem`.

    A failed check does not stop the others; people are notified of it, and no training is requested.

    Args:
        monitor: the parts.
        model_ids: which models; empty: all that have a drift table and train on this cloud.
        at: the time that the run is made for, UTC.

    Raises:
        InvalidTriggerError: *at* is more than a day ahead.
        UnknownModelError: a model has no drift table, or does not train here.
        RunFailedError: at the end, something was left undone: a service was away, a request or a notice did not get
            through, a page could not be written, or a check failed and no channel is configured. Another run for the
            same time does it, and requests nothing twice.

    """
    check_time(at, monitor.emitter.clock())
    checks = {model_id: _check_of(monitor.emitter, model_id) for model_id in model_ids or monitored(monitor.emitter)}
    run = _Run(at=at)
    for model_id, check in checks.items():
        _check(monitor, run, model_id, check)
    for site in {site.address: site for site in (_site(monitor, check) for check in checks.values())}.values():
        _rebuild(monitor, run, site)
    if run.undone:
        raise RunFailedError("; ".join(run.undone))
    return run.lines


def monitored(emitter: EmitterParts) -> list[str]:
    """Return the models that have a drift table and train on this cloud."""
    return [model.name for model in emitter.config.models if _is_monitored(emitter, model)]


def _is_monitored(emitter: EmitterParts, model: Model) -> bool:
    return model.drift is not None and emitter.cloud in model.targets


def _check_of(emitter: EmitterParts, model_id: str) -> DriftCheck:
    model = emitter.config.find(model_id)
    model.target(emitter.cloud)
    if model.drift is None:
        raise UnknownModelError(f'model_id: models."{model.name}" has no drift table in the configuration')
    return model.drift


def _check(monitor: Monitor, run: _Run, model_id: str, check: DriftCheck) -> None:
    try:
        line, notice = _checked(monitor, run, model_id, check)
    except Exception as error:
        # Every error ends in a message: a monitor that fails silently looks like one that finds nothing.
        log.exception("monitor.check_failed", extra={"model_id": model_id})
        line, notice = _failed(monitor, run, model_id, error)
        _record(_site(monitor, check), run, model_id, str(line["problem"]))
    run.lines.append({"model_id": model_id, **line})
    log.info("monitor.checked", extra=run.lines[-1])
    failed = monitor.people.notify(notice)
    if failed:
        run.undone.append(f"{model_id}: the notice did not reach {', '.join(failed)}")


def _checked(monitor: Monitor, run: _Run, model_id: str, check: DriftCheck) -> Line:
    quality = monitor.emitter.config.find(model_id).quality
    finding, site = check_drift(model_id, check, run.at, monitor.storage, quality), _site(monitor, check)
    report_url = site.report_url(finding.result)
    # Before anything is published: an invalid trigger must not leave a report of a drift without a request.
    triggers = _triggers(monitor.emitter, finding.result, report_url)
    site.publish(finding.result, finding.page)
    if triggers:
        publish(monitor.emitter, triggers)
    _show(site, run, finding)
    found = {"summary": finding.result.summary(), "report_url": report_url}
    return {"status": finding.result.status, **found}, notice_of(finding.result, report_url, monitor.emitter.cloud)


def _triggers(emitter: EmitterParts, result: Result, report_url: str) -> list[RetrainTrigger]:
    return [read_request(emitter, request_of(result, report_url), caller=MONITOR)] if result.needs_training else []


def _show(site: Site, run: _Run, finding: Finding) -> None:
    # The bus has the trigger already, so this can make no failure of the check any more.
    try:
        site.show_latest(finding.result, finding.page)
    except Exception as error:  # noqa: BLE001 - another run must do it
        run.undone.append(f"{finding.result.model_id}: the latest report: {described(error)}")


def _failed(monitor: Monitor, run: _Run, model_id: str, error: Exception) -> Line:
    # Only our own errors are known to hold no secrets.
    problem = str(error) if isinstance(error, RetrainError) else f"an unexpected {type(error).__name__}; see the log"
    # Another run may succeed; and without channels, the platform's own alarm must report it.
    if isinstance(error, TransientError | BusError) or not monitor.people.channels(model_id):
        run.undone.append(f"{model_id}: {problem}")
    return {"status": FAILED, "problem": problem}, failure_notice(model_id, run.at, problem, monitor.emitter.cloud)


def _record(site: Site, run: _Run, model_id: str, problem: str) -> None:
    try:
        site.record_failure(model_id, run.at, problem)
    except Exception as error:  # noqa: BLE001 - people are notified anyway
        log.warning("monitor.failure_not_recorded", extra={"model_id": model_id, "error": described(error)})


def _rebuild(monitor: Monitor, run: _Run, site: Site) -> None:
    every = {model_id: _check_of(monitor.emitter, model_id) for model_id in monitored(monitor.emitter)}
    for model_id, check in every.items():
        if _site(monitor, check).address == site.address:
            _expire(_site(monitor, check), run, model_id)
    try:
        site.rebuild([name for name, check in every.items() if _site(monitor, check).address == site.address])
    except Exception as error:  # noqa: BLE001 - the index of one site keeps no other up
        run.undone.append(f"the index: {described(error)}")


def _expire(site: Site, run: _Run, model_id: str) -> None:
    try:
        site.expire(model_id, run.at)
    except Exception as error:  # noqa: BLE001 - an old report that stays does no harm
        log.warning("monitor.report_not_deleted", extra={"model_id": model_id, "error": described(error)})


def _site(monitor: Monitor, check: DriftCheck) -> Site:
    return Site(
        address=monitor.storage.whole(check.site),
        url=check.url,
        storage=monitor.storage,
        keep=check.keep_reports,
        console=monitor.emitter.config.console_url,
    )
