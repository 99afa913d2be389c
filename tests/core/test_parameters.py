"""Parameters have the types of their configured defaults, and each value has one spelling."""

import pytest

from shared.config.parameters import spelled, typed
from shared.errors import InvalidTriggerError
from shared.fields import Parameter


@pytest.mark.parametrize(
    ("default", "value", "expected"),
    [
        (8, 12, 12),
        (8, 12.0, 12),
        (8, "12", 12),
        (8, "12.0", 12),
        (8, "12.", 12),
        (8, "-3", -3),
        (8, "1e3", 1000),
        (8, 1e3, 1000),
        (8, "9223372036854775807", 2**63 - 1),
        (8, "-9223372036854775808", -(2**63)),
        (0.1, 3, 3),
        (0.1, "3", 3),
        (0.1, "1e-3", 0.001),
        (0.1, "+.5", 0.5),
        (0.1, 0.25, 0.25),
        (True, False, False),
        (True, "FALSE", False),
        (False, "True", True),
        ("x", "y", "y"),
        ("x", "", ""),
        ("x", 12.0, "12"),
        ("x", 12, "12"),
        ("x", 0.5, "0.5"),
        ("x", True, "true"),
        ("$trigger_id", 7, "7"),
        ("$force", False, "false"),
    ],
)
def test_a_value_gets_the_type_of_the_default(default: Parameter, value: Parameter, expected: Parameter) -> None:
    """Numbers and booleans may be strings, and whole numbers floats; a text takes anything, and so does `$field`."""
    found = typed("p", default, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("default", "value"),
    [
        *[(8, value) for value in ("abc", "", " 12", "12.5", 12.5, True, "true", "1_000", "\u0661", 1e300, "1e999")],
        *[(8, value) for value in ("9223372036854775808", "9" * 5000, "0x1f", "NaN")],
        *[(0.1, value) for value in ("fast", "", True, "inf", "nan", "1e999", "1,5")],
        *[(True, value) for value in (1, 0, 1.0, "yes", "1", "", "true ")],
    ],
)
def test_a_value_that_does_not_fit_is_named(default: Parameter, value: Parameter) -> None:
    """The error names the parameter and what it takes."""
    with pytest.raises(InvalidTriggerError, match=r"^parameters.p: must be (a whole number|a number|true or false)"):
        typed("p", default, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (2.0**53, "9007199254740992"),
        ("12.0", "12.0"),
    ],
)
def test_a_whole_number_has_one_spelling(value: Parameter, text: str) -> None:
    """12.0 is 12; a text stays as it is, and so does a number too large to be exact."""
    assert spelled(value) == text
