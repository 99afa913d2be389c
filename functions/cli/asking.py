"""The commands that ask: for a training, for what would become of one, for the models."""

import argparse
import getpass
import json
from collections.abc import Mapping, Sequence

from functions.cli import pages
from shared import emit
from shared.errors import UnknownModelError
from shared.fields import Parameter, read_model_id
from shared.http.listing import list_models
from shared.http.views import details
from shared.ledger.snapshots import load
from shared.parts import EmitterParts


def publish(emitter: EmitterParts, options: argparse.Namespace) -> str:
    """Put a trigger on the bus, and return its id.

    Raises:
        RetrainError: it is refused, or the bus is away.

    """
    trigger = emit.read_request(emitter, _fields(emitter, options), caller=_person())
    emit.publish(emitter, [trigger])
    accepted = {"trigger_id": trigger.trigger_id, "model_id": trigger.model_id, "status": "accepted"}
    return pages.as_json(accepted) if options.json else trigger.trigger_id


def rehearse(emitter: EmitterParts, options: argparse.Namespace) -> str:
    """Return what would become of a trigger now.

    Raises:
        RetrainError: it would be refused, or the ledger is away.

    """
    trigger = emit.read_request(emitter, _fields(emitter, options), caller=_person())
    verdict = emit.rehearse(emitter, trigger)
    if options.json:
        return pages.as_json({"decision": verdict.decision, "reason": verdict.reason, "detail": verdict.detail})
    return f"{verdict.decision}: {verdict.reason}" + (f" ({verdict.detail})" if verdict.detail else "")


def models(emitter: EmitterParts, options: argparse.Namespace) -> str:
    """Return the list of models, or everything about one.

    Raises:
        RetrainError: there is no such model, or the ledger is away.

    """
    if options.model is None:
        listed = _all_models(emitter)
        return pages.as_json({"models": listed}) if options.json else pages.list_page(listed)
    model_id = read_model_id(options.model)
    model, state = emitter.config.find(model_id), load(emitter.ledger, model_id).state
    told = details(model_id, model, emitter.cloud, state, emitter.clock())
    return pages.as_json(told) if options.json else pages.model_page(told)


def _all_models(emitter: EmitterParts) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    after: str | None = None
    while True:
        page = list_models(emitter, after)
        listed, following = page["models"], page.get("next")
        found += listed if isinstance(listed, list) else []
        if not isinstance(following, str):
            return found
        after = following


def _fields(emitter: EmitterParts, options: argparse.Namespace) -> dict[str, object]:
    given = {
        "model_id": options.model,
        "trigger_id": options.id,
        "reason": options.reason,
        "severity": options.severity,
        "parameters": _parameters(emitter, options.model, options.param) or None,
        "force": options.force or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _parameters(emitter: EmitterParts, model_id: str | None, pairs: Sequence[tuple[str, str]]) -> dict[str, Parameter]:
    try:
        defaults = emitter.config.find(model_id or emitter.config.default_model or "").parameters
    except UnknownModelError:
        defaults = {}  # The request itself tells of it.
    return {name: _value(text, defaults.get(name)) for name, text in pairs}


def _value(text: str, default: Parameter | None) -> Parameter:
    """Read a number, true or false, unless the configuration has a text there."""
    if isinstance(default, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _person() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None  # A user without a name, as in some containers.
