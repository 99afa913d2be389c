"""Large data within bounds."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.monitor.given import configuration
from tests.monitor.image import ROOT

ROWS = 5_000_000
COLUMNS = 20
DRIFTED = 12
GROUP = 1_000_000
LIMIT = 2 * 1024**3
TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'
# Prints its own peak at the end: RUSAGE_CHILDREN of this process would give the peak of any child.
PROGRAM = """
import resource, sys
from functions.monitor.__main__ import main
code = main([])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
sys.exit(code)
"""


def write(path: Path, *, shift: float, group: int) -> None:
    """Write twenty columns of five million numbers, in row groups of *group* rows; twelve columns are shifted."""
    random = np.random.default_rng(int(shift))
    names = [f"f{number}" for number in range(COLUMNS)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(ROWS // group):
            # One column of chance is enough: the columns differ in where they begin.
            drawn = random.standard_normal(group, dtype=np.float32)
            columns = [np.roll(drawn, number) + shift * (number < DRIFTED) for number in range(COLUMNS)]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=group)


def test_five_million_rows_of_twenty_columns_fit_into_two_gigabytes(tmp_path: Path) -> None:
    """All rows have a chance to be among those that are compared, even where a writer made one group of them all."""
    write(tmp_path / "reference.parquet", shift=0.0, group=GROUP)
    write(tmp_path / "current.parquet", shift=1.0, group=ROWS)
    (tmp_path / "retrain.toml").write_text(configuration(churn=TABLE).partition("[notify]")[0])
    environment = {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) < LIMIT
    # Nothing else is printed, such as how far a long query is.
    assert json.loads(done.stdout)["checks"][0]["status"] == "drift"
    found = json.loads((tmp_path / "site/models/churn/latest/drift.json").read_text())
    assert found["share"] == DRIFTED / COLUMNS
    assert found["current"]["rows"] == found["reference"]["rows"] == ROWS
    assert found["current"]["sampled"] == 100_000
