"""Every recorded event of every service through its codec and the receiver, each with the verdict that it must have."""

from typing import Final

import pytest

from shared.receive import receive
from tests.core.deployment import Deployment
from tests.core.native import (
    ALARM,
    ALARM_ACTION,
    ALARM_MESSAGE,
    ANOMALY,
    BLOB,
    DATASET_DRIFT,
    EVENTS,
    GCS_DATA,
    GCS_OBJECT,
    RUN_STATUS,
    S3_OBJECT,
    delivered,
    sample,
)
from tests.core.samples import model_text

SIGNALS: Final = (
    "cloudwatch-alarm:sagemaker-*-threshold",
    "cloudwatch-alarm:Test alert",
    "cloudwatch-alarm:EXAMPLE",
    "s3-object:example-bucket/*.jpg",
    "vertex-monitoring:6680511704087920640",
    "gcs-object:some-bucket/folder/*",
    "azureml-monitor:*",
    "blob:test-container/*",
)
# The identifiers of ML cube's documentation are models here.
CONFIG: Final = model_text("churn", f"default = true\nsignals = {list(SIGNALS)}") + model_text("id*")
WITHOUT_SIGNALS: Final = model_text("churn", "default = true") + model_text("id*")

SIGNAL: Final = {ALARM, ALARM_ACTION, ALARM_MESSAGE, S3_OBJECT, GCS_DATA, GCS_OBJECT, ANOMALY, BLOB, DATASET_DRIFT}
TRIGGER: Final = {
    "ml3cube/derived-eventgrid-wire.json",
    "ml3cube/seed-eventbridge-sample.json",
    "ml3cube/seed-eventgrid-literal.json",
    "ml3cube/seed-pubsub.json",
}
OTHER: Final = {
    "aws/awsdocs-sagemaker-pipeline-execution-status-change.json": "ended",
    "aws/lambdago-apigw-v2-request-iam.json": "ignore",
    "aws/powertools-albEvent.json": "ignore",
    "aws/powertools-apiGatewayProxyEvent.json": "ignore",
    "aws/powertools-apiGatewayProxyV2Event.json": "ignore",
    "aws/powertools-cloudformationCustomResourceCreate.json": "ignore",
    "aws/powertools-codePipelineEvent.json": "ignore",
    "aws/powertools-eventBridgeEvent.json": "ignore",
    "aws/powertools-kinesisStreamEvent.json": "ignore",
    "aws/powertools-lambdaFunctionUrlEvent.json": "ignore",
    "aws/powertools-s3Event.json": "ignore",
    "aws/powertools-snsEvent.json": "ignore",
    "aws/powertools-snsSqsEvent.json": "ignore",
    # A message of this queue is plain text, where an event must be.
    "aws/powertools-sqsEvent.json": "ignore, reject",
    "aws/samcli-ScheduledEvent.json": "ignore",
    "azure/docs-SubscriptionValidation.expected-response.json": "ignore",
    "azure/docs-SubscriptionValidation.json": "ignore",
    "azure/docs-cloudevents-ModelDeployed.json": "ignore",
    "azure/docs-cloudevents-RunCompleted.json": "ignore",
    "azure/docs-eventgridschema-BlobDeleted.json": "ignore",
    "azure/docs-eventgridschema-BlobTierChanged-single-object.json": "ignore",
    "azure/docs-eventgridschema-ModelRegistered.json": "ignore",
    RUN_STATUS: "ignore",
    "azure/pysdk-cloud_custom_dict.json": "ignore",
    "gcp/cloudevents-BuildEventData-simple.json": "ignore",
    "gcp/cloudevents-DocumentEventData-simple.json": "ignore",
    "gcp/cloudevents-LogEntryData-pubsubCreateTopic.json": "ignore",
    # Plain text that is not ours is another sender's.
    "gcp/cloudevents-MessagePublishedData-text.json": "ignore",
    "gcp/cloudevents-SchedulerJobData-simple.json": "ignore",
    "gcp/conformance-legacy_pubsub-legacy-input.json": "ignore",
    "gcp/conformance-pubsub_text-cloudevent-input.json": "ignore",
    "gcp/conformance-pubsub_text-legacy-input.json": "ignore",
    # The documented rule, sent as if it were an event: it has both prefixes, and none of the forms.
    "ml3cube/seed-eventbridge-pattern.json": "reject",
}


def verdicts(config: str, name: str) -> tuple[str, int]:
    """Return the decisions on all that the sample *name* makes, and how many trainings there are."""
    deployment = Deployment(config)
    decisions = {receive(deployment.receiver, event, codec).decision for event, codec in delivered(name)}
    return ", ".join(sorted(decisions)), len(deployment.service.runs)


def test_every_sample_has_its_verdict() -> None:
    """No recorded event is left out here."""
    recorded = {path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.json")}
    assert recorded == SIGNAL | TRIGGER | set(OTHER)


@pytest.mark.parametrize("name", sorted(SIGNAL | TRIGGER))
def test_a_trigger_or_a_configured_signal_trains(name: str) -> None:
    """An event that requests a training starts one."""
    assert verdicts(CONFIG, name) == ("launch", 1)


@pytest.mark.parametrize("name", sorted(SIGNAL))
def test_a_signal_that_no_model_names_is_ignored(name: str) -> None:
    """Without a model whose `signals` name it a signal is ignored, even by the default model."""
    assert verdicts(WITHOUT_SIGNALS, name) == ("ignore", 0)


@pytest.mark.parametrize(("name", "decision"), sorted(OTHER.items()))
def test_nothing_else_trains(name: str, decision: str) -> None:
    """Whatever else arrives has its verdict, and no training, however wide the patterns of `signals` are."""
    assert verdicts(CONFIG, name) == (decision, 0)


@pytest.mark.parametrize("folder", sorted(path.name for path in EVENTS.iterdir()))
def test_every_sample_shows_its_origin(folder: str) -> None:
    """Origin and licence of each recorded event stand beside it."""
    origin = (EVENTS / folder / "ORIGIN.md").read_text(encoding="utf-8")
    for path in (EVENTS / folder).glob("*.json"):
        assert f"| {path.name} |" in origin
        assert sample(f"{folder}/{path.name}")
