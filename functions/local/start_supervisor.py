"""Starts `functions.local.supervisor` as a program, by the path of this file.

`python -m` needs the working folder or `PYTHONPATH` to find the package, and `PYTHONSAFEPATH` or an installation
outside of `site-packages` takes both away. The package of this file is put first on the path instead.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from functions.local.supervisor import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
