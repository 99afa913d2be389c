"""Runs a function under the framework in a process of its own: `python -m tests.gcp.function_probe TARGET REQUESTS`.

REQUESTS is JSON, a list of `{"method", "path", "headers", "body"}`. Writes the answers and the modules that are loaded
then to standard error as JSON; standard output holds the logs.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from functions_framework import create_app

MAIN = Path(__file__).parents[2] / "functions" / "gcp" / "main.py"


def answers_of(target: str, requests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers of a function under the framework."""
    client = create_app(target, str(MAIN)).test_client()
    answers: list[dict[str, Any]] = []
    for request in requests:
        answer = client.open(
            request.get("path", "/"),
            method=request.get("method", "POST"),
            headers=request.get("headers", {}),
            data=request.get("body", ""),
        )
        content = answer.get_json(silent=True)
        answers.append({"status": answer.status_code, "headers": dict(answer.headers), "content": content})
    return answers


def main(target: str, requests: str) -> None:
    """Run it."""
    answers = answers_of(target, json.loads(requests))
    sys.stderr.write(json.dumps({"answers": answers, "modules": sorted(sys.modules)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
