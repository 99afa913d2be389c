"""`python -m bench.sizes`: time and memory of a drift check on large data, beside Evidently alone on all rows.

It runs in the monitor's environment. Each side is a process of its own; both read the same Parquet files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
# rows, columns: of each data set.
SIZES: Final = {"long": (5_000_000, 20), "wide": (100_000, 300)}
GROUP: Final = 100_000
HEAD: Final = """\
| data (each side) | program | CPU, s | time, s | peak memory, GB | rows per second of CPU |
| --- | --- | --- | --- | --- | --- |
"""
OURS: Final = """
from datetime import UTC, datetime
from pathlib import Path
from functions.monitor.check import check_drift
from functions.monitor.data.storage import Storage
from shared.config.drift import DriftCheck
check = DriftCheck(reference="reference.parquet", current="current.parquet", site="site")
found = check_drift("churn", check, datetime(2026, 11, 23, tzinfo=UTC), Storage(Path.cwd()))
print(len(found.result.columns), len(found.page))
"""
ALONE: Final = """
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
sides = [pd.read_parquet(f"{side}.parquet") for side in ("current", "reference")]
found = Report([DataDriftPreset()], include_tests=True).run(*sides)
print(len(found.dict()["metrics"]), len(found.get_html_str(as_iframe=False)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of a process.

    Attributes:
        cpu: the seconds of CPU.
        wall: the seconds from its start to its end, which other load on the machine prolongs.
        memory: its largest resident memory, in bytes.

    """

    cpu: float
    wall: float
    memory: int


def write(folder: Path, rows: int, columns: int) -> None:
    """Write both data sets; half of the columns of the current data are shifted."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(f"f{number}", pa.float32()) for number in range(columns)])
    for seed, side in enumerate(("reference", "current")):
        chance = np.random.default_rng(seed)
        with parquet.ParquetWriter(folder / f"{side}.parquet", schema) as writer:
            for _ in range(rows // GROUP):
                shifts = [seed * (number % 2) for number in range(columns)]
                drawn = [chance.standard_normal(GROUP, dtype=np.float32) + shift for shift in shifts]
                writer.write_table(pa.table(drawn, schema=schema))


def cost(program: str, folder: Path) -> Cost:
    """Return what running *program* in *folder* costs.

    Raises:
        RuntimeError: it failed.

    """
    begun = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(  # noqa: S603 - a program of this file
        [sys.executable, "-W", "ignore", "-c", program], cwd=folder, env=environment
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the process ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(
        cpu=used.ru_utime + used.ru_stime,
        wall=time.monotonic() - begun,
        memory=used.ru_maxrss * 1024,
    )


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description=__doc__)
    parser.add_argument("sizes", nargs="*", choices=[*SIZES, []], help="which sizes (default: all)")
    sizes: Sequence[str] = parser.parse_args(arguments).sizes or list(SIZES)
    sys.stdout.write(HEAD)
    sys.stdout.flush()
    for name in sizes:
        rows, columns = SIZES[name]
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), rows, columns)
            for program, text in (("drift check", OURS), ("Evidently on all rows", ALONE)):
                found = cost(text, Path(folder))
                sys.stdout.write(
                    f"| {rows:,} rows x {columns} numbers | {program} | {found.cpu:.0f} | {found.wall:.0f}"
                    f" | {found.memory / 1e9:.1f} | {2 * rows / found.cpu:,.0f} |\n"
                )
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
