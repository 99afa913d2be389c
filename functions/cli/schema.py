"""The JSON Schema of `retrain.toml`, which editors use to complete and check it.

It is made from the same constants and types as the parser, and written to `docs/retrain.schema.json`:

    python -m functions.cli.schema

A key that the parser learns is one more line here; `tests/docs/test_schema.py` compares both. `LIMITS` lists all
mistakes that the parser reports and a schema cannot express.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.config.addresses import SCHEMES
from shared.config.file import MAX_CONSECUTIVE, MAX_RETRIES, SIGNALS
from shared.config.follow_ups import MAX_ACTIONS, MAX_CHANNELS, MAX_EVENT_TYPE, NOTIFY_ON
from shared.config.model import MAX_STARTS
from shared.config.quality import METRICS
from shared.config.targets import KINDS_OF_CLOUD, Target
from shared.fields import MAX_MODEL_ID
from shared.notice import EVENTS
from shared.trigger import FIELDS, SEVERITIES

# In the repository only: the installed package has no documents.
FILE: Final = Path(__file__).parents[2] / "docs" / "retrain.schema.json"

# Regular expressions for the parser's messages about mistakes that the schema accepts, with what they are.
LIMITS: Final[Mapping[str, str]] = {
    r"models: only one may have default = true": "only one model is the default",
    r".* is not in github\.repositories": "a repository must be in the list of `[github]`",
    r"models\..*\.schedule: .*": "the five fields of a schedule must have a time",
    r"models\..*\.timezone: .* is not the name of a time zone": "a time zone must exist",
    r"models\..*\.(drift\.current|quality\.labels): may contain \{date\}": "dates in an address must be valid formats",
    r"models\..*\.drift\.url: must be the same for all of site": "models of one site have one address",
    r"models\..*\.severity: must increase from low to high": "the steps of severities must increase",
    r"models\..*\.drift\.severity\.\w+: is never used": "a step must be reachable",
    r"models\..*\.drift\.min_rows: must be at most max_rows": "`min_rows` is at most `max_rows`",
    r"models\..*\.quality\.delay: must be a number of days": "`delay` is a whole number of days",
    r"models\..*: must be (a positive integer|an integer from .*), not \d+\.0": "a whole number has no point",
    r"models\..*\.parameters\..*: must be a string, a number of at most 64 bits": "a number has at most 64 bits",
}

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
_SHARE: Final[Schema] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_DURATION: Final[Schema] = {"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}
# Also over zero.
_LASTING: Final[Schema] = _DURATION | {"not": {"pattern": "^0+[smhd]$"}}
_PLACE: Final[Schema] = _TEXT | {
    "anyOf": [{"pattern": f"^({'|'.join(SCHEMES)}):///*[^/]"}, {"not": {"pattern": "^[a-z][a-z0-9+.-]*://"}}]
}
_WILDCARD: Final = "[*?\\[]"


def schema() -> Schema:
    """Return the JSON Schema (draft 7, which editors for TOML know)."""
    model = {"$ref": "#/definitions/model"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "retrain.toml",
        "description": "When and where models are trained again.",
        "$comment": f"Made by functions/cli/schema.py. It cannot say: {'; '.join(LIMITS.values())}.",
        **_table(
            {
                "models": {
                    "description": "One table per model, or per pattern of model ids such as churn-*.",
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {
                        "minLength": 1,
                        "maxLength": MAX_MODEL_ID,
                        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
                    },
                    "patternProperties": {_WILDCARD: {"allOf": [model, {"$ref": "#/definitions/pattern"}]}},
                    "additionalProperties": model,
                },
                "github": _table(
                    {
                        "repositories": _about(
                            "The only repositories that are ever dispatched to, as OWNER/NAME.",
                            {
                                "type": "array",
                                "items": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$"},
                            },
                        )
                    }
                ),
                "notify": _about("Where notices go.", {"$ref": "#/definitions/notify"}),
                "console": _table(
                    {"url": _about("Where people reach the console; messages link to it.", _console_url())}
                ),
            },
            required=("models",),
        ),
        "definitions": {
            "model": _model(),
            "pattern": {
                "description": "Keys that need the name of a model, not a pattern.",
                "properties": {
                    "default": {"const": False},
                    "schedule": {"const": False},
                    "signals": {"maxItems": 0},
                    "drift": False,
                    "quality": False,
                },
            },
            "notify": _notify(),
        },
    }


def _model() -> Schema:
    keys = {
        "default": _about("Takes the events that name no model.", _FLAG, default=False),
        "schedule": _about(
            'true: every tick of the deployment\'s schedule requests this model; or its own, such as "30 9 * * MON".',
            {"type": ["boolean", "string"], "pattern": "^\\s*\\S+(\\s+\\S+){4}\\s*$"},
            default=False,
        ),
        "timezone": _about("The time zone of the model's own schedule.", _TEXT, "UTC"),
        "max_age": _about("People are notified if no training has succeeded for this long.", _LASTING),
        "signals": _about(
            "Native events that mean: retrain this model.",
            {"type": "array", "items": {"type": "string", "pattern": f"^({'|'.join(SIGNALS)}):[\\s\\S]"}},
        ),
        "cooldown": _about("At least this long between the starts of two trainings.", _DURATION, "0s"),
        "cooldown_after": _about(
            "success: a training that failed starts no cooldown.", {"enum": ["start", "success"]}, "start"
        ),
        "on_cooldown": _about("queue: the newest trigger starts when the cooldown is over.", _either(), "skip"),
        "on_busy": _about("queue: the newest trigger starts when the training has ended.", _either(), "queue"),
        "max_trainings": _about(
            'At most so many starts in so long, such as "3/7d".',
            {
                "type": "string",
                "pattern": f"^0{{0,3}}([1-9][0-9]?|{MAX_STARTS})/[0-9]{{1,6}}[smhd]$",
                "not": {"pattern": "/0+[smhd]$"},
            },
        ),
        "retries": _about(
            "A training that failed is started again, up to so many times.",
            {"type": "integer", "minimum": 0, "maximum": MAX_RETRIES},
            0,
        ),
        "retry_delay": _about("The delay before the first retry; it doubles each time.", _LASTING, "30m"),
        "max_run": _about("After this long a training counts as gone.", _LASTING, "24h"),
        "min_severity": _about("Drift triggers below it are skipped.", {"enum": list(SEVERITIES)}),
        "consecutive": _about(
            "Drift triggers within `window` before a training starts.", _COUNT | {"maximum": MAX_CONSECUTIVE}, 1
        ),
        "window": _about("The time in which consecutive drift triggers count.", _LASTING, "7d"),
        "approval": _about("A person releases each training.", _FLAG, default=False),
        "parameters": _about("The values that a trigger may set, with the defaults.", _parameters()),
        "target": _about("Where the model trains, by cloud.", _targets()),
        "after": _table({"succeeded": _actions(), "failed": _actions()}),
        "drift": _drift(),
        "quality": _quality(),
        "notify": _about(
            "Notices about this model; a key left out is that of [notify].", {"$ref": "#/definitions/notify"}
        ),
    }
    return _table(keys, required=("target",)) | {
        "dependencies": {
            "timezone": {"required": ["schedule"], "properties": {"schedule": {"type": "string"}}},
            "quality": {"required": ["drift"], "properties": {"drift": {"required": ["target", "prediction"]}}},
        }
    }


def _targets() -> Schema:
    return _table({cloud: _target(kinds) for cloud, kinds in KINDS_OF_CLOUD.items()}) | {"minProperties": 1}


def _target(kinds: tuple[type[Target], ...]) -> Schema:
    return {"type": "object", "oneOf": [_kind(kind) for kind in kinds]}


def _kind(kind: type[Target]) -> Schema:
    keys: dict[str, Schema] = {"kind": {"const": kind.kind}}
    required = ["kind"]
    for field in dataclasses.fields(kind):
        keys[field.name] = _TEXTS | {"minItems": 1} if field.type == tuple[str, ...] else _TEXT
        if field.default is dataclasses.MISSING:
            required.append(field.name)
    if "event_type" in keys:
        keys["event_type"] = _TEXT | {"maxLength": MAX_EVENT_TYPE}
    return _table(keys, required=required)


def _parameters() -> Schema:
    plain = {"pattern": f"^([^$]|$)|^\\$\\$|^\\$({'|'.join(FIELDS)})$"}
    return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"], **plain}}


def _actions() -> Schema:
    action = {
        "type": "string",
        "pattern": f"^(notify|github:[A-Za-z0-9_.-]{{1,100}}/[A-Za-z0-9_.-]{{1,100}}#[^\\n]{{1,{MAX_EVENT_TYPE}}})$",
    }
    return {"type": "array", "maxItems": MAX_ACTIONS, "items": action}


def _notify() -> Schema:
    return _table(
        {
            "channels": _about("ARNs of SNS topics, and addresses of Apprise.", _TEXTS | {"maxItems": MAX_CHANNELS}),
            "on": _about(
                "The notices that are sent.", {"type": "array", "items": {"enum": list(EVENTS)}}, list(NOTIFY_ON)
            ),
        }
    )


def _drift() -> Schema:
    keys = {
        "reference": _about("The data that the model was trained on.", _PLACE),
        "current": _about("The data of production; {date} and {yesterday} are filled in.", _PLACE),
        "site": _about("The folder to which the pages are written.", _PLACE),
        "url": _about("The public address of `site`.", _TEXT | {"pattern": "^/+$|^https?://[^\\s/?#]+[^\\s?#]*$"}),
        "columns": _about("The columns to compare; without it all that both have.", _TEXTS),
        "target": _about("The column that the model predicts.", _TEXT),
        "prediction": _about("The column with the predictions.", _TEXT),
        "drift_share": _about("The share of the columns that must drift.", _SHARE),
        "missing_growth": _about("A column drifts if its share of missing values grew by this.", _SHARE),
        "severity": _steps(_SHARE),
        "max_rows": _about("Larger data sets are sampled down to this number.", _COUNT),
        "min_rows": _about("A check needs at least so many rows in each data set.", _COUNT),
        "keep_reports": _about("How long a check stays on the site.", _LASTING),
    }
    return _about("The data that the drift monitor compares.", _table(keys, required=("reference", "current", "site")))


def _quality() -> Schema:
    any_share = {"type": "number", "exclusiveMinimum": 0}
    keys = {
        "metric": {"enum": list(METRICS)},
        "max_drop": _about("Worse than on the reference by more than this share.", any_share),
        "limit": _about("The worst acceptable value of the metric.", {"type": "number"}),
        "positive": _about("The positive class of a classifier.", _TEXT),
        "labels": _about("The data set with the true values.", _PLACE),
        "key": _about("The column that joins labels and predictions.", _TEXT),
        "delay": _about("How long after the data the labels are complete, in days.", _DURATION),
        "severity": _steps(any_share),
    }
    return _about(
        "How the drift monitor judges the predictions.",
        _table(keys, required=("metric",))
        | {
            "oneOf": [{"required": ["max_drop"]}, {"required": ["limit"]}],
            "dependencies": {"labels": ["key"], "key": ["labels"]},
        },
    )


def _steps(share: Schema) -> Schema:
    return _about("The lowest share that has each severity.", _table(dict.fromkeys(SEVERITIES, share)))


def _console_url() -> Schema:
    host = "([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])"
    return _TEXT | {"pattern": f"^(/+|https?://{host}(:[0-9]{{1,5}})?(/[!$-;=@-Z_a-z~]*)?)$"}


def _either() -> Schema:
    return {"enum": ["skip", "queue"]}


def _about(description: str, what: Schema, default: object = None) -> Schema:
    return {"description": description} | what | ({} if default is None else {"default": default})


def _table(keys: Mapping[str, Schema], *, required: tuple[str, ...] | list[str] = ()) -> Schema:
    table: Schema = {"type": "object", "additionalProperties": False, "properties": dict(keys)}
    return table | ({"required": list(required)} if required else {})


def text() -> str:
    """Return the content of the file."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE}\n")
