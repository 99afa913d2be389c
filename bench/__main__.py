"""`make bench`: measures, prints the table, and writes it to docs/benchmarks.md and dist/bench.json."""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime
from io import StringIO
from os import cpu_count
from pathlib import Path
from typing import Any, Final

from bench import aws
from bench.cold_start import ColdStart, compare
from functions.cli.build.archive import archive

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- begin: make bench -->\n", "<!-- end: make bench -->\n"


def measure(runs: int) -> dict[str, Any]:
    """Return the cold starts of the AWS functions beside the usual ones with boto3."""
    bundle = ROOT / "dist" / "aws"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        archive(bundle, folder / "aws.zip")
        size = (folder / "aws.zip").stat().st_size
        # moto's server logs each request there.
        with redirect_stderr(StringIO()), aws.functions(bundle, folder) as functions:
            receive, naive_receive, emit, naive_emit = compare(
                [
                    (functions.receive, aws.delivery),
                    (functions.naive_receive, aws.delivery),
                    (functions.emit, aws.request),
                    (functions.naive_emit, aws.request),
                ],
                runs,
            )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {cpu_count()} cores",
        "runs": runs,
        "aws": {
            "zip_bytes": size,
            "receive": _figures(receive, naive_receive),
            "emit": _figures(emit, naive_emit),
        },
    }


def table(result: dict[str, Any]) -> str:
    """Return the result as a table in Markdown."""
    lines = [
        "| cold start on AWS | CPU, ms | naive boto3, ms | ratio | modules | memory, MB | naive, MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("receive", "emit"):
        each = result["aws"][name]
        lines.append(
            f"| `{name}` | {each['cpu'] * 1e3:.0f} | {each['naive_cpu'] * 1e3:.0f} | {each['ratio']:.2f}"
            f" | {each['modules']} | {each['memory'] / 1e6:.0f} | {each['naive_memory'] / 1e6:.0f} |"
        )
    lines.append("")
    lines.append(
        f"The bundle has {result['aws']['zip_bytes'] / 1e6:.1f} MB zipped. Measured on {result['date']} with Python"
        f" {result['python']} ({result['machine']}); the cheapest of {result['runs']} starts each, in turns."
    )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="starts of each function (default: 20)")
    runs: int = parser.parse_args(arguments).runs
    result = measure(runs)
    sys.stdout.write(table(result))
    (ROOT / "dist" / "bench.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{table(result)}{END}{after}", encoding="utf-8")
    return 0


def _figures(ours: ColdStart, naive: ColdStart) -> dict[str, float]:
    return {
        "cpu": ours.cpu,
        "naive_cpu": naive.cpu,
        "ratio": ours.cpu / naive.cpu,
        "modules": ours.modules,
        "memory": ours.memory,
        "naive_memory": naive.memory,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
