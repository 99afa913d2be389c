"""A notification channel of Apprise: one address for any of its services."""

import logging
import re
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import PermanentError, UnavailableError
from shared.notice import Notice, notice_text, notice_title

if TYPE_CHECKING:
    from apprise import Apprise

# Apprise waits 4 s to connect and 4 s for an answer, but an address may have many recipients or be a slow mail server.
SEND_TIME_LIMIT: Final = 10.0
# `[text](address)`, `[text][name]`, `<address|text>`, `<!channel>`, `<@name>`, `<!-- ... -->`, `@everyone`.
_MARKUP: Final = re.compile(r"\](?=[(\[])|<(?=\S)|@(?=everyone|here|channel|all\b)", re.IGNORECASE)
# Services with several formats keep the one that their address demands to themselves.
_MARKDOWN: Final = re.compile(r"(?<=[?&]format=)markdown(?=&|$)", re.IGNORECASE)
_KINDS: Final = {
    "ended": "success",
    "failed": "failure",
    "rejected": "warning",
    "awaiting_approval": "warning",
    "stale": "warning",
}


class AppriseChannel:
    """A `shared.ports.Notifier`.

    Args:
        address: the URL for Apprise, which holds secrets and is never shown.
        name: its name in messages: its position in the configuration and its scheme.
        time_limit: seconds after which a notice counts as not delivered.

    """

    def __init__(self, address: str, name: str, *, time_limit: float = SEND_TIME_LIMIT) -> None:
        """Keep the address; Apprise is imported on first use, as that takes 0.3 s."""
        self._address = address
        self._name = name
        self._time_limit = time_limit

    def send(self, notice: Notice) -> None:
        """Send *notice*; see the port."""
        channel = self.open()
        sending = _Sending(channel, notice)
        sending.start()
        sending.join(self._time_limit)
        if sending.is_alive():
            raise UnavailableError(self._name, "take a notice", f"no answer within {self._time_limit:g} s")
        if not sending.taken:
            # Apprise gives the reason only in its log, which contains secrets.
            raise UnavailableError(self._name, "take a notice", "Apprise could not deliver it")

    def open(self) -> "Apprise":
        """Return the Apprise object of the address; nothing is sent.

        Raises:
            PermanentError: Apprise does not support the address; the message does not show it.

        """
        import apprise

        # Apprise logs addresses, some at error level.
        logging.getLogger("apprise").disabled = True
        # Send to one recipient after the other, and create no mail keys, which would be written to disk.
        asset = apprise.AppriseAsset(async_mode=False, pgp_autogen=False, pem_autogen=False, app_id="Retrain trigger")
        channel = apprise.Apprise(asset=asset)
        if not channel.add(_MARKDOWN.sub("text", self._address)):
            raise PermanentError(f"{self._name}: is not an address that Apprise supports; correct it in retrain.toml")
        markdown, text = apprise.NotifyFormat.MARKDOWN, apprise.NotifyFormat.TEXT
        for service in channel:
            # Apprise escapes text for services that take HTML, but not for those that take Markdown.
            declared = service.notify_format
            formats = list(declared) if isinstance(declared, tuple | list) else [declared]
            if markdown in formats:
                others = [each for each in formats if each != markdown]
                service.notify_format = text if text in others or not others else others[0]
        return channel


class _Sending(threading.Thread):
    """Sends in a separate thread, which can be abandoned, since not every service keeps time limits."""

    def __init__(self, channel: "Apprise", notice: Notice) -> None:
        super().__init__(name="retrain-notice", daemon=True)
        self._channel = channel
        self._notice = notice
        self.taken = False

    def run(self) -> None:
        """Send the notice; `taken` says whether Apprise delivered it."""
        try:
            self.taken = bool(
                self._channel.notify(
                    title=_without_links(notice_title(self._notice)),
                    body=_without_links(_body(self._notice)),
                    notify_type=_KINDS.get(self._notice.event, "info"),
                    # The text may come from anywhere: services that take HTML escape it.
                    body_format="text",
                )
            )
        except Exception:  # noqa: BLE001 - from any of over a hundred services, and its text may hold the address
            self.taken = False


def _without_links(text: str) -> str:
    """Return *text* so that it makes no link with a text of its own, comment or mention.

    Some services read Markdown or a markup of their own in every message, even in one that is sent as plain text.
    """
    return _MARKUP.sub(r"\g<0> ", text)


def _body(notice: Notice) -> str:
    """Return the text without its first line, the title, which is sent separately."""
    return notice_text(notice).partition("\n")[2]
