"""The content of a configuration file, as values."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.config.file import load_configuration
from shared.config.follow_ups import FollowUps
from shared.config.model import Configuration, Policy
from shared.config.tables import format_duration
from shared.config.targets import (
    AzureMlTarget,
    CommandTarget,
    GitHubTarget,
    SageMakerTarget,
    SqsTarget,
    VertexTarget,
)
from tests.core.samples import configured, model_text

FULL = Path(__file__).with_name("full.toml")


@pytest.fixture(scope="module")
def full() -> Configuration:
    """Return a configuration in which every key is set."""
    return load_configuration(FULL)


def test_a_whole_file(full: Configuration) -> None:
    """A file that sets every key is read to the last value."""
    (churn,) = full.models
    assert (churn.name, churn.default, churn.schedule, churn.is_pattern) == ("churn", False, True, False)
    assert churn.signals == (
        "cloudwatch-alarm:churn-drift",
        "s3-object:training-data/churn/*",
        "vertex-monitoring:1234567890",
        "gcs-object:training-data/churn/*",
        "azureml-monitor:churn-monitor",
        "blob:trainingdata/churn/*",
    )
    assert churn.policy == Policy(
        cooldown=timedelta(hours=6),
        on_cooldown="queue",
        on_busy="queue",
        max_run=timedelta(hours=12),
        min_severity="medium",
        consecutive=2,
        window=timedelta(days=7),
        approval=False,
    )
    assert churn.parameters == {"epochs": 8, "model_id": "$model_id"}
    assert churn.after == FollowUps(
        succeeded=("github:acme/churn#machinelearningservices-runcompleted", "notify"), failed=("notify",)
    )
    assert full.channels == ("arn:aws:sns:eu-west-3:123456789012:retraining", "slack://...")
    assert full.notify_on == ("failed", "rejected", "awaiting_approval", "stale")
    assert full.repositories == ("acme/churn",)
    assert full.folder == FULL.parent


def test_the_targets_of_a_whole_file(full: Configuration) -> None:
    """Each cloud's table becomes the target of its kind."""
    (churn,) = full.models
    assert churn.targets == {
        "aws": SageMakerTarget(pipeline="churn-training"),
        "gcp": VertexTarget(
            pipeline="pipelines/churn.json",
            project="acme",
            location="europe-west4",
            root="gs://acme-pipelines",
            service_account="trainer@acme.iam.gserviceaccount.com",
        ),
        "azure": AzureMlTarget(
            workspace="/subscriptions/.../workspaces/acme",
            component="/subscriptions/.../components/train/versions/1",
            compute="cpu-cluster",
            experiment="churn",
        ),
        "local": CommandTarget(command=("python", "examples/demand/train.py")),
    }
    assert {cloud: target.kind for cloud, target in churn.targets.items()} == {
        "aws": "sagemaker",
        "gcp": "vertex",
        "azure": "azureml",
        "local": "command",
    }


def test_the_other_targets() -> None:
    """A queue on AWS, a workflow on every cloud, and a Vertex target without a service account."""
    text = """
        github.repositories = ["acme/churn"]
        [models.queue.target]
        aws = { kind = "sqs", queue_url = "https://sqs.eu-west-3.amazonaws.com/123456789012/train" }
        gcp = { kind = "vertex", pipeline = "p.json", project = "acme", location = "eu", root = "gs://acme" }
        [models.workflow.target]
        aws = { kind = "github", repository = "acme/churn", event_type = "retrain" }
        gcp = { kind = "github", repository = "acme/churn", event_type = "retrain" }
        azure = { kind = "github", repository = "acme/churn", event_type = "retrain" }
        local = { kind = "github", repository = "acme/churn", event_type = "retrain" }
    """
    queue, workflow = configured(text).models
    assert queue.targets["aws"] == SqsTarget(queue_url="https://sqs.eu-west-3.amazonaws.com/123456789012/train")
    assert queue.targets["gcp"] == VertexTarget(pipeline="p.json", project="acme", location="eu", root="gs://acme")
    dispatch = GitHubTarget(repository="acme/churn", event_type="retrain")
    assert workflow.targets == dict.fromkeys(("aws", "gcp", "azure", "local"), dispatch)


def test_three_lines_are_a_configuration() -> None:
    """Only a target is required; everything else has its default."""
    config = configured('[models.churn.target.aws]\nkind = "sagemaker"\npipeline = "churn-training"\n')
    (churn,) = config.models
    assert (churn.default, churn.schedule, churn.signals) == (False, False, ())
    assert churn.policy == Policy(
        cooldown=timedelta(0),
        on_busy="queue",
        max_run=timedelta(hours=24),
        min_severity=None,
        consecutive=1,
        window=timedelta(days=7),
        approval=False,
    )
    assert (churn.parameters, churn.after) == ({}, FollowUps())
    assert (config.channels, config.repositories, config.folder) == ((), (), Path("/bundle"))
    assert (config.default_model, config.scheduled("aws"), config.named("aws")) == (None, [], ["churn"])


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", timedelta(0)),
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("6h", timedelta(hours=6)),
        ("7d", timedelta(days=7)),
        ("90m", timedelta(minutes=90)),
        ("365d", timedelta(days=365)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    """A number and a unit are a duration, which is written again in the same way."""
    (model,) = configured(model_text(settings=f'cooldown = "{text}"')).models
    assert model.policy.cooldown == duration
    assert format_duration(duration) == text


def test_parameters_of_every_kind() -> None:
    """Texts, numbers and booleans are defaults; `$field` is a field of the trigger and `$$` a plain dollar."""
    written = 'a = "x"\nb = -9223372036854775808\nc = 0.5\nd = false\ne = "$severity"\nf = "$$5"\ng = ""\nh = "5$"'
    (model,) = configured(model_text(tables=f'[models."churn".parameters]\n{written}')).models
    assert model.parameters == {
        "a": "x",
        "b": -(2**63),
        "c": 0.5,
        "d": False,
        "e": "$severity",
        "f": "$$5",
        "g": "",
        "h": "5$",
    }


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_files_from_any_editor_are_read(tmp_path: Path, start: bytes, newline: str) -> None:
    """Neither a byte order mark nor the line ends of Windows matter; the folder of the file is known."""
    path = tmp_path / "retrain.toml"
    path.write_bytes(start + model_text("prix-é").replace("\n", newline).encode())
    config = load_configuration(path)
    assert config.named("local") == ["prix-é"]
    assert config.folder == tmp_path.resolve()


def test_the_channels_are_not_shown() -> None:
    """The addresses of channels hold secrets, so no text made of a configuration contains them."""
    config = configured('[notify]\nchannels = ["slack://token-a/token-b"]\n' + model_text())
    assert config.channels == ("slack://token-a/token-b",)
    assert "token" not in f"{config!r} {config}"
