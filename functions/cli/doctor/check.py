"""The parts that the checks of `doctor` are made of, on every cloud."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from shared.config.model import Configuration
from shared.errors import UnavailableError

# The id of no model: nothing is ever stored under it.
PROBE: Final = "retrain-doctor-probe"
ANSWER: Final = "{answer}"


class CheckFailedError(Exception):
    """A precondition does not hold.

    The text says what is wrong and what to do about it. With several problems, the first line is a summary and each
    further line is one problem.
    """


class CheckWarnedError(Exception):
    """The precondition holds, but a person should look at something; the text says at what, and what to do."""


class CheckSkippedError(Exception):
    """A precondition cannot be checked, or does not apply here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One precondition.

    Attributes:
        name: a short, stable label.
        about: the statement that is true if the check passes.
        run: performs the check without changing anything. Raises CheckFailedError, CheckWarnedError or
            CheckSkippedError; any other error of the project counts as a failure, too.

    """

    name: str
    about: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The input of the checks.

    Attributes:
        variables: the environment variables.
        config: the configuration; None if it is not valid, which a check of its own reports.
        source: the source of emitted events.
        opened: closes the clients that the checks have opened, after the last check.

    """

    variables: Mapping[str, str]
    config: Configuration | None
    source: str
    opened: ExitStack

    def needed(self, name: str) -> str:
        """Return the value of an environment variable that a check needs.

        Raises:
            CheckSkippedError: it is not set, which another check reports.

        """
        value = self.variables.get(name)
        if not value:
            raise CheckSkippedError(f"not checked: {name} is not set")
        return value


@contextmanager
def explained(
    codes_of: Callable[[UnavailableError], Collection[str]], meanings: Mapping[str, Exception]
) -> Iterator[None]:
    """Translate an error of a service into the error that *meanings* has for its code; others pass unchanged.

    Args:
        codes_of: returns the service's codes behind an error.
        meanings: the error to raise, by code; `ANSWER` in its text is replaced by the text of the service's error.

    """
    try:
        yield
    except UnavailableError as error:
        codes = codes_of(error)
        for code, meaning in meanings.items():
            if code in codes:
                raise type(meaning)(str(meaning).replace(ANSWER, str(error.__cause__))) from error
        raise
