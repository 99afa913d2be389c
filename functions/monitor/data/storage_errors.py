"""The one place where the errors of fsspec's drivers become errors of this project."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from functions.monitor.errors import UnusableDataError
from shared.errors import UnavailableError, first_line

# The drivers' errors beside OSError. A class can only have been raised if its module was loaded.
_VENDOR_REFUSALS: Final = (("botocore.exceptions", "ParamValidationError"),)
_VENDOR_ERRORS: Final = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
    ("azure.core.exceptions", "AzureError"),
)


@contextmanager
def reached(address: str, action: str) -> Iterator[None]:
    """Translate the errors of the drivers that are raised inside.

    Args:
        address: the file or folder, for people.
        action: the attempted action, for people.

    Raises:
        UnusableDataError: it does not exist, or may not be used.
        UnavailableError: any other failure.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise UnusableDataError(f"{address}: no such file exists") from error
    except PermissionError as error:
        raise UnusableDataError(f"{address}: may not be used: {_brief(error)}") from error
    except _loaded(_VENDOR_REFUSALS) as error:
        raise UnusableDataError(f"{address}: is not a valid address: {_brief(error)}") from error
    except _failures() as error:
        raise UnavailableError(f"The storage of {address}", action, _brief(error)) from error


@contextmanager
def opened(address: str) -> Iterator[None]:
    """Translate the errors of a driver that cannot be created, beside those that `reached` translates.

    Raises:
        UnusableDataError: the driver is missing, or lacks a setting.

    """
    try:
        yield
    except (ValueError, ImportError) as error:
        raise UnusableDataError(f"{address}: its driver does not work: {_brief(error)}") from error


def _failures() -> tuple[type[Exception], ...]:
    return OSError, *_loaded(_VENDOR_ERRORS)


def _loaded(classes: Sequence[tuple[str, str]]) -> tuple[type[Exception], ...]:
    loaded = ((sys.modules[module], name) for module, name in classes if module in sys.modules)
    return tuple(getattr(module, name) for module, name in loaded)


def _brief(error: Exception) -> str:
    first = first_line(error)
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
