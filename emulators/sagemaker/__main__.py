"""Runs the stand-in as a process of its own."""

import argparse
import http.client
import json
import logging
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from emulators.sagemaker.executions import Pipeline
from emulators.sagemaker.standin import SageMakerStandIn

_log = logging.getLogger(__name__)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulators.sagemaker", description="A stand-in for SageMaker pipelines.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0, the default, takes a free one")
    parser.add_argument(
        "--pipeline",
        action="append",
        required=True,
        metavar="NAME[:PARAMETER,...]",
        help="a pipeline and its parameters; may be repeated",
    )
    parser.add_argument("--command", type=shlex.split, default=[], help="the command that each execution runs")
    parser.add_argument("--duration", type=float, help="seconds after which an execution succeeds")
    parser.add_argument("--events-url", help="the address that the event of each end is posted to")
    parser.add_argument("--event-copies", type=int, default=1, help="how often each event is sent")
    parser.add_argument("--region", default="eu-west-3")
    parser.add_argument("--account", default="123456789012")
    return parser.parse_args(argv)


def _post(url: str, event: dict[str, object]) -> None:
    """Send an event once; if it is lost, it is not sent again."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("POST", parts.path or "/", json.dumps(event), {"Content-Type": "application/json"})
        _log.info("sent an event to %s: %d", url, connection.getresponse().status)
    except OSError as error:
        _log.warning("lost an event, since %s does not answer: %s", url, error)
    finally:
        connection.close()


def main(argv: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT; the first line on standard output is the URL."""
    given = _arguments(argv)
    logging.basicConfig(level=logging.INFO)
    pipelines = {}
    for described in given.pipeline:
        name, _, parameters = described.partition(":")
        names = tuple(parameter for parameter in parameters.split(",") if parameter)
        pipelines[name] = Pipeline(parameters=names, command=tuple(given.command), duration=given.duration)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with SageMakerStandIn(
        pipelines=pipelines,
        on_end=(lambda event: _post(given.events_url, event)) if given.events_url else None,
        event_copies=given.event_copies,
        region=given.region,
        account=given.account,
        port=given.port,
    ) as stand_in:
        sys.stdout.write(f"{stand_in.url}\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
