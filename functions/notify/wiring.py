"""Makes the notifier of each channel for the wiring of a cloud."""

import logging
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Final

from functions.notify.apprise_channel import AppriseChannel
from shared.errors import ConfigError
from shared.notice import Notice
from shared.ports import Notifier

_SNS: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,19}")

log = logging.getLogger("retrain")


def needs_apprise(channels: Sequence[str]) -> bool:
    """Tell whether one of *channels* is none of SNS."""
    return any(not _SNS.fullmatch(channel) for channel in channels)


class _Elsewhere:
    """A channel that another cloud of this configuration has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def send(self, notice: Notice) -> None:
        """Leave *notice* to the cloud that has the channel."""
        log.info("retrain.channel_elsewhere", extra={"channel": self._name, "notice": notice.event})


def channel_notifiers(
    channels: Sequence[str], *, sns: Callable[[str], Notifier] | None = None
) -> Callable[[str], Notifier] | None:
    """Return what makes the notifier of a channel, each once; none where there are no channels.

    Nothing is imported and nothing is asked before something is sent.

    Args:
        channels: those of the configuration.
        sns: makes the notifier of an SNS topic by its ARN; none on a cloud that has no boto3. One configuration serves
            several clouds: there such a channel is passed over, and the log says so.

    Raises:
        ConfigError: a channel cannot be used here, and is named by its place and its scheme; or Apprise is needed and
            not there.

    """
    problems = [problem for place in range(len(channels)) if (problem := _problem(channels, place))]
    if not problems and needs_apprise(channels) and find_spec("apprise") is None:
        problems = ["notify.channels: the bundle carries no Apprise; build it with this configuration"]
    if problems:
        raise ConfigError("retrain.toml", problems)

    @cache
    def notifier(channel: str) -> Notifier:
        if _SNS.fullmatch(channel):
            return sns(channel) if sns is not None else _Elsewhere(_name(channels, channels.index(channel)))
        return AppriseChannel(channel, _name(channels, channels.index(channel)))

    return notifier if channels else None


def _problem(channels: Sequence[str], place: int) -> str | None:
    channel, name = channels[place], _name(channels, place)
    if _SNS.fullmatch(channel):
        return None
    if channel.startswith("arn:"):
        return f"{name}: must be the ARN of an SNS topic"
    if not _SCHEME.fullmatch(channel.partition("://")[0]) or "://" not in channel:
        return f"{name}: must be the ARN of an SNS topic or an address of Apprise, such as mailto://..."
    return None


def _name(channels: Sequence[str], place: int) -> str:
    """Name a channel without giving anything of it away but its scheme."""
    channel = channels[place]
    scheme = "sns" if _SNS.fullmatch(channel) else channel.partition(":")[0]
    shown = f" ({scheme.lower()})" if ":" in channel and _SCHEME.fullmatch(scheme) else ""
    return f"notify.channels[{place}]{shown}"
