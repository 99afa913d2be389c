"""The adapters under test, made for stand-ins, and what is sent through them."""

from emulators.eventbridge import EventBridgeStandIn
from functions.aws.bus import EventBridgeBus
from functions.aws.clients import CallLimits, Clients
from functions.aws.launcher import SageMakerLauncher
from functions.aws.ledger import DynamoLedger
from shared.backoff import Backoff
from shared.config.targets import SageMakerTarget

IMPATIENT = CallLimits(connect_timeout=2, read_timeout=1.5, attempts=1)
ONCE = CallLimits(read_timeout=30, attempts=1, connections=32)

SOURCE = "ml3_platform"
BUS = "retraining"
PIPELINE = "churn-training"


def bus_on(pauses: list[float], name: str = BUS, limits: CallLimits = IMPATIENT, **more: int) -> EventBridgeBus:
    """Return a bus that sends three times at most and notes its pauses instead of sleeping."""
    backoff = Backoff(attempts=3, base=0.2, sleep=pauses.append, chance=lambda: 0.5)
    return EventBridgeBus(Clients(limits=limits).factory("events"), name, SOURCE, backoff=backoff, **more)


def arrived(events: EventBridgeStandIn) -> list[str]:
    """Return the trigger ids of the events on the bus, in their order."""
    return [event["detail"]["trigger_id"] for event in events.events]


def launcher_of(pipeline: str = PIPELINE, limits: CallLimits = IMPATIENT) -> SageMakerLauncher:
    """Return a launcher of a pipeline."""
    return SageMakerLauncher(Clients(limits=limits).factory("sagemaker"), SageMakerTarget(pipeline=pipeline))


def ledger_on(limits: CallLimits = IMPATIENT) -> DynamoLedger:
    """Return a ledger in a table that is called `states`."""
    return DynamoLedger(Clients(limits=limits).factory("dynamodb"), "states")
