"""The Azure Functions host without Azure: indexes and invokes a function app, through azure-functions' own converters.

The app runs from its bundle, in processes of its own. There is no package of Microsoft's worker for this Python, so
`worker.py` does its work between the host and the functions, in the same order and with the same refusals.
"""

from emulators.functions_host.host import FunctionsHost
from emulators.functions_host.keys import Keys
from emulators.functions_host.process import FunctionError, Invocation

__all__ = ["FunctionError", "FunctionsHost", "Invocation", "Keys"]
