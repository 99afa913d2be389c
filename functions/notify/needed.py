"""`python -m functions.notify.needed CONFIGURATION...`: exit code 0 if a channel in one of them needs Apprise, else 1.

It is most of what a bundle weighs, so a bundle carries it only then.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from functions.notify.wiring import needs_apprise
from shared.config.file import load_configuration


def main(paths: Sequence[str]) -> int:
    """Look into the configurations."""
    return 0 if any(needs_apprise(load_configuration(Path(path)).channels) for path in paths) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
