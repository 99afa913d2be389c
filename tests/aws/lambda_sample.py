"""The handlers of the bundle that the Lambda harness is tested with: one a behaviour."""

import os
import sys
import time
from pathlib import Path
from typing import Any

_seen: list[object] = []


def echo(event: object, context: Any) -> dict[str, object]:
    """Return all that the handler can see."""
    _seen.append(event)
    sys.stdout.write(f"seen {event}\n")
    return {
        "event": event,
        "count": len(_seen),
        "path": sys.path,
        "environment": dict(os.environ),
        "cwd": str(Path.cwd()),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }


def fail(_event: object, _context: object) -> None:
    """Raise."""
    raise ValueError("no good")


def sleep(event: float, _context: object) -> str:
    """Take as many seconds as the event says."""
    sys.stdout.write("working\n")
    time.sleep(event)
    return "rested"


def crash(event: int, _context: object) -> str:
    """End the process with the exit code that the event gives, unless it is 0."""
    if event:
        os._exit(event)
    return "alive"


def flaky(event: dict[str, Any], context: Any) -> str:
    """Note the request id in a file, and raise until the file has as many lines as the event requests."""
    tries = Path(event["tries"])
    with tries.open("a") as file:
        file.write(f"{context.aws_request_id}\n")
    if len(tries.read_text().split()) < event["good_at"]:
        raise RuntimeError("not yet")
    return "done"


def together(event: dict[str, Any], _context: object) -> int:
    """Wait until as many processes as the event says are here; return the process id."""
    folder = Path(event["folder"])
    folder.joinpath(str(os.getpid())).touch()
    while len(list(folder.iterdir())) < event["count"]:
        time.sleep(0.01)
    return os.getpid()


def train(event: str, _context: object) -> str:
    """Start the pipeline that the event names, with boto3 as the environment configures it."""
    import boto3

    answer = boto3.client("sagemaker").start_pipeline_execution(PipelineName=event)
    return str(answer["PipelineExecutionArn"])
