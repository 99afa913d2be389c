"""`python -m bench.programs.on_lambda MODULE FUNCTION EVENTS DESCRIPTOR` invokes a function as Lambda does."""

import importlib
import os
import sys

from bench.programs.measured import run


class Context:
    """The context of an invocation that Lambda passes, as far as the functions read it."""

    aws_request_id = f"bench-{os.getpid()}"


module, name, *arguments = sys.argv[1:]
function = getattr(importlib.import_module(module), name)
run(lambda event: function(event, Context()), arguments)
