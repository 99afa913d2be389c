"""Every mistake in a configuration file is reported with its place, all of them in one error."""

from pathlib import Path

import pytest

from shared.config.file import load_configuration
from shared.errors import ConfigError
from tests.core.samples import configured, model_text, problems_of

TEXTS = "must be a list of non-empty strings"

TARGETS = [
    ("", "target: is missing; add a table for each cloud the model trains on (aws, gcp, azure, local)"),
    ("target = {}", "target: needs a table for at least one of aws, gcp, azure, local"),
    ("target.ibm = {}", "target.ibm: is not a key of this table; valid keys: aws, azure, gcp, local"),
    ("target.aws = {}", "target.aws.kind: is missing; one of sagemaker, sqs, github"),
    ('target.aws.kind = "vertex"', "target.aws.kind: must be one of sagemaker, sqs, github, not 'vertex'"),
    ('target.gcp.kind = "sqs"', "target.gcp.kind: must be one of vertex, github, not 'sqs'"),
    ("target.azure.kind = 1", "target.azure.kind: must be one of azureml, github, not 1"),
    ('target.local.kind = "sagemaker"', "target.local.kind: must be one of command, github, not 'sagemaker'"),
    ('target.aws.kind = "sagemaker"', "target.aws.pipeline: is missing"),
    (
        'target.aws = {kind = "sagemaker", pipeline = ""}',
        "target.aws.pipeline: must be a non-empty string, not ''",
    ),
    (
        'target.aws = {kind = "sagemaker", pipeline = "p", region = "x"}',
        "target.aws.region: is not a key of this table; valid keys: kind, pipeline",
    ),
    ('target.aws.kind = "sqs"', "target.aws.queue_url: is missing"),
    ('target.gcp = {kind = "vertex", pipeline = "p", project = "p", location = "l"}', "target.gcp.root: is missing"),
    ('target.azure = {kind = "azureml", workspace = "w"}', "target.azure.component: is missing"),
    (
        'target.azure = {kind = "azureml", workspace = "w", component = "c", compute = 4}',
        "target.azure.compute: must be a non-empty string, not 4",
    ),
    ('target.local.kind = "command"', "target.local.command: is missing"),
    ('target.local = {kind = "command", command = []}', "target.local.command: must not be empty"),
    (
        'target.local = {kind = "command", command = "python train.py"}',
        f"target.local.command: {TEXTS}, not 'python train.py'",
    ),
    (
        'target.aws = {kind = "github", repository = "acme/other", event_type = "retrain"}',
        "target.aws.repository: 'acme/other' is not in github.repositories",
    ),
    ('target.aws = {kind = "github", repository = "acme/churn"}', "target.aws.event_type: is missing"),
]

KEYS = "console, github, models, notify"
FILES = [
    ("", "models: is empty; configure at least one model with a target"),
    ("[models]", "models: is empty; configure at least one model with a target"),
    ("models = 3", "models: must be a table, not 3"),
    ("models.churn = 3", 'models."churn": must be a table, not 3'),
    (
        "[model.churn]\n" + model_text(),
        "model: is not a key of this table (did you mean models?); valid keys: console, github, models, notify",
    ),
    (model_text(""), 'models."": the name must have 1 to 256 characters, not 0'),
    (model_text("m" * 257), f'models."{"m" * 257}": the name must have 1 to 256 characters, not 257'),
    (model_text("a\\tb"), "models.\"a\\tb\": the name must have no control characters, not 'a\\tb'"),
    (model_text("c-*", "default = true"), 'models."c-*".default: needs the name of a model, not a pattern'),
    (model_text("c-?", "schedule = true"), 'models."c-?".schedule: needs the name of a model, not a pattern'),
    (model_text("c-[ab]", 'signals = ["blob:x"]'), 'models."c-[ab]".signals: needs the name of a model, not a pattern'),
    (
        model_text("a", "default = true") + model_text("b", "default = true"),
        "models: only one may have default = true, not a, b",
    ),
    (
        model_text("a", 'drift = {reference = "r", current = "c", site = "s3://d/", url = "https://d.example"}')
        + model_text("b", 'drift = {reference = "r", current = "c", site = "s3://d"}'),
        (
            "models.\"b\".drift.url: must be the same for all of site 's3://d', not"
            " 'https://d.example' for models.\"a\" and '' here"
        ),
    ),
    ("notify = 3\n" + model_text(), "notify: must be a table"),
    (
        "[notify]\nchanels = []\n" + model_text(),
        "notify.chanels: is not a key of this table (did you mean channels?); valid keys: channels, on",
    ),
    ("github.repositories = [1]\n" + model_text(), f"github.repositories: {TEXTS}, not [1]"),
    (
        'github.repositories = ["https://github.com/acme/churn"]\n' + model_text(),
        "github.repositories: 'https://github.com/acme/churn' must be OWNER/NAME",
    ),
    ('github.repositories = ["../x"]\n' + model_text(), "github.repositories: '../x' must be OWNER/NAME"),
    ('"a: b\\n\\u001b" = 3\n' + model_text(), '"a: b\\n\\u001b": is not a key of this table; valid keys: ' + KEYS),
    ("github.token = 3\n" + model_text(), "github.token: is not a key of this table; valid keys: repositories"),
]


@pytest.mark.parametrize(("target", "problem"), TARGETS, ids=[target for target, _ in TARGETS])
def test_a_wrong_target_is_reported_with_its_place(target: str, problem: str) -> None:
    """Everything that is missing or wrong at a target is one problem."""
    text = f'github.repositories = ["acme/churn"]\n[models."churn"]\n{target}\n'
    assert problems_of(text) == (f'models."churn".{problem}',)


@pytest.mark.parametrize(("text", "problem"), FILES, ids=[problem[:50] for _, problem in FILES])
def test_a_wrong_file_is_reported_with_its_place(text: str, problem: str) -> None:
    """A mistake above or between the models is one problem."""
    assert problems_of(text) == (problem,)


def test_ten_mistakes_are_ten_problems() -> None:
    """One error lists every mistake of the file, under the file's name."""
    text = """
        notify.channels = [1]
        [github]
        repositories = ["acme"]
        [models.a]
        default = 1
        cooldown = "soon"
        colour = "red"
        target.aws = { kind = "sagemaker" }
        parameters.x = "$y"
        [models."b-*"]
        schedule = true
        target.local = { kind = "command", command = [""] }
        after.failed = ["shout"]
    """
    with pytest.raises(ConfigError) as caught:
        configured(text)
    places = [problem.partition(": ")[0] for problem in caught.value.problems]
    assert sorted(places) == [
        "github.repositories",
        'models."a".colour',
        'models."a".cooldown',
        'models."a".default',
        'models."a".parameters.x',
        'models."a".target.aws.pipeline',
        'models."b-*".after.failed',
        'models."b-*".schedule',
        'models."b-*".target.local.command',
        "notify.channels",
    ]
    assert str(caught.value) == "\n  ".join(["retrain.toml: 10 problems", *caught.value.problems])


@pytest.mark.parametrize(
    "text",
    [
        'notify = "slack://token"',
        '[[notify]]\nchannels = ["slack://token"]',
        'notify.channels = "slack://token"',
        'notify.channels = ["slack://token", 3]',
        'notify.channel = ["slack://token"]',
        'notify.channels.slack = "slack://token"',
        'channels = ["slack://token"]',
        'notify.on = "slack://token"',
        'notify.on = ["slack://token"]',
        'notify.channels = ["slack://token"',
    ],
)
def test_a_problem_shows_no_secret(text: str) -> None:
    """However wrong the channels are written, no error contains their addresses."""
    with pytest.raises(ConfigError) as caught:
        configured(f"{text}\n{model_text()}")
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[models", "is not valid TOML: Expected ']' at the end of a table declaration"),
        (b"models = " + b"[" * 20_000, "is not valid TOML: "),
        (b"a = 1\na = 2", "is not valid TOML: Cannot overwrite a value"),
        ("[models]".encode("utf-16"), "line 1 is not UTF-8 text; save the file as UTF-8"),
        (b"[models]\n# \xe9t\xe9", "line 2 is not UTF-8 text; save the file as UTF-8"),
        (b"a = 6h", "is not valid TOML: Expected newline or end of document after a statement; a string or a dur"),
        (b"a = yes", 'is not valid TOML: Invalid value; a string or a duration needs quotes, such as "6h" (at '),
        (b'a = "6h\n', r"is not valid TOML: Illegal character '\n'; a quote at the end of the string is missing (at "),
        (b'a = "C:\\data"', r"is not valid TOML: Unescaped '\' in a string; write two backslashes, or put "),
        (b'[models."a b"]\n[models."a b"]', 'is not valid TOML: Cannot declare models."a b" twice (at line 2, '),
    ],
    ids=[
        "broken",
        "nested too deeply",
        "twice",
        "UTF-16",
        "Latin-1",
        "no quotes",
        "a word",
        "one quote",
        "a backslash",
        "a table twice",
    ],
)
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes, problem: str) -> None:
    """A file that cannot be parsed is one problem with the parser's words and, for the usual mistakes, a hint."""
    path = tmp_path / "retrain.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_configuration(path)
    (found,) = caught.value.problems
    assert found.startswith(problem)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are reported with their path, and what to do."""
    correct = "correct --config or RETRAIN_CONFIG"
    for path, why in (
        (tmp_path / "none.toml", f"there is no such file; {correct}"),
        (tmp_path / "retrain.toml", "there is no such file; `retrain init` creates one"),
        (tmp_path, f"is a folder, not a file; {correct}"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_configuration(path)
        assert str(caught.value) == f"{path}: 1 problem\n  {why}"
