"""Runs in the process of the tests, in its main thread, programs that handle signals: servers and supervisors."""

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


@contextmanager
def own_signals() -> Iterator[None]:
    """Restore the handlers of signals afterwards; a signal that comes too late changes nothing."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        if (woken := signal.set_wakeup_fd(-1)) >= 0:
            os.close(woken)
        for number, handler in before.items():
            signal.signal(number, handler)


def get(url: str) -> Any:
    """Return the JSON answer to a GET request."""
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own server
        return json.load(response)


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the result of *look* once it is not None."""
    limit = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.01)
    return found


def address_in(folder: Path) -> Callable[[], str | None]:
    """Return a function that returns the address of the server of *folder* once it is there."""

    def address() -> str | None:
        with suppress(OSError, ValueError):
            return str(json.loads((folder / ".local" / "serve.json").read_text())["url"])
        return None

    return address


def serve_here(
    serve: Callable[[], int],
    address: Callable[[], str | None],
    visit: Callable[[str], object],
    *signals: signal.Signals,
) -> int:
    """Call *serve*, which serves until a signal, and return its result; an error of *visit* is raised.

    Args:
        serve: serves in this thread.
        address: returns the address once the server answers, and None before.
        visit: called in another thread with the address.
        signals: sent when *visit* has returned; by default SIGINT.

    """
    errors: list[BaseException] = []
    ended = threading.Event()

    def user() -> None:
        try:
            if url := until(lambda: address() or ("" if ended.is_set() else None)):
                visit(url)
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
        finally:
            for number in signals or (signal.SIGINT,):
                os.kill(os.getpid(), number)
            # One that came before the server handled signals is lost.
            while not ended.wait(5):
                os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=user)
    with own_signals():
        visitor.start()
        try:
            return serve()
        finally:
            ended.set()
            visitor.join()
            if errors:
                raise errors[0]
