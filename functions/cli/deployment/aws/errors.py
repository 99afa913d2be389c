"""The one place where the errors of AWS become errors of a deployment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from functions.cli.deployment.errors import DeploymentError

_SIGN_IN: Final = "sign in with `aws configure` or `aws sso login`, or set AWS_PROFILE"
_HINTS: Final[Mapping[str, str]] = {
    "NoCredentialsError": f"there are no AWS credentials: {_SIGN_IN}",
    "PartialCredentialsError": f"the AWS credentials are incomplete: {_SIGN_IN}",
    "CredentialRetrievalError": f"the AWS credentials cannot be read: {_SIGN_IN}",
    "ProfileNotFound": f"the AWS profile does not exist: {_SIGN_IN}",
    "SSOTokenLoadError": f"the AWS session has ended: {_SIGN_IN}",
    "UnauthorizedSSOTokenError": f"the AWS session has ended: {_SIGN_IN}",
    "TokenRetrievalError": f"the AWS session has ended: {_SIGN_IN}",
    "ExpiredToken": f"the AWS session has ended: {_SIGN_IN}",
    "ExpiredTokenException": f"the AWS session has ended: {_SIGN_IN}",
    "InvalidClientTokenId": f"AWS does not accept these credentials: {_SIGN_IN}",
    "UnrecognizedClientException": f"AWS does not accept these credentials: {_SIGN_IN}",
    "NoRegionError": "no region is set: put `region` into the environment's settings, or set AWS_REGION",
}


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Translate whatever botocore raises inside.

    Args:
        action: what is tried, for people: "create the change set".

    Raises:
        DeploymentError: AWS did not do it.

    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        found = error.response["Error"]
        hint = _HINTS.get(str(found["Code"]), "")
        message = " ".join(str(found.get("Message", "")).split())
        raise DeploymentError(f"could not {action}: {hint or found['Code'] + ': ' + message}") from error
    except BotoCoreError as error:
        hint = _HINTS.get(type(error).__name__, " ".join(str(error).split()))
        raise DeploymentError(f"could not {action}: {hint}") from error


def code_of(error: Exception) -> str:
    """Return the code with which AWS answered, such as `404` or `ValidationError`."""
    response: Mapping[str, Mapping[str, object]] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
