"""`docs/retrain.schema.json` equals the parser: the same keys, and the same verdict on any configuration."""

import copy
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cli.schema import FILE, LIMITS, schema, text
from shared.config.file import parse_configuration
from shared.errors import ConfigError
from shared.notice import EVENTS
from tests.cli.running import run
from tests.docs.pages import ROOT, all_blocks
from tests.docs.toml import write_toml

VALIDATOR: Final = jsonschema_rs.validator_for(schema())
DRIFTING: Final = '[models.m.drift]\nreference = "r"\ncurrent = "c"\nsite = "s"\n'
FULL: Final = ROOT / "tests" / "core" / "full.toml"
TARGET: Final = '[models.m.target.local]\nkind = "command"\ncommand = ["x"]\n'


def test_the_file_is_current() -> None:
    """It is what `python -m functions.cli.schema` writes."""
    assert FILE.read_text(encoding="utf-8") == text(), "write it anew: .venv/bin/python -m functions.cli.schema"
    jsonschema_rs.meta.validate(schema())


TABLES: Final = {
    "": "",
    "github": "",
    "notify": "",
    "console": "",
    "models.m": "",
    "models.m.after": "",
    "models.m.notify": "",
    "models.m.drift": 'reference = "r"\ncurrent = "c"\nsite = "s"\n',
    "models.m.drift.severity": "",
    "models.m.quality": 'metric = "mae"\nlimit = 1.0\n',
    "models.m.target": "",
    "models.m.target.local": 'kind = "command"\ncommand = ["x"]\n',
    "models.m.target.azure": 'kind = "azureml"\nworkspace = "w"\ncomponent = "c"\n',
    "models.m.target.gcp": 'kind = "vertex"\npipeline = "p"\nproject = "p"\nlocation = "l"\nroot = "gs://r"\n',
    "models.m.target.aws": 'kind = "sqs"\nqueue_url = "q"\n',
}


@pytest.mark.parametrize("place", TABLES)
def test_each_table_has_the_keys_of_the_parser(place: str) -> None:
    """The keys that the parser names in its error about an unknown one are those of the schema."""
    header = f"[{place}]\n" if place else ""
    problems = parsed(f"{header}{TABLES[place]}no-key = 1\n{'' if 'target' in place else TARGET}")
    (named,) = [problem for problem in problems if "no-key: is not a key of this table; valid keys: " in problem]
    assert sorted(named.partition("valid keys: ")[2].split(", ")) == sorted(_properties(place))


def _properties(place: str) -> dict[str, Any]:
    document = schema()
    if not place.startswith("models.m"):
        found = document["properties"][place] if place else document
    else:
        found = document["definitions"]["model"]
        for step in place.split(".")[2:]:
            found = found["properties"][step]
    if "$ref" in found:
        found = document["definitions"][found["$ref"].rpartition("/")[2]]
    kind = tomllib.loads(TABLES[place]).get("kind") if place else None
    found = next((one for one in found.get("oneOf", []) if kind and one["properties"]["kind"]["const"] == kind), found)
    properties: dict[str, Any] = found["properties"]
    return properties


def test_every_sample_of_the_documents_is_valid(tmp_path: Path) -> None:
    """A sample that a reader copies shows no mistake in an editor."""
    run("init", "--cloud", "aws", str(tmp_path))
    samples = [block.text for block in all_blocks("toml") if "[models" in block.text]
    samples += [path.read_text(encoding="utf-8") for path in (tmp_path / "retrain.toml", FULL)]
    assert len(samples) > 5
    assert [errors for sample in samples if (errors := schema_errors(tomllib.loads(sample)))] == []


BEYOND: Final = {
    "models: only one": "models.a = {default = true, target = {local = {kind = 'command', command = ['x']}}}\n"
    "models.b = {default = true, target = {local = {kind = 'command', command = ['x']}}}\n",
    ".* is not in github": '[models.m.target.aws]\nkind = "github"\nrepository = "a/b"\nevent_type = "e"\n',
    "schedule": f'[models.m]\nschedule = "0 0 31 2 *"\n{TARGET}',
    "timezone": f'[models.m]\nschedule = "0 0 * * *"\ntimezone = "Mars/Base"\n{TARGET}',
    "current": f'[models.m.drift]\nreference = "r"\ncurrent = "{{x}}"\nsite = "s"\n{TARGET}',
    "same for all of site": "".join(
        f"models.{name} = {{drift = {{reference = 'r', current = 'c', site = 's', url = 'https://{name}'}},"
        " target = {local = {kind = 'command', command = ['x']}}}\n"
        for name in "ab"
    ),
    "increase": f"{DRIFTING}severity = {{low = 0.9, high = 0.8}}\n{TARGET}",
    "never used": f"{DRIFTING}severity = {{low = 0.1, high = 0.4}}\n{TARGET}",
    "min_rows": f"{DRIFTING}min_rows = 9\nmax_rows = 8\n{TARGET}",
    "delay": '[models.m.drift]\nreference = "r"\ncurrent = "c"\nsite = "s"\ntarget = "t"\nprediction = "p"\n'
    f'[models.m.quality]\nmetric = "mae"\nlimit = 1\ndelay = "1h"\n{TARGET}',
    "an integer": f"[models.m]\nretries = 2.0\n{TARGET}",
    "64 bits": f"[models.m.parameters]\nn = {2**70}\n{TARGET}",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_of_the_schema_is_one(limit: str) -> None:
    """The schema accepts a mistake of each kind, and the parser reports it and nothing else."""
    (sample,) = [sample for part, sample in BEYOND.items() if part.replace(".* ", "") in limit.replace("\\", "")]
    assert schema_errors(tomllib.loads(sample)) == []
    problems = parsed(sample)
    assert problems
    assert all(re.match(limit, problem) for problem in problems)


def schema_errors(content: Any) -> list[str]:
    """Return what the schema finds wrong."""
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in VALIDATOR.iter_errors(content)]


def parsed(sample: str) -> tuple[str, ...]:
    """Return what the parser finds wrong."""
    try:
        parse_configuration(sample, source="retrain.toml", folder=Path("/bundle"))
    except ConfigError as error:
        return error.problems
    return ()


DURATIONS: Final = st.sampled_from(["1s", "30m", "6h", "2d", "007d"])
PLACES: Final = st.sampled_from(["data/x.csv", "s3://b/x", "gs://b", "abfs://c/{date:%Y}", "/x"])
WORDS: Final = st.sampled_from(["a", "é x", "x" * 50])
ACTIONS: Final = st.lists(st.sampled_from(["notify", "github:acme/churn#done"]), max_size=3)


def _some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


NOTIFY: Final = _some(channels=st.lists(WORDS, max_size=2), on=st.lists(st.sampled_from(EVENTS)))
TARGETS: Final = _some(
    aws=st.sampled_from([{"kind": "sagemaker", "pipeline": "p"}, {"kind": "sqs", "queue_url": "q"}]),
    gcp=st.just({"kind": "vertex", "pipeline": "p", "project": "p", "location": "l", "root": "gs://r"}),
    azure=st.just({"kind": "azureml", "workspace": "w", "component": "c", "compute": "x"}),
    local=st.sampled_from(
        [{"kind": "command", "command": ["x", "y"]}, {"kind": "github", "repository": "acme/churn", "event_type": "e"}]
    ),
).filter(bool)
DRIFT: Final = st.fixed_dictionaries(
    {"reference": PLACES, "current": PLACES, "site": PLACES, "target": WORDS, "prediction": WORDS},
    optional={
        "url": st.sampled_from(["https://a.example/x", "http://b/"]),
        "columns": st.lists(WORDS, max_size=2),
        "drift_share": st.sampled_from([0.3, 1, 0.9]),
        "missing_growth": st.just(0.5),
        "severity": st.sampled_from([{"low": 0.6, "high": 0.9}, {"medium": 1}, {}]),
        "max_rows": st.just(1000),
        "min_rows": st.just(10),
        "keep_reports": DURATIONS,
    },
)
QUALITY: Final = st.fixed_dictionaries(
    {"metric": st.sampled_from(["mae", "f1"])},
    optional={"positive": WORDS, "delay": st.sampled_from(["2d", "0s", "24h"]), "severity": st.just({"low": 5.5})},
).flatmap(lambda quality: st.sampled_from([quality | {"max_drop": 0.2}, quality | {"limit": -3}]))
MODEL: Final = st.fixed_dictionaries(
    {"target": TARGETS},
    optional={
        "schedule": st.sampled_from([True, False, "30 9 * * MON", "*/5 0-3 1,15 JAN-MAR *"]),
        "max_age": DURATIONS,
        "signals": st.lists(st.sampled_from(["s3-object:b/*", "blob:c/x"]), max_size=2),
        "cooldown": st.sampled_from(["0s", "6h"]),
        "cooldown_after": st.sampled_from(["start", "success"]),
        "on_cooldown": st.sampled_from(["skip", "queue"]),
        "on_busy": st.sampled_from(["skip", "queue"]),
        "max_trainings": st.sampled_from(["3/7d", "100/1s", "001/5m"]),
        "retries": st.integers(0, 10),
        "retry_delay": DURATIONS,
        "max_run": DURATIONS,
        "min_severity": st.sampled_from(["low", "high"]),
        "consecutive": st.integers(1, 100),
        "window": DURATIONS,
        "approval": st.booleans(),
        "parameters": st.dictionaries(WORDS, st.sampled_from([8, 0.5, True, "x", "$reason", "$$x", "", -(2**63)])),
        "after": _some(succeeded=ACTIONS, failed=ACTIONS),
        "drift": DRIFT,
        "notify": NOTIFY,
    },
)
CONFIGURATION: Final = st.fixed_dictionaries(
    {"models": st.dictionaries(st.sampled_from(["churn", "price", "é x"]), MODEL, min_size=1)},
    optional={"notify": NOTIFY, "console": _some(url=st.sampled_from(["https://a.example", "http://[::1]:80/x"]))},
).map(lambda content: content | {"github": {"repositories": ["acme/churn"]}})

# Values for mistakes.
JUNK: Final[list[Any]] = [
    *(
        True,
        False,
        0,
        1,
        -1,
        11,
        101,
        2.0,
        0.5,
        1e300,
        2**70,
        float("inf"),
        "",
        "x",
        "success",
        "queue",
        "high",
        "6h",
        "0s",
    ),
    *(
        "1w",
        "6h\n",
        "1234567s",
        "3/7d",
        "0/7d",
        "101/1d",
        "3/0d",
        "$reason",
        "$x",
        "$",
        "30 9 * * MON",
        "* * *",
        "a b c d e",
    ),
    *("Europe/Rome", "s3://", "s3://b", "ftp://x", "https://a/b?c", "https://a", "notify", "github:acme/churn#e"),
    *("github:a#b", "github:acme/other#e", "cloudwatch-alarm:x", "blob:", "{x}", "mae", "acme/churn", "e" * 101),
    *(
        [],
        [""],
        ["x"],
        ["notify"] * 11,
        ["failed"],
        ["blob:x"],
        {},
        {"x": 1},
        {"kind": "command"},
        {"low": 0.9, "high": 0.1},
    ),
]
NAMES: Final = [
    "churn-*",
    "",
    "x" * 257,
    "a\x00",
    "drift",
    "quality",
    "timezone",
    "kind",
    "labels",
    "key",
    "default",
    "x",
]


def _tables(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        for inner in content.values():
            yield from _tables(inner)


def _replace(table: dict[str, Any], key: str, _name: str, junk: Any) -> None:
    table[key] = junk


def _remove(table: dict[str, Any], key: str, _name: str, _junk: Any) -> None:
    del table[key]


def _rename(table: dict[str, Any], key: str, name: str, _junk: Any) -> None:
    table[name] = table.pop(key)


def _add(table: dict[str, Any], _key: str, name: str, junk: Any) -> None:
    table[name] = junk


Mistake = Callable[[dict[str, Any], str, str, Any], None]
MISTAKES: Final[list[Mistake]] = [_replace, _remove, _rename, _add]


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Return a configuration with at most three mistakes."""
    content = copy.deepcopy(draw(CONFIGURATION))
    for model in content["models"].values():
        if "drift" in model and draw(st.booleans()):
            model["quality"] = draw(QUALITY)
        if isinstance(model.get("schedule"), str) and draw(st.booleans()):
            model["timezone"] = "UTC"
    for _ in range(draw(st.integers(0, 3))):
        tables = [table for table in _tables(content) if table]
        if tables:
            table = draw(st.sampled_from(tables))
            mistake, junk = draw(st.sampled_from(MISTAKES)), copy.deepcopy(draw(st.sampled_from(JUNK)))
            mistake(table, draw(st.sampled_from(sorted(table))), draw(st.sampled_from(NAMES)), junk)
    return content


@given(content=configurations())
def test_schema_and_parser_agree(content: dict[str, Any]) -> None:
    """The parser refuses all that the schema refuses; all that only the parser refuses is among the limits."""
    sample = write_toml(content)
    assert tomllib.loads(sample) == content
    errors, problems = schema_errors(content), parsed(sample)
    if errors:
        assert problems, (errors, sample)
    else:
        unlisted = [problem for problem in problems if not any(re.match(limit, problem) for limit in LIMITS)]
        assert unlisted == [], sample


@given(content=CONFIGURATION)
def test_most_configurations_without_mistakes_are_valid(content: dict[str, Any]) -> None:
    """The generated ones are not all refused for some reason."""
    assert schema_errors(content) == []
