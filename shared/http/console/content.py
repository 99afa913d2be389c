"""The main part of the page before its script runs, which is all of it without one: the models, or one model.

All values are escaped; addresses are relative, because a proxy may serve the page below any path.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from shared.http.messages import Request, Response

Api = Callable[[Request], Response]
"""Returns the answer of the HTTP API to a request."""

Words = Mapping[str, Mapping[str, str]]
"""The words for the codes of the API, by kind of code."""

_FILTERS: Final = ("q", "state")
_MODELS: Final = "/models"
_MOST_EMPTY_PAGES: Final = 5


def content(api: Api, request: Request, words: Words) -> tuple[int, str]:
    """Return the status of the answer and the HTML for the main part of the page."""
    model_id = request.query.get("model")
    if model_id:
        status, model = _get(api, f"{_MODELS}/{quote(model_id, safe='')}", {})
        return status, _problem(model) if status >= 400 else _model(model, words)  # noqa: PLR2004 - errors begin there
    query = {name: value for name, value in request.query.items() if name in ("after", *_FILTERS) and value}
    status, page = _page(api, query)
    if status >= 400:  # noqa: PLR2004 - errors begin there
        return status, _problem(page)
    _, waiting = _get(api, _MODELS, {"waiting": "true"})
    return status, _list(page, waiting, query, words)


def _page(api: Api, query: Mapping[str, str]) -> tuple[int, Any]:
    """Return the first page of models that is not empty, within reason: a filter may leave many of them empty."""
    status, page = _get(api, _MODELS, query)
    for _ in range(_MOST_EMPTY_PAGES):
        if page.get("models") or "next" not in page:
            break
        status, page = _get(api, _MODELS, {**query, "after": page["next"]})
    return status, page


def _get(api: Api, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
    response = api(Request(method="GET", path=path, query=query))
    return response.status, json.loads(response.body)


def _problem(problem: Mapping[str, Any]) -> str:
    return f'<p><a href="./">All models</a></p><p class="refused">{_said(problem["detail"])}</p>'


def _list(page: Mapping[str, Any], waiting: Mapping[str, Any], query: Mapping[str, str], words: Words) -> str:
    asking = [model for model in waiting.get("models", ()) if model.get("waiting") or model["state"] == "waiting"]
    filters = [('<a href="./">All</a>')]
    filters += [
        f'<a href="{_address({**query, "state": state, "after": ""})}">{escape(word.capitalize())}</a>'
        for state, word in words["states"].items()
    ]
    following = page.get("next")
    return "".join(
        (
            "<h1>Models</h1>",
            _section(f"Waiting for a person: {len(asking)}", asking, words) if asking else "",
            f'<nav class="filters" aria-label="Filters">{"".join(filters)}</nav>',
            _rows(page["models"], words) if page["models"] else '<p class="card">There are no models here.</p>',
            f'<p><a class="button" href="{_address({**query, "after": following})}">Next page</a></p>'
            if following
            else "",
        )
    )


def _section(heading: str, models: Iterable[Mapping[str, Any]], words: Words) -> str:
    return f'<section class="waiting"><h2>{escape(heading)}</h2>{_rows(models, words)}</section>'


def _rows(models: Iterable[Mapping[str, Any]], words: Words) -> str:
    return f'<ul class="models">{"".join(_row(model, words) for model in models)}</ul>'


def _row(model: Mapping[str, Any], words: Words) -> str:
    last, run = model.get("last_decision"), model.get("last_run")
    trained = f"{_result(run, words)} {_time(run['started_at'])} {_error(run)}" if run else "none yet"
    decided = f"{_decision(last, words)} {_time(last['at'])}" if last else "nothing yet"
    return (
        f'<li class="model"><div>{_model_link(model["model_id"])}{_state(model, words)}{_error(model)}</div>'
        f'<div><span class="label">Last training</span>{trained}</div>'
        f'<div><span class="label">Last success</span>{_time(model.get("last_success")) or "none yet"}</div>'
        f'<div><span class="label">Last decision</span>{decided}</div></li>'
    )


def _model(model: Mapping[str, Any], words: Words) -> str:
    facts = [
        ("Running", _kept(model["running"])),
        ("Waiting for approval", _kept(model["waiting"])),
        ("Kept", _kept(model["queued"])),
        ("Next attempt", _kept(model.get("retry"))),
        ("Cooldown until", _time(model["cooldown_until"])),
    ]
    runs = [
        f"<li>{_time(run['started_at'])} {_result(run, words)} {_said(run['trigger_id'])} {_error(run)}</li>"
        for run in model["runs"]
    ]
    decisions = [
        f"<li>{_time(line['at'])} {_decision(line, words)} {_said(line['trigger_id'] or '')} "
        f"{_said(line['detail'])}</li>"
        for line in model["decisions"]
    ]
    shown = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    return (
        f'<p><a href="./">All models</a></p><h1>{_said(model["model_id"])}</h1><p>{_state(model, words)}</p>'
        f'<dl class="pairs">{shown}</dl>'
        f'<section class="card"><h2>Trainings</h2><ul>{"".join(runs) or "<li>none yet</li>"}</ul></section>'
        f'<section class="card"><h2>Story</h2><ul>{"".join(decisions) or "<li>nothing yet</li>"}</ul></section>'
    )


def _kept(kept: Mapping[str, Any] | None) -> str:
    if not kept:
        return ""
    reason = (kept.get("trigger") or kept).get("reason")
    return f"{_said(kept['trigger_id'])} {_time(kept.get('since'))} {_said(reason or '')}"


def _state(model: Mapping[str, Any], words: Words) -> str:
    return f'<span class="badge">{_word(words, "states", model["state"] or "cannot be read")}</span>'


def _result(run: Mapping[str, Any], words: Words) -> str:
    return _word(words, "results", run["result"] or "running")


def _error(entry: Mapping[str, Any]) -> str:
    """Return why a training failed, or why the state of a model cannot be read."""
    return f'<div class="error small">{_said(entry["error"])}</div>' if entry.get("error") else ""


def _decision(line: Mapping[str, Any], words: Words) -> str:
    if line["decision"] == "steer":
        return _word(words, "steering", line["reason"])
    decided = _word(words, "decisions", line["decision"])
    return decided if line["decision"] == "launch" else f"{decided}: {_word(words, 'reasons', line['reason'])}"


def _word(words: Words, kind: str, code: str) -> str:
    return escape(words[kind].get(code, code.replace("_", " ")))


def _model_link(model_id: str) -> str:
    return f'<a class="name" href="{_address({"model": model_id})}">{_said(model_id)}</a>'


def _address(query: Mapping[str, str]) -> str:
    return escape(f"./?{urlencode({name: value for name, value in query.items() if value})}")


def _said(value: object) -> str:
    # Characters that change the direction of writing stay within the element.
    return f"<bdi>{escape(str(value))}</bdi>"


def _time(moment: str | None) -> str:
    return (
        f'<time datetime="{escape(moment)}">{escape(moment.replace("T", " ").replace("Z", " UTC"))}</time>'
        if moment
        else ""
    )
