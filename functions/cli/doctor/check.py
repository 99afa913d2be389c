"""What a check of `doctor` is: a value. The checks of every cloud are made of what stands here."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from shared.config.model import Configuration
from shared.errors import UnavailableError

# No model: nothing is ever stored under it.
PROBE: Final = "retrain-doctor-probe"
ANSWER: Final = "{answer}"


class CheckFailedError(Exception):
    """A precondition is broken; the text is a sentence for people: what is wrong, and what to do about it."""


class CheckSkippedError(Exception):
    """A precondition cannot be checked, or does not matter here; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One precondition.

    Attributes:
        name: what it is about, in few words; it stays the same whatever comes out.
        about: what holds if nothing is raised, as a sentence.
        run: looks; raises CheckFailedError or CheckSkippedError. Any other error of the project is a failure, too. It
            changes nothing anywhere.

    """

    name: str
    about: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the checks of a cloud work on.

    Attributes:
        variables: the environment variables.
        config: the configuration; none if it is wrong, which a check of its own tells.
        source: the source of the events that are emitted.
        opened: closes what the checks have opened, when all of them have run.

    """

    variables: Mapping[str, str]
    config: Configuration | None
    source: str
    opened: ExitStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What an environment variable must look like.

    Attributes:
        wanted: the form, for people.
        pattern: the form.
        unset: why it may be missing; empty if it must not.
        secret: its value is not shown.

    """

    wanted: str
    pattern: re.Pattern[str]
    unset: str = ""
    secret: bool = False


def variable_check(setting: Setting, name: str, form: Form) -> Check:
    """Return the check that the environment variable *name* is set, and in the right *form*."""

    def run() -> None:
        value = setting.variables.get(name)
        if not value and form.unset:
            raise CheckSkippedError(f"{name} is not set: {form.unset}")
        if not value:
            raise CheckFailedError(f"{name} is not set; it must be {form.wanted}")
        if not form.pattern.fullmatch(value):
            shown = "" if form.secret else f", not {value!r}"
            raise CheckFailedError(f"{name} must be {form.wanted}{shown}")

    return Check(name=name, about=f"is set to {form.wanted}", run=run)


def needed(setting: Setting, name: str) -> str:
    """Return the value of an environment variable that a check needs.

    Raises:
        CheckSkippedError: it is not set, which is told elsewhere.

    """
    value = setting.variables.get(name)
    if not value:
        raise CheckSkippedError(f"not checked: {name} is not set")
    return value


@contextmanager
def explained(
    codes_of: Callable[[UnavailableError], Collection[str]], sentences: Mapping[str, Exception]
) -> Iterator[None]:
    """Raise the error of *sentences* for the code that a service answered inside; any other error goes through.

    Args:
        codes_of: tells which codes of the service led to an error.
        sentences: what to raise, by code; `ANSWER` in one stands for what the service says about it.

    """
    try:
        yield
    except UnavailableError as error:
        codes = codes_of(error)
        for code, sentence in sentences.items():
            if code in codes:
                raise type(sentence)(str(sentence).replace(ANSWER, str(error.__cause__))) from error
        raise
