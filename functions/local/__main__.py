"""The fourth cloud as a server: `python -m functions.local`."""

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
from shared.errors import ConfigError
from shared.log import log_to
from shared.training.sweep import sweep

log = logging.getLogger("retrain")


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal says stop; returns the exit code."""
    options = _options(arguments)
    log_to(sys.stderr)
    try:
        cloud = local_cloud(os.environ)
        crons = _crons(cloud, options.cron, options.sweep)
        server = serve(cloud.emitter, options.host, options.port)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _stop_on_signal(server.close)
    cloud.consumer.start()
    for cron in crons:
        cron.start()
    log.info("local.serving", extra={"url": f"http://{options.host}:{server.effective_port}"})
    server.run()
    for cron in crons:
        cron.stop()
    cloud.consumer.stop()
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m functions.local", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; anybody who reaches it may train")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free one")
    parser.add_argument("--cron", default="30 9 * * MON", help="when the scheduled models are asked for, in UTC")
    parser.add_argument("--sweep", default="* * * * *", help="when everything left undone is looked after, in UTC")
    return parser.parse_args(arguments)


def _crons(cloud: LocalCloud, ticks: str, sweeps: str) -> list[Cron]:
    return [
        Cron(ticks, cloud.emitter.clock, tick=lambda at: tick(cloud.emitter, at), memory=cloud.database),
        Cron(sweeps, cloud.emitter.clock, tick=lambda _: sweep(cloud.receiver), memory=cloud.database, name="sweep"),
    ]


def _stop_on_signal(close: Callable[[], object]) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=close, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
