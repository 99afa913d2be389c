"""The user's own access to the HTTP API of a deployment, as the options of a command name it."""

import argparse
from collections.abc import Mapping
from urllib.parse import urlsplit

from functions.cli.command import Access, Context, UsageError


class NoAccess:
    """This machine's server authenticates no one; an `Access`."""

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol
        """Return *headers*; see `Access`."""
        return headers


def access_of(context: Context, options: argparse.Namespace, url: str) -> Access:
    """Return the user's own access to the API at *url*.

    Raises:
        UsageError: an option that says how to authenticate is missing.
        AccessError: there are no credentials.

    """
    audience = options.audience
    if options.cloud == "local":
        return NoAccess()
    if options.cloud == "aws":
        from botocore.session import Session

        from functions.cli.access.aws import AwsAccess

        session = Session()
        if region := context.variables.get("AWS_REGION"):
            # Botocore itself reads AWS_DEFAULT_REGION only.
            session.set_config_variable("region", region)
        return AwsAccess(url, session)
    if options.cloud == "gcp":
        from functions.cli.access.gcp import GoogleAccess

        return GoogleAccess(audience or url.rstrip("/"), context.variables)
    from functions.cli.access.azure import EntraAccess, KeyAccess

    if audience:
        from azure.identity import DefaultAzureCredential

        return EntraAccess(audience, DefaultAzureCredential())
    key = context.variables.get("RETRAIN_FUNCTION_KEY")
    if not key and not options.env:
        raise UsageError(
            "set RETRAIN_FUNCTION_KEY, or name the deployment with --env, or its application with --audience"
        )
    from functions.cli.deployment.address import function_key

    return KeyAccess(key or function_key(options))


def address_of(context: Context, options: argparse.Namespace) -> str:
    """Return the address of the API that *options* name: that of `--url`, else of the deployment of `--env`.

    Raises:
        UsageError: neither is given, or credentials may not be sent to the address.
        DeploymentError: there is no such deployment, or its outputs cannot be read.

    """
    from functions.cli.deployment.address import api_address

    url: str = options.url or api_address(context, options)
    check_address(url)
    return url


def check_address(url: str) -> None:
    """Check that credentials may be sent to *url*.

    Raises:
        UsageError: it is not an https:// address, nor one of this machine.

    """
    from functions.http_session import is_loopback_url

    parts = urlsplit(url)
    is_permitted = parts.scheme == "https" or (parts.scheme == "http" and is_loopback_url(url))
    if not parts.hostname or not is_permitted:
        raise UsageError(f"--url: must be an https:// address, not {url!r}: credentials are sent to it")
