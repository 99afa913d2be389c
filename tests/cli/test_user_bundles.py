"""The bundle of a user's folder under each cloud's real runtime: one trigger becomes one training."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from emulators.arm import ArmStandIn, Component
from emulators.arm.identity import Identity
from emulators.aws_client import client
from emulators.event_grid import EventGridStandIn
from emulators.event_grid.subscription import Subscription
from emulators.framework import FrameworkFunction
from emulators.functions_host import FunctionsHost
from emulators.google_emulators import firestore_emulator, pubsub_emulator
from emulators.lambda_runtime import LambdaFunction
from emulators.moto_server import CREDENTIALS, moto_server
from emulators.sagemaker import Pipeline, SageMakerStandIn
from emulators.storage import azurite
from emulators.vertex import SPECIFICATION, VertexStandIn
from functions.cli.build.runtime import Runtime
from tests.cli.running import run
from tests.contracts.google_project import emulators_needed
from tests.contracts.google_requests import a_push, delivered

# Each builds a bundle and runs it.
pytestmark = pytest.mark.deep

DETAIL = {"schema": 1, "model_id": "braking", "trigger_id": "t-1"}
PARAMETERS = ("epochs", "learning_rate")


def built(folder: Path, cloud: str, changes: Mapping[str, str]) -> Path:
    """Return the bundle of a new folder for *cloud*, built for this interpreter; *changes* replaces texts."""
    run("init", "--cloud", cloud, str(folder))
    path = folder / "retrain.toml"
    text = path.read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    options = ["--python", Runtime.here().python, "--platform", "", "--config", str(path)]
    assert run("check", "--cloud", cloud, "--config", str(path)).code == 0
    assert run("build", cloud, *options).code == 0
    return folder / "dist" / cloud


def test_on_aws(tmp_path: Path) -> None:
    """The Lambda runtime loads the bundle, and an event from the bus starts one execution."""
    bundle = built(tmp_path, "aws", {})
    pipelines = {"braking-training": Pipeline(parameters=PARAMETERS)}
    with moto_server() as moto, SageMakerStandIn(pipelines=pipelines) as sagemaker:
        key = {"AttributeName": "model_id"}
        client("dynamodb", moto).create_table(
            TableName="states",
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        places = {"AWS_ENDPOINT_URL": moto, "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url, "RETRAIN_LEDGER": "states"}
        function = LambdaFunction(
            bundle=bundle,
            handler="functions.aws.handler.receive",
            python=sys.executable,
            environment={**CREDENTIALS, **places},
        )
        event = {"id": "e-1", "source": "ml3_platform", "detail-type": "retrain_trigger", "detail": DETAIL}
        with function as receive:
            for _ in range(2):
                receive.invoke(event)
        (execution,) = sagemaker.executions()
    assert "braking-training" in execution.arn


@pytest.mark.xdist_group("cli-gcp")
def test_on_google(tmp_path: Path) -> None:
    """functions-framework loads the bundle, and a push starts one job."""
    emulators_needed()
    (tmp_path / "pipelines").mkdir()
    shutil.copyfile(SPECIFICATION, tmp_path / "pipelines" / "braking.json")
    address = "https://europe-west4-kfp.pkg.dev/my-project/pipelines/braking/latest"
    bundle = built(tmp_path, "gcp", {address: "pipelines/braking.json", "learning_rate = 0.5": 'note = "x"'})
    with pubsub_emulator() as pubsub, firestore_emulator() as firestore, VertexStandIn() as vertex:
        environment = {
            "PUBSUB_EMULATOR_HOST": pubsub,
            "FIRESTORE_EMULATOR_HOST": firestore,
            "RETRAIN_VERTEX_ENDPOINT": vertex.url,
            "RETRAIN_BUS": "projects/my-project/topics/triggers",
            "RETRAIN_LEDGER": "projects/my-project/databases/(default)/documents/retraining",
        }
        body = json.dumps({"source": "ml3_platform", "event_type": "retrain_trigger", "payload": DETAIL}).encode()
        with FrameworkFunction(bundle=bundle, target="receive", environment=environment) as receive:
            for _ in range(2):
                assert delivered(receive, a_push(body)).acknowledged
        assert len(vertex.jobs()) == 1


def test_on_azure(tmp_path: Path) -> None:
    """The Functions host loads the bundle, and an event of Event Grid starts one job."""
    bundle = built(tmp_path, "azure", {})
    workspace = (
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers/"
        "Microsoft.MachineLearningServices/workspaces/my-workspace"
    )
    components = {f"{workspace}/components/braking/versions/1": Component(inputs=PARAMETERS)}
    with (
        azurite() as storage,
        Identity() as identity,
        EventGridStandIn() as topic,
        ArmStandIn(components=components, identity=identity, workspace=workspace) as arm,
    ):
        with TableServiceClient.from_connection_string(storage.connection_string) as tables:
            tables.create_table("retrain")
        environment = {
            **identity.variables,
            "RETRAIN_BUS": topic.endpoint,
            "RETRAIN_EVENT_GRID_KEY": str(topic.key),
            "RETRAIN_LEDGER": f"{storage.table}/retrain",
            "RETRAIN_ARM_ENDPOINT": arm.url,
            "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
        }
        event: dict[str, Any] = {
            "id": "e-1",
            "subject": "ml3_platform",
            "eventType": "retrain_trigger",
            "dataVersion": "1.0",
            "eventTime": "2026-11-21T12:00:00Z",
            "topic": "/subscriptions/x/topics/retrain",
            "data": DETAIL,
        }
        with FunctionsHost(bundle, environment) as host:
            trigger = Subscription(url=host.event_grid_url("retrain_receive"))
            trigger.validate()
            for _ in range(2):
                answer = trigger.deliver(event)
                assert answer.status in (200, 202), answer.body
        assert len(arm.jobs()) == 1
