"""The image without Docker: what its Dockerfile copies, in a folder, started by its entry point."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from emulators.lambda_runtime.environment import ExecutionEnvironment, ProcessPlan

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "functions/monitor/Dockerfile").read_text()
_COPY: Final = re.compile(r"^COPY (\S+) (\S+)$", re.MULTILINE)
_ENTRY: Final = re.compile(r"^ENTRYPOINT (\[.*\])$", re.MULTILINE)
_ENV: Final = re.compile(r"^(?:ENV)?\s+([A-Z_]+)=(\S+)(?: \\)?$", re.MULTILINE)
# A cold start imports Evidently, on a machine that may have other work.
SECONDS: Final = 180.0


def stage(folder: Path, toml: str) -> Path:
    """Fill *folder* with what the image holds, the configuration apart, and return it."""
    for source, target in _COPY.findall(DOCKERFILE):
        if source in ("functions/monitor/requirements.txt", "retrain*.toml"):
            continue
        place = folder / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, place)
    (folder / "retrain.toml").write_text(toml)
    return folder


def variables() -> dict[str, str]:
    """Return the environment variables that the image sets."""
    return dict(_ENV.findall(DOCKERFILE))


def command() -> list[str]:
    """Return the image's entry point, run by this interpreter."""
    entry = _ENTRY.search(DOCKERFILE)
    assert entry
    _python, *arguments = json.loads(entry[1])
    return [sys.executable, *arguments]


@contextmanager
def lambda_function(folder: Path, environment: Mapping[str, str]) -> Iterator[ExecutionEnvironment]:
    """Serve the image in *folder* under Lambda's Runtime API; its output is in `log` beside it."""
    plan = ProcessPlan(
        command=command(),
        bundle=folder,
        variables={"PATH": os.environ["PATH"], **variables(), "AWS_LAMBDA_FUNCTION_NAME": "monitor", **environment},
        function_arn="arn:aws:lambda:eu-west-3:123456789012:function:monitor",
        timeout=SECONDS,
        log=folder.parent / "log",
    )
    serving = ExecutionEnvironment(plan)
    try:
        yield serving
    finally:
        serving.kill()


def invoke(serving: ExecutionEnvironment, event: Mapping[str, Any]) -> Any:
    """Invoke the function and return its answer."""
    return serving.invoke(event, "8f507cfc-xmpl-4697-b07a-ac58fc914c95")
