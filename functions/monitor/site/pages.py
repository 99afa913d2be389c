"""The site's own pages: one file each, without scripts, with nothing from elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from functions.monitor.site import layout
from functions.monitor.site.chart import column_trend, report_of, trend
from functions.monitor.site.history import LENGTH, History, PastCheck
from functions.monitor.site.rendering import render


def index_page(histories: Sequence[History], *, console: str) -> str:
    """Return the start page: every model with its last check, its trend and its reports.

    Args:
        histories: the checks of each model.
        console: the address of the console, or an empty text.

    """
    models = [
        {
            "model_id": history.model_id,
            "page": f"{layout.model_folder(history.model_id)}/{layout.INDEX}",
            "last": history.last,
            "last_report": history.last_report,
            "chart": trend(history.checks[-LENGTH:], LENGTH, report_of),
        }
        for history in histories
    ]
    return render("index.html", models=models, console=console)


def model_page(history: History, *, console: str, days: int) -> str:
    """Return the page of a model that was checked before: all its checks, and each column over time.

    Args:
        history: its checks.
        console: where its trainings are shown, or an empty text.
        days: after how many days a check is deleted.

    """
    names = dict.fromkeys(name for check in reversed(history.checks) for name in check.columns)
    columns = [
        {
            "name": name,
            "text": next(check.columns[name].text for check in reversed(history.checks) if name in check.columns),
            "chart": column_trend(name, history.checks[-LENGTH:], LENGTH, _report_below),
        }
        for name in names
    ]
    model = {
        "model_id": history.model_id,
        "last": history.last,
        "checks": history.checks,
        "chart": trend(history.checks, max(len(history.checks), LENGTH), _report_below),
        "columns": columns,
    }
    return render("model.html", model=model, console=console, days=days)


def failure_page(model_id: str, at: datetime, problem: str) -> str:
    """Return the page of a check that failed, in place of its report."""
    return render("failure.html", model_id=model_id, at=at, problem=problem)


def error_page(start: str) -> str:
    """Return the page for an address where nothing is; *start* is the address of the start page."""
    return render("error.html", start=start)


def _report_below(check: PastCheck) -> str:
    return f"{check.name}/{layout.REPORT}"
