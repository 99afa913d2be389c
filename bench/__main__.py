"""`make bench`: measures, prints the tables, and writes them to docs/benchmarks.md and dist/bench.json."""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stderr
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from os import cpu_count
from pathlib import Path
from typing import Any, Final

from bench import aws, azure, gcp, scaling
from bench.cold_start import Case, compare
from bench.environments import OFFICIAL, ROOT
from functions.cli.build.archive import archive

PAGE: Final = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- begin: make bench -->\n", "<!-- end: make bench -->\n"
CLOUDS: Final[Mapping[str, Callable[[Path, Path], AbstractContextManager[list[Case]]]]] = {
    "aws": aws.cases,
    "gcp": gcp.cases,
    "azure": azure.cases,
}
# Which rows of the table each of our own functions is compared with.
BASELINES: Final = {
    "AWS receive": ["boto3 receive"],
    "AWS emit": ["boto3 emit"],
    "Google receive": ["bare functions-framework", "google-cloud-aiplatform"],
    "Azure receive": ["bare Azure function", "azure-ai-ml"],
}
LIBRARIES: Final = ("boto3", "functions-framework", "azure-functions")
SDKS: Final = ("google-cloud-aiplatform", "azure-ai-ml")


def measure(runs: int) -> dict[str, Any]:
    """Return the figures of all clouds, each beside its baselines, and what size does to the cost."""
    sizes = {}
    figures: dict[str, Any] = {}
    for cloud, cases in CLOUDS.items():
        bundle = ROOT / "dist" / cloud
        # moto's server logs each request to standard error.
        with tempfile.TemporaryDirectory() as temporary, redirect_stderr(StringIO()):
            folder = Path(temporary)
            archive(bundle, folder / "bundle.zip")
            sizes[cloud] = (folder / "bundle.zip").stat().st_size
            with cases(bundle, folder) as made:
                for case, each in zip(made, compare(made, runs), strict=True):
                    figures[case.function.name] = {
                        "cpu": each.cpu,
                        "modules": each.modules,
                        "memory": each.memory,
                        "p50": each.p50,
                        "p99": each.p99,
                    }
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {cpu_count()} cores",
        "versions": dict(_versions()),
        "runs": runs,
        "zip_bytes": sizes,
        "functions": figures,
        "scaling": scaling.measure(),
    }


def _versions() -> Iterator[tuple[str, str]]:
    yield from ((name, version(name)) for name in LIBRARIES)
    for name in SDKS:
        (found,) = OFFICIAL.glob(f"{name.replace('-', '_')}-*.dist-info")
        yield name, found.name.removesuffix(".dist-info").rpartition("-")[2]


def tables(result: dict[str, Any]) -> str:
    """Return the result as tables in Markdown."""
    figures = result["functions"]
    lines = [
        "| function | cold CPU, ms | beside | modules | memory, MB | warm p50, ms | warm p99, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in figures.items():
        beside = ", ".join(f"{each['cpu'] / figures[other]['cpu']:.2f} of {other}" for other in BASELINES.get(name, []))
        shown = f"**{name}**" if name in BASELINES else name
        lines.append(
            f"| {shown} | {each['cpu'] * 1e3:.0f} | {beside} | {each['modules']} | {each['memory'] / 1e6:.0f}"
            f" | {each['p50'] * 1e3:.1f} | {each['p99'] * 1e3:.1f} |"
        )
    zipped = ", ".join(f"{size / 1e6:.1f} MB for {cloud}" for cloud, size in result["zip_bytes"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    lines += [
        "",
        f"Bundles, zipped: {zipped} (Google installs the packages itself). Measured on {result['date']} with Python",
        f"{result['python']} ({result['machine']}), {libraries}.",
        f"The cheapest of {result['runs']} starts of each function counts; they take turns.",
        "",
        *scaling.tables(result["scaling"]),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="starts of each function (default: 15)")
    runs: int = parser.parse_args(arguments).runs
    result = measure(runs)
    text = tables(result)
    sys.stdout.write(text)
    (ROOT / "dist" / "bench.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
