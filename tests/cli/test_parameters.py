"""What the configuration sends is compared with what a pipeline declares, and every difference is told at once."""

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
def test_a_value_that_fits_passes(kind: str, value: str) -> None:
    """All values travel as texts, so a text that spells a number is one."""
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
    """A field of the trigger is judged by what it would be."""
    with pytest.raises(CheckFailedError) as caught:
        compare(model_with(f"p = {value}"), {"p": Declared(kind=kind, optional=True)})
    assert str(caught.value) == f'models."m".parameters.p: the pipeline wants {wanted}'


def test_an_empty_value_is_left_to_the_pipeline() -> None:
    """Where the pipeline has a default, an empty text is as good as none."""
    compare(model_with('p = ""'), {"p": Declared(kind="integer", optional=True)})


def test_every_difference_is_told() -> None:
    """Unknown, wrong and missing parameters stand in one sentence."""
    declared = {"q": Declared(kind="integer", optional=True), "r": Declared(kind="text", optional=False)}
    with pytest.raises(CheckFailedError) as caught:
        compare(model_with('p = 1\nq = "x"\n'), declared)
    assert str(caught.value).split("; ") == [
        'models."m".parameters.p: the pipeline has no such parameter, it has q, r: remove or rename it',
        "models.\"m\".parameters.q: the pipeline wants an integer, not 'x'",
        'models."m".parameters.r: is missing, and the pipeline has no default for it',
    ]
