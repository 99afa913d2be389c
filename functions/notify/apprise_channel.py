"""A channel of Apprise: one address that its many services are reached by."""

import logging
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import PermanentError, UnavailableError
from shared.notice import Notice, notice_text, notice_title

if TYPE_CHECKING:
    from apprise import Apprise

# Apprise gives a connection 4 s and a silence 4 s, but an address may have many recipients, or be a slow mail server.
LIMIT: Final = 10.0
_KINDS: Final = {"ended": "success", "failed": "failure", "rejected": "warning", "awaiting_approval": "warning"}


class AppriseChannel:
    """A `shared.ports.Notifier`.

    Args:
        address: Apprise's URL, which holds secrets: it is shown nowhere.
        name: what to call it: its place in the configuration and its scheme.
        limit: seconds after which it is given up.

    """

    def __init__(self, address: str, name: str, *, limit: float = LIMIT) -> None:
        """Send nothing yet, and import nothing: Apprise takes 0.3 s."""
        self._address = address
        self._name = name
        self._limit = limit

    def send(self, notice: Notice) -> None:
        """Send *notice*; see the port."""
        channel = self.open()
        sending = _Sending(channel, notice)
        sending.start()
        sending.join(self._limit)
        if sending.is_alive():
            raise UnavailableError(self._name, "take a notice", f"no answer within {self._limit:g} s")
        if not sending.taken:
            # Apprise tells why in its log only, where secrets are.
            raise UnavailableError(self._name, "take a notice", "Apprise could not deliver it")

    def open(self) -> "Apprise":
        """Return what Apprise makes of the address; nothing is sent.

        Raises:
            PermanentError: the address is none that Apprise knows; it is not shown.

        """
        import apprise

        # It logs addresses, some of them at the level of errors.
        logging.getLogger("apprise").disabled = True
        # One after the other; and it makes no keys for mail, which would go to the disk.
        asset = apprise.AppriseAsset(async_mode=False, pgp_autogen=False, pem_autogen=False, app_id="Retrain trigger")
        channel = apprise.Apprise(asset=asset)
        if not channel.add(self._address):
            raise PermanentError(f"{self._name}: is no address that Apprise knows")
        return channel


class _Sending(threading.Thread):
    """Sends in a thread of its own, which can be left behind: not every service keeps time limits."""

    def __init__(self, channel: "Apprise", notice: Notice) -> None:
        super().__init__(name="retrain-notice", daemon=True)
        self._channel = channel
        self._notice = notice
        self.taken = False

    def run(self) -> None:
        """Send."""
        try:
            self.taken = bool(
                self._channel.notify(
                    title=notice_title(self._notice),
                    body=_body(self._notice),
                    notify_type=_KINDS.get(self._notice.event, "info"),
                    # Somebody else's text: where a service takes HTML it is escaped.
                    body_format="text",
                )
            )
        except Exception:  # noqa: BLE001 - any service of over a hundred, and its text may hold the address
            self.taken = False


def _body(notice: Notice) -> str:
    """Return the text without its title, which goes beside it."""
    return notice_text(notice).partition("\n")[2]
