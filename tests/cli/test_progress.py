"""On a terminal a command shows what it is doing; in a file or a pipe it does not."""

import io

from functions.cli.progress import Progress
from tests.cli.programs import Terminal


def test_the_current_step_is_shown_on_a_terminal() -> None:
    """The line is removed at the end, and the cursor is there again."""
    stream = Terminal()
    with Progress(stream) as progress:
        progress.step("packing")
        progress.step("compiling")
    shown = stream.getvalue()
    assert " compiling" in shown
    assert shown.index("\x1b[?25l") < shown.index("compiling") < shown.index("\x1b[?25h")
    assert shown.endswith("\x1b[2K")


def test_nothing_is_shown_elsewhere() -> None:
    """A log has no spinner in it."""
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.step("packing")
    assert stream.getvalue() == ""
