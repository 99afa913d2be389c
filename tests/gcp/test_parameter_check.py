"""A trigger's parameters are checked against the specification of the pipeline before anything is accepted."""

from pathlib import Path

import pytest

from functions.gcp.parameter_check import check_parameters
from shared.config.targets import GitHubTarget, Target
from shared.errors import InvalidTriggerError
from shared.fields import Parameter
from tests.gcp.pipeline import target, written


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"epochs": "many"}, "parameters.epochs: the pipeline wants an integer, not 'many'"),
        ({"days": "{}"}, "parameters.days: the pipeline wants a list as JSON, not '{}'"),
        ({"image": "x"}, "parameters.image: the pipeline has no such parameter; it has model_id, epochs, rate, full,"),
    ],
)
def test_a_parameter_of_another_type_than_the_pipelines_is_named(
    tmp_path: Path, given: dict[str, Parameter], error: str
) -> None:
    """The types of the specification count, even if the configured default is a text."""
    check = check_parameters(written(tmp_path))
    for _ in range(2):
        with pytest.raises(InvalidTriggerError) as raised:
            check(target(), given)
        assert str(raised.value).startswith(error)
        assert raised.value.field == error.partition(":")[0]


def test_parameters_that_fit_are_accepted(tmp_path: Path) -> None:
    """Only those that a trigger sets are judged, and for an empty text the pipeline's default counts."""
    check = check_parameters(written(tmp_path))
    check(target(), {"epochs": "3", "full": "true", "until": 2026})
    check(target(), {"epochs": ""})


@pytest.mark.parametrize(
    "elsewhere",
    [
        target("https://europe-west4-kfp.pkg.dev/acme/pipelines/churn/v1"),
        target("missing.json"),
        GitHubTarget(repository="acme/churn", event_type="retrain"),
    ],
)
def test_a_pipeline_that_is_not_in_the_bundle_is_judged_by_its_service(tmp_path: Path, elsewhere: Target) -> None:
    """Its types are not known here, so the launch decides."""
    check_parameters(tmp_path)(elsewhere, {"epochs": "many"})
