"""`python -m bench.programs.on_functions_host FUNCTION EVENTS DESCRIPTOR` invokes an Azure function as its worker does.

The app is indexed, each event passes the library's own converters, and the function is called.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from bench.programs.measured import run

# By its path: its package imports the host.
_WORKER = Path(__file__).parents[2] / "emulators" / "functions_host" / "worker.py"
_spec = spec_from_file_location("worker", _WORKER)
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_WORKER} cannot be imported")
worker = module_from_spec(_spec)
_spec.loader.exec_module(worker)

name, *arguments = sys.argv[1:]
functions = worker.indexed(Path.cwd())
run(lambda event: worker.invoked(functions[name], event), arguments)
