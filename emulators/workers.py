"""The base of what delivers events in the background: threads that repeat one step."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(kw_only=True, eq=False)
class Workers(ABC):
    """Repeats `_step` in threads of its own between the start and the end of the context.

    Attributes:
        concurrency: the number of threads.

    """

    concurrency: int = 1

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._stopping.clear()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.concurrency)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop after the steps that are running."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    @abstractmethod
    def _step(self) -> None:
        """Do one piece of work, or wait a moment if there is none."""

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._step()
