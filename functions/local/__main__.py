"""The local cloud as a server: `python -m functions.local`."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from functions.local.cron import Cron
from functions.local.server import serve
from functions.local.wiring import LocalCloud, local_cloud
from shared.emit import tick
from shared.errors import RetrainError
from shared.log import log_to
from shared.training.sweep import sweep

log = logging.getLogger("retrain")


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code."""
    options = _options(arguments)
    log_to(sys.stderr)
    # From here on, so that a signal during the start ends the server, too.
    stopped = threading.Event()
    _on_stop_signals(stopped.set)
    try:
        cloud = local_cloud(os.environ)
        crons = _crons(cloud, options.cron, options.sweep)
        server = serve(cloud.emitter, options.host, options.port, options.allow_host)
    except (RetrainError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _on_stop_signals(server.stop)
    if stopped.is_set():
        server.stop()
    cloud.consumer.start()
    for cron in crons:
        cron.start()
    log.info("local.serving", extra={"url": _url(options.host, server.port)})
    server.run()
    for cron in crons:
        cron.stop()
    cloud.consumer.stop()
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m functions.local", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; whatever reaches it can train")
    parser.add_argument("--port", type=_port, default=8080, help="0 takes any free one")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer requests under this host name; may be repeated",
    )
    parser.add_argument("--cron", default="30 9 * * MON", help="when to emit triggers for scheduled models, in UTC")
    parser.add_argument("--sweep", default="* * * * *", help="when to finish work that was left undone, in UTC")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the largest port
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, not {text!r}")
    return int(text)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _crons(cloud: LocalCloud, ticks: str, sweeps: str) -> list[Cron]:
    return [
        Cron(ticks, cloud.emitter.clock, tick=lambda at: tick(cloud.emitter, at), memory=cloud.database),
        Cron(sweeps, cloud.emitter.clock, tick=lambda _: sweep(cloud.receiver), memory=cloud.database, name="sweep"),
    ]


def _on_stop_signals(stop: Callable[[], object]) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
