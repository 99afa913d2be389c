"""What AWS answers when it does not do what it is asked, in the words of `doctor`."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Final

from functions.aws.errors import MISSING_RIGHT
from functions.cli.doctor.check import CheckFailedError, CheckSkippedError, explained
from shared.errors import UnavailableError

# SNS has a word of its own.
DENIED: Final = MISSING_RIGHT | {"AuthorizationError"}

_HINT: Final = "sign in with `aws configure` or `aws sso login`, or set AWS_PROFILE"
_NONE: Final = "there are no AWS credentials"
_REFUSED: Final = "AWS refuses these credentials"
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
# What the check of the credentials says, so that no other check has to.
NOBODY: Final[Mapping[str, Exception]] = {
    "NoRegionError": CheckFailedError("no region is set: set AWS_DEFAULT_REGION"),
    **{code: CheckFailedError(f"{what} ({code}): {_HINT}") for code, what in _CREDENTIALS.items()},
}


def told(gone: Exception, *codes: str, right: str = "") -> AbstractContextManager[None]:
    """Let *gone* be what the *codes* mean; and without the *right* to look, nothing is known."""
    return explained(codes_of, excuses(right) | dict.fromkeys(codes, gone))


def excuses(right: str) -> dict[str, Exception]:
    """Return why a check is skipped where AWS does not know who asks, or where the *right* to look is missing."""
    nobody: Exception = CheckSkippedError("not checked: AWS does not know who asks, or where")
    lack: Exception = CheckSkippedError(f"not checked: these credentials lack {right}, which only this check needs")
    return dict.fromkeys(DENIED, lack) | dict.fromkeys(NOBODY, nobody)


def lacking(right: str, resource: str) -> dict[str, Exception]:
    """Return why a check fails where a *right* is missing that the functions need, too."""
    return dict.fromkeys(DENIED, CheckFailedError(f"these credentials lack {right} on {resource}: grant it"))


def codes_of(error: UnavailableError) -> Collection[str]:
    """Return what led to an error of AWS: the service's code, or the name of what botocore raised."""
    cause = error.__cause__
    answer = getattr(cause, "response", None)
    return {str(answer["Error"]["Code"])} if answer else {type(cause).__name__}
