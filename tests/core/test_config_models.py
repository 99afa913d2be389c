"""Which model a name means, and which models a cloud has."""

import pytest

from shared.errors import UnknownModelError
from tests.core.samples import configured, model_text


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("churn", "churn"),
        ("churn-fr", "churn-fr"),
        ("churn-de", "churn-??"),
        ("churn-deu", "churn-*"),
        ("churn-eu/west/1", "churn-eu/*"),
        ("churn-x/y", "churn-*"),
        ("churn-7", "churn-[0-9]"),
        ("churn-a", "churn-?"),
        ("churn-10x", "churn-10*"),
        ("other", "*"),
        ("Churn", "*"),
        ("[x", "[*"),
    ],
)
def test_the_most_specific_name_wins(model_id: str, name: str) -> None:
    """A name comes before every pattern, and of the patterns the one that leaves the least open; `*` crosses `/`."""
    names = ("*", "churn-*", "churn-eu/*", "churn-??", "churn-?", "churn-[0-9]", "churn-[0-9]*", "churn-10*", "[*")
    config = configured("".join(map(model_text, (*names, "churn", "churn-fr"))))
    assert config.find(model_id).name == name


def test_the_first_of_two_equal_patterns_wins() -> None:
    """Where two patterns leave as much open, the order of the file decides."""
    one, other = model_text("churn-*"), model_text("*-churn")
    assert configured(one + other).find("churn-churn").name == "churn-*"
    assert configured(other + one).find("churn-churn").name == "*-churn"


def test_an_unknown_model_is_reported_with_the_known_ones() -> None:
    """The error names the requested model and the known ones."""
    config = configured(model_text("churn") + model_text("price-*"))
    with pytest.raises(UnknownModelError) as caught:
        config.find("chrun")
    assert str(caught.value) == "model_id: the configuration has no model 'chrun'; it has churn, price-*"
    with pytest.raises(UnknownModelError, match=r"\(5002 characters\); it has churn, price-\*$"):
        config.find("c" * 5000)


def test_a_model_without_a_target_here() -> None:
    """A model trains only on the clouds that it has a target for."""
    (churn,) = configured(model_text()).models
    assert churn.target("local").kind == "command"
    with pytest.raises(UnknownModelError) as caught:
        churn.target("aws")
    assert str(caught.value) == 'model_id: models."churn" has no target.aws in the configuration'


def test_the_models_of_a_cloud() -> None:
    """A cloud names and schedules the models that train there, and no pattern."""
    elsewhere = '[models.price]\nschedule = true\n[models.price.target.aws]\nkind = "sagemaker"\npipeline = "p"\n'
    here = model_text("wine", "schedule = true"), model_text("churn", "default = true"), model_text("x-*")
    config = configured(elsewhere + "".join(here))
    assert (config.named("local"), config.named("aws"), config.named("gcp")) == (["churn", "wine"], ["price"], [])
    assert (config.scheduled("local"), config.scheduled("aws")) == (["wine"], ["price"])
    assert config.default_model == "churn"
