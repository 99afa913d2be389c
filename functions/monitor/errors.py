"""What can be wrong with data, beside what `shared.errors` knows."""

from shared.errors import PermanentError


class UnusableDataError(PermanentError):
    """The data cannot be compared as they are; the text says which data, what is wrong and what would be right."""
