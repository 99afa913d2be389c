"""Every error has one reaction, the same on every cloud, and it follows from `retryable` alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import pytest

from shared.decision.transitions import HAND_OVER_LEASE
from shared.errors import (
    BusError,
    ConfigError,
    ConflictError,
    ContentionError,
    DamagedStateError,
    InvalidTriggerError,
    LaunchInProgressError,
    RetrainError,
    TargetRefusedError,
    UnavailableError,
    UnknownModelError,
    UnreadableEventError,
)
from tests.contracts.clouds import Cloud
from tests.contracts.messages import HttpRequest, Reply
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import a_trigger, abandon_claim

Fault = tuple[AbstractContextManager[None], object]
"""The fault of the services, and the event that meets it."""

RETRAIN = HttpRequest(method="POST", path="/retrain", content={"model_id": "churn"})
APPROVE = HttpRequest(method="POST", path="/models/reviewed/approve", content={"trigger_id": "t-1"})


def _handed_over_by_somebody_else(cloud: Cloud) -> Fault:
    event = trigger_event(cloud, model_id="handed-over")
    with cloud.training_away():
        cloud.deliver(event)
    return nullcontext(), event


def _damage(cloud: Cloud) -> Fault:
    assert cloud.ledger.save("churn", "garbage{", cloud.ledger.load("churn").version)
    return nullcontext(), trigger_event(cloud)


DELIVERED: Mapping[type[RetrainError], Callable[[Cloud], Fault]] = {
    UnreadableEventError: lambda cloud: (nullcontext(), cloud.unreadable()),
    InvalidTriggerError: lambda cloud: (nullcontext(), trigger_event(cloud, severity="huge")),
    UnknownModelError: lambda cloud: (nullcontext(), trigger_event(cloud, model_id="absent")),
    TargetRefusedError: lambda cloud: (nullcontext(), trigger_event(cloud, model_id="broken")),
    UnavailableError: lambda cloud: (cloud.training_away(), trigger_event(cloud)),
    LaunchInProgressError: _handed_over_by_somebody_else,
    ContentionError: lambda cloud: (cloud.contended(), trigger_event(cloud)),
    DamagedStateError: _damage,
}

Sending = Callable[[Cloud], Reply]


def _send_while(disturbance: str, request: HttpRequest) -> Sending:
    def send(cloud: Cloud) -> Reply:
        with getattr(cloud, disturbance)():
            return cloud.send(request)

    return send


def _approve_while_contended(cloud: Cloud) -> Reply:
    assert cloud.deliver(trigger_event(cloud, model_id="reviewed")).verdict == ("wait", "awaiting_approval")
    return _send_while("contended", APPROVE)(cloud)


def _show_damaged(cloud: Cloud) -> Reply:
    _damage(cloud)
    return cloud.send(HttpRequest(method="GET", path="/models/churn"))


ANSWERED: Mapping[str, tuple[type[RetrainError], int, Sending]] = {
    "unreadable": (
        UnreadableEventError,
        400,
        lambda cloud: cloud.send(HttpRequest(method="POST", path="/retrain", content=b"{")),
    ),
    "invalid": (
        InvalidTriggerError,
        422,
        lambda cloud: cloud.send(HttpRequest(method="POST", path="/retrain", content={"force": 1})),
    ),
    "unknown": (UnknownModelError, 404, lambda cloud: cloud.send(HttpRequest(method="GET", path="/models/absent"))),
    "ledger away": (UnavailableError, 503, _send_while("ledger_away", HttpRequest(method="GET", path="/models/churn"))),
    "bus away": (UnavailableError, 503, _send_while("bus_away", RETRAIN)),
    "bus refuses": (BusError, 503, _send_while("bus_refuses", RETRAIN)),
    "conflict": (ConflictError, 409, lambda cloud: cloud.send(APPROVE)),
    "damaged": (DamagedStateError, 503, _show_damaged),
    "contended": (ContentionError, 503, _approve_while_contended),
}


def _every_error(kind: type[RetrainError] = RetrainError) -> Iterator[type[RetrainError]]:
    """Return the errors of the core that are raised as such: those that have no kinds of their own."""
    kinds = [each for each in kind.__subclasses__() if each.__module__ == RetrainError.__module__]
    if not kinds:
        yield kind
    for each in kinds:
        yield from _every_error(each)


def test_every_error_has_a_row_here() -> None:
    """Every class of error has an example here; a wrong configuration has a test of its own."""
    covered = {*DELIVERED, *(kind for kind, _, _ in ANSWERED.values()), ConfigError}
    assert set(_every_error()) == covered


# A receiver waits for half a minute before it gives up on a model that others write.
SLOW = (pytest.param(ContentionError, marks=pytest.mark.deep),)


@pytest.mark.parametrize(
    "kind", [*(kind for kind in DELIVERED if kind is not ContentionError), *SLOW], ids=lambda kind: kind.__name__
)
def test_an_event_is_acknowledged_unless_trying_again_may_help(cloud: Cloud, kind: type[RetrainError]) -> None:
    """A permanent error is a dead letter, and forgotten; a transient one leaves no letter, and comes again."""
    if kind in cloud.unreachable:
        pytest.skip(cloud.unreachable[kind])
    disturbance, event = DELIVERED[kind](cloud)
    with disturbance:
        direct = cloud.deliver(event)
        # A receiver that gives up on a contended model takes longer than a bus is watched for.
        (queued,) = [direct.acknowledged] if kind is ContentionError else cloud.round([event])
    assert direct.acknowledged is queued is not kind.retryable
    assert cloud.trainings() == []
    if kind.retryable:
        assert direct.error.startswith(f"{kind.__name__}: ")
        assert cloud.letters() == []
    else:
        assert direct.verdict == ("reject", "rejected")
        assert len(cloud.letters()) == 2


@pytest.mark.parametrize("kind", [InvalidTriggerError, UnknownModelError, TargetRefusedError], ids=lambda k: k.__name__)
def test_a_permanent_error_is_raised_where_only_the_platform_has_dead_letters(
    cloud: Cloud, kind: type[RetrainError]
) -> None:
    """Then the error itself is what the platform gets to see, by its name."""
    _, event = DELIVERED[kind](cloud)
    delivery = cloud.deliver_without_dead_letters(event)
    assert not delivery.acknowledged
    assert delivery.error.startswith(f"{kind.__name__}: ")


@pytest.mark.parametrize(("kind", "status", "request_of"), ANSWERED.values(), ids=ANSWERED)
def test_a_request_gets_a_problem_document(
    cloud: Cloud, kind: type[RetrainError], status: int, request_of: Sending
) -> None:
    """A permanent error is a 4xx; a transient one is a 503 that says when to come again."""
    if kind in cloud.unreachable:
        pytest.skip(cloud.unreachable[kind])
    reply = request_of(cloud)
    assert (reply.status, reply.body["status"]) == (status, status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body.keys() == {"type", "title", "status", "detail"}
    assert ("retry-after" in reply.headers) is (status == 503)
    assert cloud.arrived() == []


def test_a_wrong_configuration_loses_no_event(cloud: Cloud) -> None:
    """A wrong deployment acknowledges nothing, and one error lists every problem."""
    delivery = cloud.deliver_misconfigured(trigger_event(cloud))
    assert not delivery.acknowledged
    assert delivery.error.startswith("ConfigError: ")
    assert cloud.deliver(trigger_event(cloud)).verdict == ("launch", "launched")


def test_a_target_without_tokens_is_handed_a_training_again_only_after_a_crash(cloud: Cloud) -> None:
    """While the claim is fresh a repeat waits; once it is abandoned the training is handed over with the same token."""
    if LaunchInProgressError in cloud.unreachable:
        pytest.skip(cloud.unreachable[LaunchInProgressError])
    _, event = _handed_over_by_somebody_else(cloud)
    assert cloud.deliver(event).error.startswith("LaunchInProgressError: ")
    abandon_claim(cloud.ledger, "handed-over", age=HAND_OVER_LEASE)
    assert cloud.deliver(event).verdict == ("launch", "launched")
    assert cloud.deliver(event).verdict == ("skip", "duplicate")
    assert cloud.handed_over() == [a_trigger(model_id="handed-over").token]
