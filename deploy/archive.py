"""`python deploy/archive.py FOLDER ZIP`: packs a bundle as `functions.cli.build.archive` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from functions.cli.build.archive import archive

if __name__ == "__main__":
    archive(Path(sys.argv[1]), Path(sys.argv[2]))
