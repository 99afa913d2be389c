"""The entry point of the installed command `retrain`.

The wheel has `shared`, `functions` and all that a build needs in `retrain_trigger/_bundle`, so that the user's
environment gets no top-level package with such a common name. The launcher puts that folder first on the path of this
process only, before anything else is imported: a package `shared` of the user's own is never imported by mistake.
"""

import sys

# The exit code of a program that SIGINT ended, as shells count it.
INTERRUPTED = 130


def main() -> int:
    """Run the command line of this process and return its exit code."""
    try:
        from pathlib import Path

        here = Path(__file__).resolve().parent
        bundle = here / "_bundle"
        # In a checkout, and in an editable install, the packages are beside this one.
        sys.path.insert(0, str(bundle if bundle.is_dir() else here.parent))
        from functions.cli.__main__ import run

        return run()
    except KeyboardInterrupt:
        # Ctrl-C while modules are imported, which are therefore not imported at the top.
        return INTERRUPTED
