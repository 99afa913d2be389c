"""Our `dataclass` behaves like the standard library's frozen one with slots."""

import dataclasses
import inspect
from dataclasses import field
from typing import Any

import pytest

from shared.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A class with every kind of field that the project uses."""

    name: str
    number: int = 3
    parts: tuple[str, ...] | list[str] = field(default_factory=list)
    token: str = field(default="", repr=False)
    length: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive a field from another one."""
        object.__setattr__(self, "length", len(self.name))


def test_fields_are_set_as_they_are_given_or_by_default() -> None:
    """Fields may be given by place or name; a factory makes a new default for each object."""
    one, other = Sample("churn", number=5, token="t"), Sample("churn")
    assert (one.number, other.number, one.length) == (5, 3, 5)
    assert one.parts is not other.parts
    assert repr(one) == "Sample(name='churn', number=5, parts=[])"


def test_wrong_arguments_are_refused_by_name() -> None:
    """A missing and an unknown field are errors that name it, as of any function."""
    with pytest.raises(TypeError, match=r"Sample\.__init__\(\) missing 1 required positional argument: 'name'"):
        Sample()  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="unexpected keyword argument 'lenght'"):
        Sample("churn", lenght=3)  # type: ignore[call-arg]  # what is tested
    assert list(inspect.signature(Sample).parameters) == ["name", "number", "parts", "token"]


def test_nothing_changes_an_object() -> None:
    """A field can neither be set nor deleted; `replace` makes another object, whose derived fields are its own."""
    sample = Sample("churn")
    with pytest.raises(dataclasses.FrozenInstanceError):
        sample.number = 4  # type: ignore[misc]  # what is tested
    with pytest.raises(dataclasses.FrozenInstanceError):
        del sample.number
    renamed = dataclasses.replace(sample, name="price-fr")
    assert (sample.length, renamed.length) == (5, 8)


def test_equal_fields_make_equal_objects() -> None:
    """Objects are compared and hashed by the fields that count for it."""
    assert Sample("churn") == Sample("churn")
    assert Sample("churn") != Sample("churn", number=4)
    assert len({Sample("churn", parts=()), Sample("churn", parts=())}) == 1


def test_a_class_without_a_docstring_gets_its_name() -> None:
    """The standard library would make one of the signature, by `inspect` and a tokenizer, at a cold start."""
    plain: type = dataclass(frozen=True, slots=True)(type("Plain", (), {"__annotations__": {"name": str}}))
    assert plain.__doc__ == "Plain"


def test_the_first_objects_are_made_as_all_others_are() -> None:
    """The first ten are made without a compiled `__init__`: fields, defaults and derived fields are the same."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Fresh:
        """A class of which no object was made yet."""

        name: str
        parts: list[str] = field(default_factory=list)
        length: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(self.name))

    made = [Fresh(name="n" * number) for number in range(12)]
    assert [(one.length, one.parts) for one in made] == [(number, []) for number in range(12)]
    assert len({id(one.parts) for one in made}) == 12


@pytest.mark.parametrize("given", [{}, {"name": "a", "lenght": 3}, {"lenght": 3}])
def test_wrong_arguments_of_the_first_object_are_refused(given: dict[str, Any]) -> None:
    """A missing or an unknown field is the error of any function, also before `__init__` is compiled."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Fresh:
        """A class of which no object was made yet."""

        name: str

    with pytest.raises(TypeError, match=r"Fresh\.__init__\(\)"):
        Fresh(**given)
    assert Fresh(name="b").name == "b"
