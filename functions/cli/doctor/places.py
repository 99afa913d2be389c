"""The checks of what the environment names, on every cloud: the form of the variables, and the ledger."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError, Setting

WRITABLE: Final = "writing is permitted (tested with a conditional write that can never apply)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The format of an environment variable.

    Attributes:
        expected: the format in words.
        pattern: the format as a regular expression.
        unset: what happens if the variable is not set; empty if it is required.
        secret: whether the value must not be shown.

    """

    expected: str
    pattern: re.Pattern[str]
    unset: str = ""
    secret: bool = False


def form_checks(setting: Setting, forms: Mapping[str, Form]) -> list[Check]:
    """Return the checks that the environment variables are set and have their forms."""
    return [_form_check(setting, name, form) for name, form in forms.items()]


def ledger_checks(kind: str, read: Callable[[], object], write: Callable[[], object]) -> list[Check]:
    """Return the checks that the ledger, a *kind* of its cloud such as a table, can be read and written to."""
    return [
        Check(name="ledger, reading", about=f"the {kind} can be read", run=read),
        Check(name="ledger, writing", about=WRITABLE, run=write),
    ]


def _form_check(setting: Setting, name: str, form: Form) -> Check:
    def run() -> None:
        value = setting.variables.get(name)
        if not value and form.unset:
            raise CheckSkippedError(f"{name} is not set: {form.unset}")
        if not value:
            raise CheckFailedError(f"{name} is not set; set it to {form.expected}")
        if not form.pattern.fullmatch(value):
            shown = "" if form.secret else f", not {value!r}"
            raise CheckFailedError(f"{name} must be {form.expected}{shown}")

    return Check(name=name, about=f"has the form of {form.expected}", run=run)
