"""The options that describe a trigger, shared by `emit` and `dry-run`."""

import argparse
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.cli.command import UsageError
from shared.config.lookup import is_pattern
from shared.errors import UnknownModelError
from shared.fields import Parameter
from shared.trigger import SEVERITIES

if TYPE_CHECKING:
    from functions.cli.api import Api
    from shared.config.model import Configuration


def add_trigger_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    add_model(parser, "the model to train (default: the one with `default = true`)")
    parser.add_argument("--reason", metavar="TEXT", help="why, for people; at most 512 characters")
    parser.add_argument("--severity", choices=SEVERITIES)
    parser.add_argument(
        "--param", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="a parameter; can be repeated"
    )
    parser.add_argument("--force", action="store_true", help="pass the cooldown, severity and consecutive rules")
    parser.add_argument("--id", help="the trigger's id; to retry a request safely, pass the same id")


def add_model(parser: argparse.ArgumentParser, about: str) -> None:
    """Add the positional argument MODEL; `--model` still works, too."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help=about)
    parser.add_argument("--model", dest="model_option", metavar="MODEL", help=argparse.SUPPRESS)


def model_of(options: argparse.Namespace) -> str | None:
    """Return the model that the command line names, if any.

    Raises:
        UsageError: it is named twice, differently, or the name is empty.

    """
    positional, option = options.model, options.model_option
    if positional is not None and option is not None and positional != option:
        raise UsageError(f"the model is named twice: {positional!r} and --model {option!r}; name it once")
    named = positional if positional is not None else option
    if named == "":
        raise UsageError("the name of the model is empty; is a variable of your script not set?")
    return None if named is None else str(named)


def required_model(options: argparse.Namespace) -> str:
    """Return the model that the command line names.

    Raises:
        UsageError: it names none.

    """
    model_id = model_of(options)
    if model_id is None:
        raise UsageError(f"{options.command} needs the name of a model: retrain {options.command} MODEL")
    return model_id


def check_model(options: argparse.Namespace, api: "Api") -> None:
    """Refuse a pattern, which a person takes for all of its models; an event may still name a model so.

    Raises:
        ApiError: the configuration has no such model.
        UnknownModelError: it is a pattern, and no model of exactly this name has been seen.
        UsageError: as in `model_of`.

    """
    model_id = model_of(options)
    if model_id is None or not is_pattern(model_id):
        return
    if not api.get(f"/models/{quote(model_id, safe='')}")["decisions"]:
        raise UnknownModelError(
            f"model_id: {model_id!r} is a pattern, not a model; emit one trigger for each model, with its name"
        )


def read_fields(options: argparse.Namespace, config: "Configuration | None") -> dict[str, object]:
    """Return the body of `POST /retrain` for the options of a trigger.

    Raises:
        UsageError: the model is named twice, or the name is empty.

    """
    model_id = model_of(options)
    fields = {
        "model_id": model_id,
        "trigger_id": options.id,
        "reason": options.reason,
        "severity": options.severity,
        "parameters": _parameters(config, model_id, options.param) or None,
        "force": options.force or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _parameters(
    config: "Configuration | None", model_id: str | None, pairs: Sequence[tuple[str, str]]
) -> Mapping[str, Parameter]:
    try:
        defaults = {} if config is None else config.find(model_id or config.default_model or "").parameters
    except UnknownModelError:
        defaults = {}  # The API reports the unknown model.
    return {name: _value(text, defaults.get(name)) for name, text in pairs}


def _value(text: str, default: Parameter | None) -> Parameter:
    """Read *text* as a number or a boolean if it is one, unless the configured default is a string."""
    if isinstance(default, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) and isfinite(value) else text


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value
