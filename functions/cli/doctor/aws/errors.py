"""Translates the error codes of AWS for `doctor`."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Final

from functions.aws.errors import MISSING_RIGHT
from functions.cli.doctor.check import CheckFailedError, CheckSkippedError, explained
from shared.errors import UnavailableError

# SNS has an error code of its own.
DENIED: Final = MISSING_RIGHT | {"AuthorizationError"}

_HINT: Final = "sign in with `aws configure` or `aws sso login`, or set AWS_PROFILE"
_NONE: Final = "there are no AWS credentials"
_REFUSED: Final = "AWS rejects these credentials"
_CREDENTIALS: Final[Mapping[str, str]] = {
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": _NONE,
    "CredentialRetrievalError": _NONE,
    "ProfileNotFound": _NONE,
    "SSOTokenLoadError": _NONE,
    "UnauthorizedSSOTokenError": _NONE,
    "TokenRetrievalError": _NONE,
    "ExpiredToken": _REFUSED,
    "ExpiredTokenException": _REFUSED,
    "InvalidClientTokenId": _REFUSED,
    "UnrecognizedClientException": _REFUSED,
}
# Reported by the check of the credentials alone; all other checks are skipped then.
NO_CREDENTIALS: Final[Mapping[str, Exception]] = {
    "NoRegionError": CheckFailedError("no region is set; set AWS_DEFAULT_REGION"),
    **{code: CheckFailedError(f"{problem} ({code}); {_HINT}") for code, problem in _CREDENTIALS.items()},
}


def explain(missing: Exception, *codes: str, permission: str = "") -> AbstractContextManager[None]:
    """Translate the *codes* into *missing*, and skip the check if the *permission* to look is missing."""
    return explained(codes_of, skip_reasons(permission) | dict.fromkeys(codes, missing))


def skip_reasons(permission: str) -> dict[str, Exception]:
    """Return why a check is skipped without valid credentials, or without the *permission* to look."""
    unknown: Exception = CheckSkippedError("not checked: there are no valid AWS credentials, or no region")
    denied: Exception = CheckSkippedError(
        f"not checked: these credentials lack {permission}, which only this check needs"
    )
    return dict.fromkeys(DENIED, denied) | dict.fromkeys(NO_CREDENTIALS, unknown)


def missing_permission(permission: str, resource: str) -> dict[str, Exception]:
    """Return why a check fails without a *permission* that the functions need, too."""
    return dict.fromkeys(DENIED, CheckFailedError(f"these credentials lack {permission} on {resource}; grant it"))


def codes_of(error: UnavailableError) -> Collection[str]:
    """Return the cause of an error of AWS: the service's code, or the name of botocore's exception."""
    cause = error.__cause__
    answer = getattr(cause, "response", None)
    return {str(answer["Error"]["Code"])} if answer else {type(cause).__name__}
