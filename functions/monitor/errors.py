"""The errors of data, beside those of `shared.errors`."""

from shared.errors import PermanentError


class UnusableDataError(PermanentError):
    """The data cannot be compared as they are; the text says which data, the problem and the remedy."""
