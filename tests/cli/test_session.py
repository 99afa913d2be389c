"""The session in docs/start.md is that of a real terminal.

`RECORD=1 .venv/bin/python -m pytest tests/cli/test_session.py` writes it anew.
"""

import os
import re
from pathlib import Path
from typing import Final

from tests.cli.package import ROOT
from tests.cli.session import Terminal

PAGE: Final = ROOT / "docs" / "start.md"
# The two terminals, each in a block of its own.
_RECORDED: Final = re.compile(r"(<!-- session: (\w+) -->\n\n```text\n)(.*?)(\n```\n)", re.DOTALL)


def test_the_recorded_session_is_a_real_one(tmp_path: Path) -> None:
    """From the first files to the first training: all that is typed and printed, but for times, ids and paths."""
    server, other = Terminal(tmp_path), Terminal(tmp_path)
    server.run("init", "my-models")
    server.enter("my-models")
    other.enter("my-models")
    with server.serving("serve", "--port", "0", until="serving url"):
        other.run("emit", "braking", "--reason", "new labels", "--id", "labels-1")
        server.wait("result=succeeded")
        other.run("models")
        other.run("show", "braking")
    printed = {
        "server": server.text().replace(" --port 0", ""),
        "other": other.text().replace("new labels --", '"new labels" --'),
    }
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("RECORD"):
        PAGE.write_text(_RECORDED.sub(lambda found: f"{found[1]}{printed[found[2]]}{found[4]}", page), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
    assert {found[2]: found[3] for found in _RECORDED.finditer(page)} == printed
