"""Google Cloud: an identity token, which Cloud Run verifies.

Cloud Run accepts tokens made for its own address, and those of gcloud's own client. The application default credentials
of a person (`gcloud auth application-default login`) give neither: their tokens are made for another client, and a
person's refresh token cannot name an audience. So a person's token comes from `gcloud auth print-identity-token`, and
that of a service account from the key or configuration file that GOOGLE_APPLICATION_CREDENTIALS names.
"""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.cli.command import AccessError

# Seconds before its end at which a token is replaced.
EARLY: Final = 300
GCLOUD_TIME_LIMIT: Final = 60


class GoogleAccess:
    """Sends an identity token; a `functions.cli.command.Access`."""

    def __init__(
        self,
        audience: str,
        variables: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        *,
        time_limit: float = GCLOUD_TIME_LIMIT,
    ) -> None:
        """Send tokens for *audience*, the address of the function at Cloud Run.

        Args:
            audience: whom the tokens are for.
            variables: the environment variables.
            clock: returns the time in seconds since 1970.
            time_limit: how many seconds gcloud may take.

        """
        self._audience, self._variables, self._clock = audience, variables, clock
        self._time_limit = time_limit
        self._token, self._expires = "", 0.0

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol
        """Return *headers* and the token; see `Access`."""
        if self._clock() > self._expires - EARLY:
            self._token = self._service_account_token() or self._gcloud_token()
            self._expires = _expiry(self._token)
        return {**headers, "authorization": f"Bearer {self._token}"}

    def _service_account_token(self) -> str:
        """Return the token of the account that GOOGLE_APPLICATION_CREDENTIALS names; empty for that of a person."""
        if not self._variables.get("GOOGLE_APPLICATION_CREDENTIALS"):
            return ""
        import urllib3
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from google.auth.transport.urllib3 import Request
        from google.oauth2.id_token import fetch_id_token

        try:
            token: str = fetch_id_token(Request(urllib3.PoolManager()), self._audience)
        except DefaultCredentialsError:
            return ""
        except GoogleAuthError as error:
            raise AccessError(f"GOOGLE_APPLICATION_CREDENTIALS: gives no identity token ({error})") from error
        return token

    def _gcloud_token(self) -> str:
        gcloud = shutil.which("gcloud", path=self._variables.get("PATH"))
        if gcloud is None:
            raise AccessError(
                "gcloud is missing, which makes a person's identity tokens; install it (https://cloud.google.com/sdk/docs/install),"
                " or name the key of a service account in GOOGLE_APPLICATION_CREDENTIALS"
            )
        command = [gcloud, "auth", "print-identity-token"]
        if self._variables.get("CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"):
            # Only a service account's token can be made for an audience.
            command += [f"--audiences={self._audience}", "--include-email"]
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=self._time_limit
            )
        except subprocess.TimeoutExpired as error:
            raise AccessError(
                f"gcloud gives no identity token within {self._time_limit:g} s; run `gcloud auth login`"
            ) from error
        if done.returncode != 0:
            raise AccessError(f"gcloud gives no identity token; run `gcloud auth login`: {done.stderr.strip()[-300:]}")
        return done.stdout.strip()


def _expiry(token: str) -> float:
    """Return when *token* expires; now where it does not say."""
    try:
        payload = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return 0.0
