"""An event can request a sweep of one model; it makes the receiver look, and carries no authority."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from shared.errors import InvalidTriggerError, UnavailableError
from shared.receive import Decode, receive_batch
from shared.wire import eventbridge, eventgrid, pubsub
from shared.wire.incoming import Foreign, SweepRequest
from shared.wire.pubsub_delivery import wrapped
from tests.core.deployment import SOURCE, Deployment, decode, event, trigger_event
from tests.core.native import aws, azure, cloud_event, gcp, message
from tests.core.samples import MINUTE, model_text
from tests.core.test_wire_envelopes import invocation, notification
from tests.fakes.faults import Fault, Script

MODEL: Final = "ü/churn"
KIND: Final[dict[str, Any]] = {"detail-type": "retrain_sweep"}
FIELDS: Final = {"model_id": MODEL}
TYPES: Final = {"source": SOURCE, "event_type": "retrain_sweep"}
BODY: Final = {**TYPES, "payload": FIELDS}
RULE: Final = {"source": SOURCE, "detail-type": "retrain_sweep", "detail": FIELDS}
GRID: Final = {"id": "1", "subject": SOURCE, "eventType": "retrain_sweep", "data": FIELDS}
CLOUD: Final = {**cloud_event("retrain_sweep", FIELDS), "source": SOURCE}

REQUESTS: Final[dict[str, tuple[object, Decode]]] = {
    "a rule": (RULE, aws),
    "a rule, in a string": (RULE | {"detail": json.dumps(RULE["detail"])}, aws),
    "a topic of SNS": (invocation(RULE), aws),
    "a topic of SNS and a queue": (json.dumps(notification(RULE)), aws),
    "Pub/Sub": (message(BODY, **TYPES, model_id=MODEL), gcp),
    "Pub/Sub, attributes only": (message(None, **TYPES, model_id=MODEL), gcp),
    "Pub/Sub, body only": (message(BODY), gcp),
    "Pub/Sub without its wrapper": (
        wrapped({"x-goog-pubsub-message-id": "1", "source": SOURCE}, json.dumps(BODY).encode()),
        gcp,
    ),
    "Event Grid": (GRID, azure),
    "Event Grid as documented": ({"id": "1", "subject": SOURCE, "event_type": "retrain_sweep", "data": FIELDS}, azure),
    "CloudEvents": (CLOUD, azure),
    "CloudEvents of a mapped topic": (CLOUD | {"source": "/topics/t", "subject": SOURCE}, azure),
}


@pytest.mark.parametrize(("delivered", "read"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_for_a_sweep_is_read_in_every_form(delivered: object, read: Decode) -> None:
    """Whatever carries it, it names the model."""
    assert read(delivered) == SweepRequest(model_id=MODEL)


@pytest.mark.parametrize(
    ("delivered", "read"),
    [
        (RULE | {"source": "other"}, aws),
        (RULE | {"detail-type": "retrain_sweeping"}, aws),
        (message(BODY | {"source": "other"}, **TYPES | {"source": "other"}, model_id=MODEL), gcp),
        (message(BODY | {"source": "other"}), gcp),
        (GRID | {"subject": "other"}, azure),
        (CLOUD | {"source": "other"}, azure),
    ],
)
def test_a_request_of_another_sender_is_foreign(delivered: object, read: Decode) -> None:
    """The source must be ours, as for a trigger."""
    assert isinstance(read(delivered), Foreign)


@pytest.mark.parametrize(
    ("delivered", "read"),
    [
        (RULE | {"detail": {}}, aws),
        (message(None, event_type="retrain_sweep"), gcp),
        (message(BODY | {"payload": {}}, **TYPES), gcp),
        (GRID | {"data": {}}, azure),
    ],
)
def test_a_request_that_names_no_model_is_for_all(delivered: object, read: Decode) -> None:
    """So the schedule of the sweep does it."""
    assert read(delivered) == SweepRequest(model_id=None)


def test_the_sweep_of_all_models_on_google_names_none() -> None:
    """The function distinguishes the two before it decodes."""
    assert pubsub.is_sweep(message(None, event_type="retrain_sweep"))
    assert not pubsub.is_sweep(message(BODY, **TYPES, model_id=MODEL))
    assert not pubsub.is_sweep(message(None, event_type="retrain_sweep", model_id="\x01"))


@pytest.mark.parametrize(
    ("delivered", "read"),
    [
        (RULE | {"detail": {"model_id": 7}}, aws),
        (RULE | {"detail": "text"}, aws),
        (message(None, event_type="retrain_sweep", model_id="x" * 257), gcp),
        (GRID | {"data": {"model_id": "\n"}}, azure),
        (GRID | {"data": None}, azure),
    ],
)
def test_a_request_with_a_wrong_field_is_rejected(delivered: object, read: Decode) -> None:
    """It is ours, so it is not ignored; the error names the field."""
    with pytest.raises(InvalidTriggerError, match=r"model_id|detail|data"):
        read(delivered)


ENCODED: Final[dict[str, Callable[[], tuple[Any, Decode]]]] = {
    "aws": lambda: (_rule_event(eventbridge.encode_sweep(MODEL, SOURCE, "bus")), aws),
    "gcp": lambda: (_push(pubsub.encode_sweep(MODEL, SOURCE, "projects/p/topics/t")), gcp),
    "azure": lambda: (eventgrid.encode_sweep(MODEL, SOURCE), azure),
}


def _rule_event(entry: dict[str, object]) -> dict[str, object]:
    return {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": entry["Detail"]}


def _push(sent: pubsub.Message) -> dict[str, Any]:
    return message(json.loads(sent.data), **sent.attributes)


@pytest.mark.parametrize("encoded", ENCODED.values(), ids=ENCODED)
def test_what_is_sent_is_read(encoded: Callable[[], tuple[Any, Decode]]) -> None:
    """Each cloud's codec reads its own request."""
    delivered, read = encoded()
    assert read(delivered) == SweepRequest(model_id=MODEL)


def sweep_event(**detail: object) -> dict[str, Any]:
    """Return the event that requests a sweep, of `churn` unless *detail* says otherwise."""
    return event(detail or {"model_id": "churn"}, **KIND)


def unfinished() -> tuple[Deployment, Script]:
    """Return a deployment in which the answer of a start was lost two minutes ago, and the gate of its launcher."""
    gate = Script()
    deployment = Deployment(model_text("*"), launcher_gate=gate)
    gate.meet_next(Fault.THROTTLED)
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    deployment.wait(2 * MINUTE)
    return deployment, gate


def test_the_model_is_checked_at_once() -> None:
    """Its unfinished launch is finished; that of no other model is."""
    deployment, _ = unfinished()
    assert deployment.receive(sweep_event(model_id="other")).decision == "swept"
    assert deployment.service.running() == []
    outcome = deployment.receive(sweep_event())
    assert (outcome.decision, outcome.model_id) == ("swept", "churn")
    assert len(deployment.service.running()) == 1


def test_a_request_decides_nothing() -> None:
    """Whatever else it carries, no decision is recorded; a model that was never seen gets no document."""
    deployment = Deployment(model_text("*"))
    deployment.receive(trigger_event())
    observed = list(deployment.observed)
    for model_id in ("churn", "never-seen"):
        deployment.receive(sweep_event(model_id=model_id, trigger_id="t-9", force=True))
    assert deployment.observed == observed
    assert {model_id for model_id, _ in deployment.ledger.history} == {"churn"}
    assert len(deployment.service.running()) == 1


def test_a_request_comes_again_while_a_service_is_away() -> None:
    """A retryable error is raised, so the bus delivers the request again."""
    deployment, gate = unfinished()
    gate.meet_next(Fault.THROTTLED)
    with pytest.raises(UnavailableError):
        deployment.receive(sweep_event())
    deployment.wait(2 * MINUTE)
    deployment.receive(sweep_event())
    assert len(deployment.service.running()) == 1


def test_a_batch_may_hold_triggers_and_requests() -> None:
    """Each event has its own result; one request for all models checks each of them."""
    deployment, _ = unfinished()
    events = [sweep_event(model_id=""), trigger_event("t-2", model_id="other"), event({}, **KIND)]
    results = receive_batch(deployment.receiver, events, decode)
    assert [getattr(result, "decision", None) for result in results] == ["reject", "launch", "swept"]
    assert len(deployment.service.running()) == 2
