"""The address of GitHub: the base URL of its API, and of its web pages."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.errors import ConfigError
from shared.frozen import dataclass

PUBLIC: Final = "https://api.github.com"
VARIABLE: Final = "RETRAIN_GITHUB_API"

# GitHub Enterprise Server has its API below its pages; github.com and data residency (SUBDOMAIN.ghe.com) beside them.
_BELOW: Final = "/api/v3"
_BESIDE: Final = "api."


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubAddress:
    """github.com, or another GitHub.

    Attributes:
        api: the base URL of its REST API, without a slash at its end.
        pages: the base URL of its web pages.
        is_loopback: it is a stand-in on this machine, which needs no token.

    """

    api: str
    pages: str
    is_loopback: bool

    def dispatches(self, repository: str) -> str:
        """Return the URL for events to *repository* (`OWNER/NAME`)."""
        return f"{self.api}/repos/{repository}/dispatches"

    def runs(self, repository: str) -> str:
        """Return the web page that lists the runs started by such events."""
        return f"{self.pages}/{repository}/actions?query=event%3Arepository_dispatch"


def read_address(base_url: str) -> GitHubAddress:
    """Read the base URL of an API; an empty one means github.com.

    Raises:
        ConfigError: it is not valid, or would send the token unencrypted over a network.

    """
    api = (base_url or PUBLIC).rstrip("/")
    try:
        parts = urlsplit(api)
        is_loopback = _is_loopback(parts.hostname or "")
        legal = _is_legal(parts, is_loopback=is_loopback)
    except ValueError:
        legal = False
    if not legal:
        # The value is not shown, since it may contain a password.
        raise ConfigError("environment", [f"{VARIABLE}: must be a URL such as https://github.example.com{_BELOW}"])
    host = parts.netloc.removeprefix(_BESIDE)
    return GitHubAddress(
        api=api, pages=f"{parts.scheme}://{host}{parts.path.removesuffix(_BELOW)}", is_loopback=is_loopback
    )


def _is_legal(parts: SplitResult, *, is_loopback: bool) -> bool:
    schemes = {"https", "http"} if is_loopback else {"https"}
    return (
        parts.scheme in schemes
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
        and parts.port != 0
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
