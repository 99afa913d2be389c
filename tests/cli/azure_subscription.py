"""An Azure subscription on loopback: Azurite, a topic and an Azure Resource Manager."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from emulators.arm.standin import WORKSPACE
from emulators.event_grid import EventGridStandIn
from emulators.loopback import Answer, Request
from emulators.standin import Served
from emulators.storage import ACCOUNT, Storage
from tests.contracts.gate import passed_on

SUBSCRIPTION: Final = WORKSPACE.split("/")[2]
COMPONENT: Final = f"{WORKSPACE}/components/train/versions/1"
COMPUTE: Final = f"{WORKSPACE}/computes/cpu-cluster"
TOPIC: Final = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/retraining/providers/Microsoft.EventGrid/topics/retraining"
)
TOPICS: Final = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/topics"
SUBSCRIPTIONS: Final = f"{TOPIC}/eventSubscriptions"
_numbers = count(1)

Json = dict[str, Any]

CONFIGURATION: Final = f"""
[models."churn"]
[models."churn".parameters]
epochs = 8
rate = 0.5
full = true
model_id = "$model_id"
[models."churn".target.azure]
kind = "azureml"
workspace = "{WORKSPACE}"
component = "{COMPONENT}"
compute = "cpu-cluster"
"""
INPUTS: Final[Json] = {
    "epochs": {"type": "integer", "default": "8"},
    "rate": {"type": "number", "optional": True},
    "full": {"type": "boolean", "default": False},
    "model_id": {"type": "string", "optional": False},
}
RECEIVE: Final[Json] = {
    "destination": {"endpointType": "AzureFunction"},
    "filter": {
        "subjectBeginsWith": "",
        "advancedFilters": [
            {"operatorType": "StringBeginsWith", "key": "eventType", "values": ["retrain_trigger"]},
            {"operatorType": "NumberGreaterThan", "key": "data.schema", "value": 0},
        ],
    },
    "deadLetterWithResourceIdentity": {"deadLetterDestination": {"endpointType": "StorageBlob"}},
}


class AzureGate(Served):
    """Forwards calls by their paths, and is Azure Resource Manager itself.

    Attributes:
        resources: the resources of Azure Resource Manager, by path.
        answers: the status and the error code of calls that fail, by method and a part of their path.

    """

    def __init__(self, storage: Storage, topic: str) -> None:
        """Bind a free port; the context starts the server."""
        self._storage = storage
        self._topic = topic
        self.resources: dict[str, Json] = {}
        self.answers: dict[tuple[str, str], tuple[int, str]] = {}
        super().__init__()

    def _respond(self, request: Request) -> Answer | None:
        address = urlsplit(request.path)
        for (method, part), refusal in self.answers.items():
            if request.method == method and part in address.path:
                return _refused(*refusal)
        if address.path.startswith("/subscriptions/"):
            return self._managed(address.path, parse_qs(address.query))
        if address.path.startswith("/api/events"):
            return passed_on(self._topic, request)
        # Azurite serves containers and tables of one account on two ports.
        is_table = "(" in address.path or address.path.rpartition("/")[2].startswith("table")
        return passed_on(self._storage.table if is_table else self._storage.blob, request)

    def _managed(self, path: str, query: Mapping[str, list[str]]) -> Answer:
        if "api-version" not in query:
            return _refused(400, "MissingApiVersionParameter")
        if path not in self.resources:
            return _refused(404, "ResourceNotFound")
        return _answer(200, self.resources[path])


def _answer(status: int, body: Json) -> Answer:
    return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def _refused(status: int, code: str) -> Answer:
    answer = _answer(status, {"error": {"code": code, "message": "ordered by a test"}})
    return Answer(status=status, body=answer.body, headers={**answer.headers, "x-ms-error-code": code})


@dataclass(kw_only=True, eq=False)
class Deployment:
    """A complete deployment.

    Attributes:
        gate: the gate between `doctor` and the services.
        storage: the storage account.
        topic: the topic itself.
        folder: the folder of the configuration.
        number: a part of the names in the storage account.

    """

    gate: AzureGate
    storage: Storage
    topic: EventGridStandIn
    folder: Path
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        """Create all resources."""
        text = self.storage.connection_string
        self.table = TableClient.from_connection_string(text, f"table{self.number}")
        self.container = ContainerClient.from_connection_string(text, f"rejected-{self.number}")
        self.table.create_table()
        self.container.create_container()
        self.gate.answers.clear()
        self.gate.resources = {
            WORKSPACE: {"id": WORKSPACE},
            COMPUTE: {"id": COMPUTE},
            TOPICS: {"value": [], "nextLink": f"{self.gate.url}{TOPICS}/page2?api-version=2025-02-15"},
            f"{TOPICS}/page2": {"value": [{"id": TOPIC, "properties": {"endpoint": self.endpoint}}]},
        }
        self.component(INPUTS)
        self.subscribe(RECEIVE)
        self.configure(CONFIGURATION)

    @property
    def endpoint(self) -> str:
        """The topic's endpoint."""
        return f"{self.gate.url}/api/events"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of this deployment."""
        return {
            "RETRAIN_CONFIG": str(self.folder / "retrain.toml"),
            "RETRAIN_BUS": self.endpoint,
            "RETRAIN_LEDGER": f"{self.gate.url}/{ACCOUNT}/{self.table.table_name}",
            "RETRAIN_DEAD_LETTERS": f"{self.gate.url}/{ACCOUNT}/{self.container.container_name}",
            "RETRAIN_ARM_ENDPOINT": self.gate.url,
            "RETRAIN_EVENT_GRID_KEY": str(self.topic.key),
            "AZURE_STORAGE_CONNECTION_STRING": self.storage.connection_string,
        }

    def close(self) -> None:
        """Close the clients."""
        self.table.close()
        self.container.close()

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.folder / "retrain.toml").write_text(text, encoding="utf-8")

    def component(self, inputs: Mapping[str, Any], kind: str = "pipeline") -> None:
        """Set the inputs and the type of the component."""
        self.gate.resources[COMPONENT] = {"properties": {"componentSpec": {"type": kind, "inputs": dict(inputs)}}}

    def subscribe(self, properties: Mapping[str, Any]) -> None:
        """Set the only event subscription of the topic."""
        self.gate.resources[SUBSCRIPTIONS] = {"value": [{"name": "receive", "properties": dict(properties)}]}

    def take_schema(self, schema: str) -> None:
        """Set the event schema of the topic."""
        (topic,) = self.gate.resources[f"{TOPICS}/page2"]["value"]
        topic["properties"]["inputSchema"] = schema

    def forget(self, path: str) -> None:
        """Remove a resource from Azure Resource Manager."""
        del self.gate.resources[path]
