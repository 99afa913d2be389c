"""The options of the server of this machine; importing them takes no time."""

import argparse

from shared.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of the server.

    Attributes:
        host: the address to listen on.
        port: the port; 0 takes any free one.
        allowed_hosts: further names that requests may have as their `Host`.
        cron: when to emit triggers for scheduled models, in UTC.
        sweep: when to finish work that was left undone, in UTC.

    """

    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    cron: str
    sweep: str


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server to *parser*; `read_settings` reads them."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; whatever reaches it can train")
    parser.add_argument("--port", type=read_port, default=8080, help="0 takes any free one")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer requests under this host name; may be repeated",
    )
    parser.add_argument(
        "--cron", type=read_cron, default="30 9 * * MON", help="when to emit triggers for scheduled models, in UTC"
    )
    parser.add_argument(
        "--sweep", type=read_cron, default="*/5 * * * *", help="when to finish work that was left undone, in UTC"
    )


def read_settings(options: argparse.Namespace) -> Settings:
    """Return the settings for parsed *options*."""
    return Settings(
        host=options.host,
        port=options.port,
        allowed_hosts=tuple(options.allow_host),
        cron=options.cron,
        sweep=options.sweep,
    )


def read_cron(text: str) -> str:
    """Return *text*, a schedule in five fields of cron.

    Raises:
        argparse.ArgumentTypeError: it is not such a schedule.

    """
    from functions.local.cron import Schedule
    from shared.errors import ConfigError

    try:
        return Schedule(text).expression
    except ConfigError as error:
        raise argparse.ArgumentTypeError("; ".join(error.problems)) from error


def read_port(text: str) -> int:
    """Return the number of a port that a command is given; 0 is any free one.

    Raises:
        argparse.ArgumentTypeError: it is not such a number.

    """
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the largest port
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, not {text!r}")
    return int(text)
