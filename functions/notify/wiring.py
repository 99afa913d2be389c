"""Makes the notifier of each notification channel."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
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


def needs_apprise(channels: Iterable[str]) -> bool:
    """Whether any of *channels* is not an SNS topic."""
    return any(not _SNS.fullmatch(channel) for channel in channels)


class _OtherCloud:
    """A channel that only another cloud of this configuration can use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def send(self, notice: Notice) -> None:
        """Log that *notice* is not sent here."""
        log.info("retrain.channel_elsewhere", extra={"channel": self._name, "notice": notice.event})


def channel_notifiers(
    channels: Mapping[str, str], *, sns: Callable[[str], Notifier] | None = None
) -> Callable[[str], Notifier] | None:
    """Return a function that makes the notifier of a channel, each once; none if there are no channels.

    Nothing is imported or requested before a notice is sent.

    Args:
        channels: the channels of the configuration, each with its place there.
        sns: makes the notifier of an SNS topic by its ARN; none on a cloud that has no boto3. One configuration serves
            several clouds: there such a channel is skipped, and the log says so.

    Raises:
        ConfigError: a channel is not valid, in which case it is named by its position and scheme; or Apprise is needed
            and not installed.

    """
    problems = [problem for channel, place in channels.items() if (problem := _problem(channel, place))]
    if not problems and needs_apprise(channels) and find_spec("apprise") is None:
        problems = ["notify.channels: Apprise is not in this bundle; build the bundle with this configuration"]
    if problems:
        raise ConfigError("retrain.toml", problems)

    @cache
    def notifier(channel: str) -> Notifier:
        if _SNS.fullmatch(channel):
            return sns(channel) if sns is not None else _OtherCloud(_name(channel, channels[channel]))
        return AppriseChannel(channel, _name(channel, channels[channel]))

    return notifier if channels else None


def _problem(channel: str, place: str) -> str | None:
    name = _name(channel, place)
    if _SNS.fullmatch(channel):
        return None
    if channel.startswith("arn:"):
        return f"{name}: must be the ARN of an SNS topic"
    if not _SCHEME.fullmatch(channel.partition("://")[0]) or "://" not in channel:
        return f"{name}: must be the ARN of an SNS topic or an address of Apprise, such as mailto://..."
    return None


def _name(channel: str, place: str) -> str:
    """Return a name for the channel at *place* that shows nothing of its address but the scheme."""
    scheme = "sns" if _SNS.fullmatch(channel) else channel.partition(":")[0]
    shown = f" ({scheme.lower()})" if ":" in channel and _SCHEME.fullmatch(scheme) else ""
    return f"{place}{shown}"
