"""Azure as a stage: the built function app, Azurite, stand-ins for Event Grid and for the jobs of Azure ML."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from emulators.arm import ArmStandIn, Component, Identity
from emulators.arm.standin import WORKSPACE
from emulators.azure_bundle import with_apprise
from emulators.event_grid import EventGridStandIn, Subscription
from emulators.event_grid.standin import KEY
from emulators.functions_host import FunctionsHost
from emulators.storage import Storage, azurite, missing
from examples.demo.arrivals import blob_event
from examples.demo.azure_bus import Bus
from examples.demo.local_stage import http
from examples.demo.models import MODELS, configuration, signal_of, train_first
from examples.demo.outside import Outside, outside
from examples.demo.stage import UNKNOWN_MODEL, Json, NotInstalledError, Stage
from examples.demo.waiting import TIME_LIMIT
from shared.fields import format_time

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "dist" / "azure"
# The event in the documentation of ML cube Platform.
DOCUMENTED = Path(__file__).parent / "events" / "retrain-trigger-eventgrid.json"
TABLE, CONTAINER = "retrain", "dead-letters"
WEEK = timedelta(days=7)
SIGNAL = signal_of("blob")


@contextmanager
def azure_stage(home: Path) -> Iterator[Stage]:
    """Run the function app and the services that it needs until the story ends.

    Raises:
        NotInstalledError: Azurite is not installed, or the bundle is not built.

    """
    _check()
    train_first(home)
    bundle = with_apprise(BUNDLE, home / "bundle")
    with ExitStack() as running:
        around = running.enter_context(outside())
        targets = {model_id: _target(model_id) for model_id in MODELS}
        (home / "retrain.toml").write_text(configuration(targets, signal=SIGNAL, channel=around.channel))
        storage = running.enter_context(azurite())
        container = running.enter_context(_made(storage))
        identity = running.enter_context(Identity())
        topic = running.enter_context(EventGridStandIn())
        arm = running.enter_context(ArmStandIn(components=_components(home), identity=identity))
        environment = {**around.variables(), **_environment(home, storage, topic, arm, identity)}
        host = running.enter_context(FunctionsHost(bundle, environment))
        trigger = running.enter_context(Subscription(url=host.event_grid_url("retrain_receive")))
        trigger.validate()
        webhook = Subscription(url=f"{host.url}/events?code={host.keys.function}")
        webhook.validate()
        topic.subscriptions.append(trigger)
        bus = Bus(topic=topic, trigger=trigger, webhook=webhook)
        arm.on_event = bus.report
        yield _stage(home, bus, arm, around, host, container)
        (home / "functions.log").write_text(_log(host))


def _check() -> None:
    lacking = missing()
    if lacking is None and not (BUNDLE / "function_app.py").exists():
        lacking = "The bundle is not built: run `make build-azure`."
    if lacking:
        raise NotInstalledError(lacking)


def _component(model_id: str) -> str:
    return f"{WORKSPACE}/components/{model_id}/versions/1"


def _target(model_id: str) -> str:
    return f'azure = {{ kind = "azureml", workspace = "{WORKSPACE}", component = "{_component(model_id)}" }}'


def _components(home: Path) -> Mapping[str, Component]:
    command = (sys.executable, "-m", "examples.demo.pipeline", str(home))
    inputs = ("until", "max_iter", "trigger_id")
    return {_component(model_id): Component(inputs=inputs, command=(*command, model_id)) for model_id in MODELS}


def _made(storage: Storage) -> ContainerClient:
    """Create the table and the container, and return a client of the container."""
    with TableServiceClient.from_connection_string(storage.connection_string) as tables:
        tables.create_table(TABLE)
    container = ContainerClient.from_connection_string(storage.connection_string, CONTAINER)
    container.create_container()
    return container


def _environment(
    home: Path, storage: Storage, topic: EventGridStandIn, arm: ArmStandIn, identity: Identity
) -> Mapping[str, str]:
    return {
        **identity.variables,
        "RETRAIN_CONFIG": str(home / "retrain.toml"),
        "RETRAIN_BUS": topic.endpoint,
        "RETRAIN_EVENT_GRID_KEY": KEY,
        "RETRAIN_LEDGER": f"{storage.table}/{TABLE}",
        "RETRAIN_DEAD_LETTERS": f"{storage.blob}/{CONTAINER}",
        "RETRAIN_ARM_ENDPOINT": arm.url,
        "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
    }


def _stage(
    home: Path, bus: Bus, arm: ArmStandIn, around: Outside, host: FunctionsHost, container: ContainerClient
) -> Stage:
    def request(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        return http(f"{host.url}{path}", method, body, {"x-functions-key": host.keys.function})

    def tick(at: datetime) -> None:
        status = {"Last": format_time(at - WEEK), "Next": format_time(at), "LastUpdated": format_time(at - WEEK)}
        host.invoke("retrain_schedule", {"IsPastDue": False, "ScheduleStatus": status})

    def dead_letters() -> list[Json]:
        return [json.loads(container.download_blob(name).readall()) for name in container.list_blob_names()]

    return Stage(
        title="The Azure bundle, with Azurite and stand-ins for the Functions host, Event Grid and Azure ML",
        home=home,
        request=request,
        deliver=bus.deliver,
        tick=tick,
        new_file=lambda: bus.report(blob_event()),
        signal=SIGNAL,
        messages=lambda: list(around.messages),
        notified_by="by Apprise",
        dispatched=around.github.dispatched,
        settle=lambda: bus.trigger.drain(TIME_LIMIT),
        dead_letters=dead_letters,
        services=arm.all_calls,
        ml_cube_event=_event("demand"),
        mistaken_event=_event(UNKNOWN_MODEL),
    )


def _event(model_id: str) -> Json:
    """Return the event of ML cube Platform with its placeholder filled in."""
    documented: Json = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
    return {**documented, "data": {"model_id": model_id}}


def _log(host: FunctionsHost) -> str:
    lines = [line["message"] for invocation in host.invocations.values() for line in invocation.logs]
    return "\n".join([host.logs(), *lines])
