"""Sends a notice through the notification channels: one that fails stops neither the others nor the caller."""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

from shared.errors import RetrainError, UnavailableError
from shared.notice import Notice
from shared.ports import Notifier

_SCHEME: Final = r"([A-Za-z][A-Za-z0-9+.-]{0,19}):"

log = logging.getLogger("retrain")


def send_to_channels(
    notice: Notice,
    channels: Sequence[str],
    notifier: Callable[[str], Notifier],
    *,
    is_late: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Send *notice* through each of *channels*; nothing is raised, and a failure is logged.

    Args:
        notice: the notice.
        channels: the addresses of the configuration, which hold secrets.
        notifier: makes the notifier of a channel.
        is_late: whether the time for all channels together is used up; the remaining ones are then left out.

    Returns:
        The labels of the channels that the notice did not reach.

    """
    failed = []
    for channel in channels:
        try:
            if is_late():
                raise UnavailableError("The channels before it", "take a notice in time")  # noqa: TRY301 - one way to fail
            notifier(channel).send(notice)
        except Exception as error:  # noqa: BLE001 - no failure of one channel may affect the others
            failed.append(channel_label(channel))
            fields = {"channel": failed[-1], "notice": notice.event, "model_id": notice.model_id}
            log.warning("retrain.notice_failed", extra={**fields, "error": described(error)})
    return failed


def channel_label(channel: str) -> str:
    """Return a name for *channel* that gives no secret away: its scheme and a digest, e.g. `slack-1f0c93ab`."""
    scheme = re.match(_SCHEME, channel)
    return f"{scheme[1] if scheme else 'channel'}-{hashlib.sha256(channel.encode()).hexdigest()[:8]}"


def described(error: Exception) -> str:
    """Return *error* for the log: only the project's own errors are known to hold no secrets."""
    return f"{type(error).__name__}: {error}" if isinstance(error, RetrainError) else type(error).__name__
