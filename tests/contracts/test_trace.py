"""The trace context of a request reaches the training that it starts, and the logs, on every cloud."""

import logging
from typing import Final

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.logs import log_lines
from tests.contracts.messages import HttpRequest
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import state_of

TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT: Final = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


def test_the_trace_of_a_request_reaches_the_training_and_the_logs(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """From the header over the bus and the claim to what the training service shows."""
    caplog.set_level(logging.INFO, "retrain")
    headers = {"traceparent": TRACEPARENT, "tracestate": "acme=t61rcWkgMzE"}
    asked = HttpRequest(
        method="POST", path="/retrain", content={"model_id": "churn", "trigger_id": "t-1"}, headers=headers
    )
    assert cloud.send(asked).status == 202
    (event,) = cloud.arrived()
    assert {name: cloud.fields(event)[name] for name in headers} == headers
    assert cloud.deliver(event).verdict == ("launch", "launched")
    claimed = state_of(cloud.ledger, "churn").training
    assert claimed is not None
    assert (claimed.trigger.traceparent, claimed.trigger.tracestate) == tuple(headers.values())
    assert TRACE_ID in cloud.marks("t-1")
    for name in ("retrain.decided", "retrain.started"):
        assert any(TRACE_ID in line for line in log_lines(cloud, caplog, name)), name


def test_an_invalid_trace_is_ignored(cloud: Cloud) -> None:
    """No training depends on it."""
    event = trigger_event(cloud, "t-1", traceparent=TRACEPARENT.upper(), tracestate="acme=1")
    assert cloud.deliver(event).verdict == ("launch", "launched")
    claimed = state_of(cloud.ledger, "churn").training
    assert claimed is not None
    assert (claimed.trigger.traceparent, claimed.trigger.tracestate) == (None, None)
