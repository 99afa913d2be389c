"""`python -m functions.notify.needed CONFIGURATION...`: exit code 0 if a channel in one of them needs Apprise, else 1.

Apprise is most of the size of a bundle, so a bundle contains it only then.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from functions.notify.wiring import needs_apprise
from shared.config.file import load_configuration


def main(paths: Sequence[str]) -> int:
    """Return 0 if a channel of one of the configurations at *paths* needs Apprise, else 1."""
    return 0 if any(needs_apprise(load_configuration(Path(path)).channel_places()) for path in paths) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
