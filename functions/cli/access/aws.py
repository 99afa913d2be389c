"""AWS: requests to a function URL or an HTTP API are signed (Signature Version 4) with the user's credentials."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from functions.cli.command import AccessError

# Service and region are in the host name: ID.lambda-url.REGION.on.aws, ID.execute-api.REGION.amazonaws.com.
_HOST: Final = re.compile(r"[^.]+\.(lambda-url|execute-api)\.([a-z0-9-]+)\..+")
_SERVICES: Final = {"lambda-url": "lambda", "execute-api": "execute-api"}


class AwsAccess:
    """Signs requests; a `functions.cli.command.Access`."""

    def __init__(self, url: str, session: Session) -> None:
        """Sign for the API at *url*, with the credentials that *session* finds.

        Raises:
            AccessError: no region is known.

        """
        named = _HOST.fullmatch(urlsplit(url).hostname or "")
        # A domain of the user's own is in front of an HTTP API.
        self._service = _SERVICES[named[1]] if named else "execute-api"
        self._region = named[2] if named else session.get_config_variable("region")
        if not self._region:
            raise AccessError(f"{url}: the region is not in the address; set AWS_REGION")
        self._session = session

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Return *headers* and the signature; see `Access`."""
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise AccessError(
                    "there are no AWS credentials; sign in (`aws sso login`, `aws configure`) and try again"
                )
            request = AWSRequest(method, url, headers=dict(headers), data=body)
            SigV4Auth(credentials.get_frozen_credentials(), self._service, self._region).add_auth(request)
        except (BotoCoreError, ClientError) as error:
            raise AccessError(f"the AWS credentials cannot be used ({error}); sign in and try again") from error
        return dict(request.headers.items())
