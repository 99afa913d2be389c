"""The server of this machine: HTTP, schedule, trainings, and a configuration that is read again when it changes."""

import fcntl
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from functions.local.cron import Cron, Schedule
from functions.local.listener import Listener, StartResponse
from functions.local.live import LiveCloud
from functions.local.metrics import Metrics
from functions.local.server import application
from functions.local.settings import Settings
from functions.local.wiring import FOLDER, ROOT
from functions.machine import now
from shared.emit import emit_scheduled
from shared.errors import ConfigError, RetrainError
from shared.fields import format_time
from shared.frozen import dataclass
from shared.training.sweep import sweep

# Seconds between two looks at the configuration file.
WATCH_INTERVAL: Final = 0.5
# When the models' own schedules are evaluated, as on the clouds.
SCHEDULES: Final = "*/5 * * * *"
ADDRESS_FILE: Final = "serve.json"
LOCK_FILE: Final = "serve.lock"

log = logging.getLogger("retrain")


class FolderInUseError(RetrainError):
    """Another server runs in the same folder."""


class FolderReplacedError(RetrainError):
    """The lock or the database of the server was removed or replaced, so that others no longer share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A server that has started.

    Attributes:
        url: its address.
        cloud: the cloud that it serves.
        folder: the folder of its data.
        schedule: when scheduled models are requested.

    """

    url: str
    cloud: LiveCloud
    folder: Path
    schedule: Schedule


def run(
    options: Settings,
    variables: Mapping[str, str],
    *,
    root: Path = ROOT,
    started: Callable[[Started], None] = lambda _: None,
) -> None:
    """Serve until SIGINT, SIGTERM or the end of the terminal (SIGHUP).

    Args:
        options: the options.
        variables: the environment variables; trainings inherit them.
        root: where `retrain.toml` is unless `RETRAIN_CONFIG` says otherwise.
        started: called once the server listens.

    Raises:
        ConfigError: the environment, the configuration or a schedule is wrong.
        FolderInUseError: another server runs in the folder.
        ListenError: the port is in use, or the address is not one of this machine.
        UnavailableError: the bus or the ledger cannot be opened.
        FolderReplacedError: the lock or the database was removed or replaced while the server ran.
        OSError: the folder cannot be written to.

    """
    # From here on, so that a signal during the start ends the server, too.
    stopped = threading.Event()
    _on_stop_signals(stopped.set)
    cloud = LiveCloud(variables, root=root)
    folder = cloud.emitter.config.folder / FOLDER
    with _sole_server(folder) as announce:
        # Before anything starts: a file that is damaged or cannot be written would fail every event.
        cloud.check_storage()
        crons = _crons(cloud, options)
        listener = Listener(_application(cloud, {options.host, *options.allowed_hosts}), options.host, options.port)
        _on_stop_signals(listener.stop)
        if stopped.is_set():
            listener.stop()
        url = _url(options.host, listener.port)
        announce(url)
        replaced: list[Path] = []
        kept = _Kept((folder / LOCK_FILE, cloud.database))

        def give_up(path: Path) -> None:
            replaced.append(path)
            listener.stop()

        watch = threading.Thread(target=_watch, args=(cloud, stopped, kept, give_up), name="configuration", daemon=True)
        cloud.consumer.start()
        watch.start()
        for cron in crons:
            cron.start()
        started(Started(url=url, cloud=cloud, folder=folder, schedule=Schedule(options.cron)))
        log.info("local.serving", extra={"url": url})
        listener.run()
        stopped.set()
        for cron in crons:
            cron.stop()
        cloud.consumer.stop()
    if replaced:
        raise FolderReplacedError(
            f"{replaced[0]} was removed or replaced while the server ran, so commands no longer reached it;"
            " start the server again"
        )


def _application(
    cloud: LiveCloud, allowed_hosts: Iterable[str]
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    hosts, metrics = frozenset(allowed_hosts), Metrics()
    logging.getLogger("retrain").addHandler(metrics)

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return application(cloud.emitter, hosts, metrics)(environ, start_response)

    return answer


def _crons(cloud: LiveCloud, options: Settings) -> list[Cron]:
    return [
        Cron(options.cron, now, tick=lambda at: emit_scheduled(cloud.emitter, at), memory=cloud.database),
        Cron(SCHEDULES, now, tick=lambda _: _evaluate(cloud), memory=cloud.database, name="schedules"),
        Cron(options.sweep, now, tick=lambda _: sweep(cloud.receiver), memory=cloud.database, name="sweep"),
    ]


def _evaluate(cloud: LiveCloud) -> None:
    from shared.schedules import emit_own_schedules

    emit_own_schedules(cloud.emitter)


@contextmanager
def _sole_server(folder: Path) -> Iterator[Callable[[str], None]]:
    """Hold the folder's lock, and yield a function that writes the server's address beside it.

    Raises:
        FolderInUseError: another server holds the lock.

    """
    folder.mkdir(parents=True, exist_ok=True)
    address = folder / ADDRESS_FILE
    # The system releases the lock when the process ends, however it ends.
    with (folder / LOCK_FILE).open("a") as lock:
        kept = _Kept((folder / LOCK_FILE,))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUseError(_in_use(folder, address)) from None

        def announce(url: str) -> None:
            content = {"url": url, "pid": os.getpid(), "started_at": format_time(now().replace(microsecond=0))}
            new = address.with_suffix(".new")
            new.write_text(json.dumps(content), encoding="ascii")
            new.replace(address)

        try:
            yield announce
        finally:
            # In a folder that was replaced the address may be that of another server.
            if kept.lost() is None:
                address.unlink(missing_ok=True)


def _in_use(folder: Path, address: Path) -> str:
    first = "another server"
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(address.read_text(encoding="ascii"))
        first = f"the server at {content['url']} (process {content['pid']})"
    return f"{folder.parent} is already served by {first}; use that one, or stop it first"


class _Kept:
    """Files that must stay the same ones while the server runs, whatever their content."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._inodes = {path: _inode(path) for path in paths}

    def lost(self) -> Path | None:
        """Return the first file that was removed or replaced; None if there is none."""
        return next((path for path, inode in self._inodes.items() if _inode(path) != inode), None)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _watch(cloud: LiveCloud, stopped: threading.Event, kept: _Kept, give_up: Callable[[Path], object]) -> None:
    """Read the configuration again whenever its file has changed and then stays the same for an interval.

    Also call *give_up* with the first of the *kept* files that was removed or replaced.
    """
    loaded = seen = _signature(cloud.config_file)
    while not stopped.wait(WATCH_INTERVAL):
        if path := kept.lost():
            give_up(path)
            return
        before, seen = seen, _signature(cloud.config_file)
        if seen == loaded or seen != before:
            continue
        loaded = seen
        try:
            cloud.reload()
        except ConfigError as error:
            log.warning("local.configuration_invalid", extra={"problems": list(error.problems), "kept": "the last one"})
        except Exception:
            log.exception("local.configuration_not_loaded")
        else:
            models = [model.name for model in cloud.emitter.config.models]
            log.info("local.configuration_loaded", extra={"models": models})


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _on_stop_signals(stop: Callable[[], object]) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup the end of the terminal does not count.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)
