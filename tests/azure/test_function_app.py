"""The function app of the built bundle: what the host sees of it, what its functions load and answer."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from emulators.arm import ArmStandIn, Component, Identity
from emulators.arm.standin import WORKSPACE
from emulators.storage import Storage, connection_string
from functions.azure.addresses import Place
from tests.azure.adapters import COMPONENT
from tests.contracts.bundles import built_bundle

pytestmark = pytest.mark.xdist_group("contracts-azure")

PROBE: Final = Path(__file__).with_name("app_probe.py")
# Nothing listens at port 1.
NOWHERE: Final = "http://127.0.0.1:1"
SDKS: Final = ("azure.core", "azure.identity", "azure.eventgrid", "azure.storage", "msal", "requests")
FORBIDDEN: Final = frozenset({"boto3", "botocore", "google", "functions_framework", "pydantic", "aiohttp", "apprise"})
SETTINGS: Final = {
    "RETRAIN_BUS": f"{NOWHERE}/api/events",
    "RETRAIN_LEDGER": f"{NOWHERE}/devstoreaccount1/models",
    "RETRAIN_EVENT_GRID_KEY": "aHVudGVyMg==",
    "AZURE_STORAGE_CONNECTION_STRING": connection_string("", ""),
}
# Beside those of azure.functions; each costs a cold start 0.3 ms or more. With Python 3.11 a launch imports 136: 81 of
# ours, 27 of urllib3, and 28 of the standard library. With azure-core and azure-data-tables it imported 384.
MOST_MODULES: Final = 145
CONFIGURATION: Final = """
[models."churn"]
default = true
schedule = true
[models."churn".target.azure]
kind = "azureml"
workspace = "/subscriptions/s/workspaces/w"
component = "/subscriptions/s/components/c"
"""
ASKING: Final = {
    "id": "e-1",
    "topic": "/t",
    "subject": "ml3_platform",
    "eventType": "retrain_trigger",
    "eventTime": "2026-11-21T03:00:00Z",
    "data": {"model_id": "churn"},
}


@pytest.fixture(scope="module")
def bundle() -> Path:
    """Return the folder that is deployed."""
    return built_bundle("azure")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return app settings of an app whose services are away."""
    path = tmp_path / "retrain.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return {**SETTINGS, "RETRAIN_CONFIG": str(path)}


@pytest.fixture
def identity() -> Iterator[Identity]:
    """Return a managed identity."""
    with Identity() as stand_in:
        yield stand_in


def probed(bundle: Path, settings: dict[str, str], *work: tuple[str, object]) -> dict[str, Any]:
    """Invoke functions in a fresh interpreter that can import the bundle and the standard library only."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(PROBE), str(bundle)],
        env=settings,
        input=json.dumps(work),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.returncode, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout)
    return reported | {"errors": done.stderr}


def loaded(modules: list[str], *names: str) -> list[str]:
    """Return which of the packages are among the modules."""
    return [name for name in names if name in modules]


def test_the_host_finds_five_functions(bundle: Path) -> None:
    """Their names and triggers are those of the contract; nothing runs on start-up, and missed ticks are noticed."""
    bindings = probed(bundle, {})["bindings"]
    assert {name: found[0]["type"] for name, found in bindings.items()} == {
        "retrain_http": "httpTrigger",
        "retrain_schedule": "timerTrigger",
        "retrain_schedules": "timerTrigger",
        "retrain_sweep": "timerTrigger",
        "retrain_receive": "eventGridTrigger",
    }
    http = bindings["retrain_http"][0]
    assert (http["route"], http["authLevel"]) == ("{*path}", "FUNCTION")
    # Newer versions of azure-functions know more.
    assert set(http["methods"]) >= {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    for name in ("retrain_schedule", "retrain_schedules", "retrain_sweep"):
        timer = bindings[name][0]
        assert (timer["runOnStartup"], timer["useMonitor"]) == (False, True)
        assert len(timer["schedule"].split()) == 6
    host = json.loads((bundle / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["http"]["routePrefix"] == ""
    assert host["functionTimeout"] <= "00:01:00"


def test_the_schedule_is_a_setting(bundle: Path) -> None:
    """An app setting counts before the default, which is Monday morning; an empty one is none."""
    for given, schedule in (("0 0 6 * * *", "0 0 6 * * *"), ("", "0 30 9 * * 1")):
        bindings = probed(bundle, {"RETRAIN_SCHEDULE": given})["bindings"]
        assert bindings["retrain_schedule"][0]["schedule"] == schedule


def test_listing_the_functions_loads_nothing_else(bundle: Path) -> None:
    """Before the first event there is no SDK, and nothing of ours but the file itself."""
    modules = probed(bundle, {})["at start"]
    assert loaded(modules, *SDKS) == []
    assert [name for name in modules if name.partition(".")[0] in {"functions", "shared", *FORBIDDEN}] == []


def test_health_loads_no_sdk(bundle: Path, settings: dict[str, str]) -> None:
    """A request that needs no service loads no client."""
    reported = probed(bundle, settings, ("retrain_http", ["GET", "http://x/health", ""]))
    assert reported["answers"][0][:2] == [200, '{"status": "ok"}']
    assert loaded(reported["modules"], *SDKS) == []


@pytest.mark.parametrize(
    ("work", "needed"),
    [
        (("retrain_http", ["GET", "http://x/models/churn", ""]), set()),
        (("retrain_http", ["POST", "http://x/retrain", "{}"]), {"azure.core", "azure.eventgrid", "requests"}),
        (
            ("retrain_schedule", {"ScheduleStatus": {"Next": "2026-11-16T09:30:00Z"}}),
            {"azure.core", "azure.eventgrid", "requests"},
        ),
        (("retrain_sweep", {}), set()),
        (("retrain_receive", ASKING), set()),
    ],
    ids=["read", "retrain", "tick", "sweep", "receive"],
)
def test_a_function_loads_what_it_needs(
    bundle: Path, settings: dict[str, str], work: tuple[str, object], needed: set[str]
) -> None:
    """Only emitting loads an SDK: the table is called over our own session; nothing of other clouds is loaded."""
    modules = probed(bundle, settings, work)["modules"]
    assert set(loaded(modules, *SDKS)) == needed
    assert {name.partition(".")[0] for name in modules} & FORBIDDEN == set()


def test_a_launch_imports_few_modules(
    bundle: Path, settings: dict[str, str], storage: Storage, table: Place, identity: Identity
) -> None:
    """A process whose first event starts a training has the modules of the host's library and urllib3, and few others.

    None is of azure-core or of a package that it needs, nor one that only another way in needs.
    """
    target = f'{{ kind = "azureml", workspace = "{WORKSPACE}", component = "{COMPONENT}" }}'
    Path(settings["RETRAIN_CONFIG"]).write_text(f"models.churn.target.azure = {target}\n", encoding="ascii")
    with ArmStandIn(components={COMPONENT: Component()}, identity=identity) as arm:
        services = {
            "RETRAIN_LEDGER": f"{table.endpoint}/{table.name}",
            "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
            "RETRAIN_ARM_ENDPOINT": arm.url,
        }
        reported = probed(bundle, settings | services | identity.variables, ("retrain_receive", ASKING))
        assert (reported["answers"], len(arm.jobs())) == ([None], 1)
    modules = reported["modules"]
    unneeded = ("charset_normalizer", "yarl", "isodate", "xml", "uuid", "platform", "cryptography")
    assert loaded(modules, *SDKS, *unneeded) == []
    new = set(modules) - set(reported["at start"])
    assert len(new) <= MOST_MODULES


def test_importing_the_app_costs_little_more_than_its_library(bundle: Path) -> None:
    """In CPU time at most 1.3 times what `import azure.functions` costs, the least of several fresh processes each."""

    def cost(module: str) -> float:
        paths = [str(bundle / ".python_packages/lib/site-packages"), str(bundle)]
        program = f"import sys; sys.path += {paths!r}; import {module}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], env={}, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    library, app = (min(cost(module) for _ in range(7)) for module in ("azure.functions", "function_app"))
    assert app <= 1.3 * library
