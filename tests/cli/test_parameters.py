"""The parameters in the configuration are compared with those that a pipeline declares."""

from pathlib import Path

import pytest

from functions.cli.doctor.check import CheckFailedError
from functions.cli.doctor.parameters import Declared, compare
from shared.config.file import parse_configuration
from shared.config.model import Model


def model_with(parameters: str) -> Model:
    """Return a model with *parameters* in its configuration."""
    text = f'[models."m".target.local]\nkind = "command"\ncommand = ["true"]\n[models."m".parameters]\n{parameters}'
    (model,) = parse_configuration(text, source="retrain.toml", folder=Path()).models
    return model


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", '"a"'),
        ("text", "1"),
        ("integer", "-8"),
        ("integer", '"8"'),
        ("number", "8"),
        ("number", "0.5"),
        ("number", '"1e-3"'),
        ("boolean", "true"),
        ("boolean", '"False"'),
        ("boolean", '"$force"'),
        ("text", '"$requested_at"'),
        ("text", '"$$literal"'),
    ],
)
def test_a_value_of_the_right_type_passes(kind: str, value: str) -> None:
    """All values are sent as strings, so a string that spells a number is valid."""
    compare(model_with(f"p = {value}"), {"p": Declared(kind=kind, optional=False)})


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("integer", "0.5", "an integer, not 0.5"),
        ("integer", "true", "an integer, not True"),
        ("integer", '"$model_id"', "an integer, not 'm'"),
        ("number", '"fast"', "a number, not 'fast'"),
        ("number", "true", "a number, not True"),
        ("boolean", "1", "true or false, not 1"),
        ("boolean", '"$severity"', "true or false, not 'high'"),
    ],
)
def test_a_value_of_another_type_fails(kind: str, value: str, wanted: str) -> None:
    """A value of another type fails, also if it is filled from a field of the trigger."""
    with pytest.raises(CheckFailedError) as caught:
        compare(model_with(f"p = {value}"), {"p": Declared(kind=kind, optional=True)})
    assert str(caught.value) == f'models."m".parameters.p: the pipeline expects {wanted}'


def test_an_empty_value_means_the_default_of_the_pipeline() -> None:
    """An empty string is valid where the pipeline has a default."""
    compare(model_with('p = ""'), {"p": Declared(kind="integer", optional=True)})


def test_every_difference_is_listed() -> None:
    """Unknown, wrong and missing parameters have a line each."""
    declared = {"q": Declared(kind="integer", optional=True), "r": Declared(kind="text", optional=False)}
    with pytest.raises(CheckFailedError) as caught:
        compare(model_with('p = 1\nq = "x"\n'), declared)
    assert str(caught.value).splitlines() == [
        "3 problems",
        'models."m".parameters.p: the pipeline has no such parameter (it has q, r); remove or rename it',
        "models.\"m\".parameters.q: the pipeline expects an integer, not 'x'",
        'models."m".parameters.r: is missing, and the pipeline has no default for it; set it',
    ]
