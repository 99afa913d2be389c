"""Shows what a command is doing, on a terminal only."""

from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """A line with a spinner that names the current step; nothing where *stream* is not a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._status: Status | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the line."""
        if self._status is not None:
            self._status.stop()

    def step(self, name: str) -> None:
        """Show the step that begins now."""
        if not self._stream.isatty():
            return
        if self._status is None:
            from rich.console import Console

            self._status = Console(file=self._stream).status(name)
            self._status.start()
        else:
            self._status.update(name)
