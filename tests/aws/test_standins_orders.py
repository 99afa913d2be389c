"""The SageMaker stand-in takes orders over HTTP from other processes, and runs as a process of its own."""

import http.client
import json
import queue
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulators.aws_client import client
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.sagemaker import SageMakerStandIn
from tests.aws.calls import TOKEN, code, start

ROOT = Path(__file__).parents[2]


def order(url: str, path: str, body: object = None, method: str = "POST") -> tuple[int, Any]:
    """Send an order over HTTP, as another process would; return status and answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request(method, f"/_admin/{path}", json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def test_other_processes_send_orders_over_http(sagemaker: SageMakerStandIn) -> None:
    """Without a Python object, faults, ends and forgetting tokens can be ordered, and executions and calls listed."""
    boto = client("sagemaker", sagemaker.url)
    faults = [{"kind": "throttle"}, {"kind": "hang", "seconds": 9, "operation": "*", "times": 2}]
    assert order(sagemaker.url, "faults", faults)[0] == 200
    assert code(lambda: start(boto)) == ("ThrottlingException", 400)
    assert [fault["kind"] for fault in order(sagemaker.url, "faults", method="GET")[1]] == ["hang"]
    assert order(sagemaker.url, "faults", method="DELETE") == (200, None)
    arn = start(boto, PipelineParameters=[{"Name": "epochs", "Value": "8"}])
    start(boto)
    assert order(sagemaker.url, "end", {"arn": arn, "status": "Failed"}) == (200, {"ended": [arn]})
    _, (shown,) = order(sagemaker.url, "executions", method="GET")
    expected = {"arn": arn, "token": TOKEN, "parameters": {"epochs": "8"}, "status": "Failed", "start_calls": 2}
    assert expected.items() <= shown.items()
    assert order(sagemaker.url, "calls", method="GET") == (200, {"StartPipelineExecution": 3})
    order(sagemaker.url, "forget-tokens")
    assert start(boto) != arn


@pytest.mark.parametrize(
    ("path", "body", "status_code", "word"),
    [
        ("faults", {"kind": "rain"}, 400, "rain"),
        ("faults", [{"kind": "throttle"}, {"sort": "hang"}], 400, "unknown: sort"),
        ("end", {"name": "absent"}, 404, "absent"),
        ("end", {}, 400, "missing"),
        ("party", {}, 404, "party"),
    ],
)
def test_an_invalid_order_is_refused(
    sagemaker: SageMakerStandIn, path: str, body: object, status_code: int, word: str
) -> None:
    """An invalid order is answered with an error, and orders nothing."""
    answered, answer = order(sagemaker.url, path, body)
    assert answered == status_code
    assert word in answer["error"]
    assert order(sagemaker.url, "faults", method="GET") == (200, [])


def test_a_chunked_body_is_put_together() -> None:
    """A chunked body arrives completely, and the connection serves the next request."""
    with LoopbackServer(lambda request: Answer(status=200, body=request.body)) as server:
        connection = http.client.HTTPConnection(server.address, timeout=5)
        for chunks in ([b"one ", b"two ", b"x" * 5000], [b"three"]):
            connection.request("POST", "/", iter(chunks))
            assert connection.getresponse().read() == b"".join(chunks)
        connection.close()


def test_it_runs_as_a_process_and_sends_its_events() -> None:
    """As a process it prints its URL, serves clients, posts the event of an end, and ends on SIGTERM."""
    received: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def receive(request: Request) -> Answer:
        received.put(json.loads(request.body))
        return Answer(status=202)

    with LoopbackServer(receive) as events:
        options = ["--pipeline", "churn-training:epochs", "--duration", "0.05", "--events-url", f"{events.url}/events"]
        command = [sys.executable, "-m", "emulators.sagemaker", *options]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            arn = start(client("sagemaker", process.stdout.readline().strip()))
            detail = received.get(timeout=10)["detail"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    assert (detail["pipelineExecutionArn"], detail["currentPipelineExecutionStatus"]) == (arn, "Succeeded")
