"""`dataclass`, cheaper to make: a cold start makes fifty of them.

The standard one writes and compiles six methods for each. Here it makes only `__init__`; the others are the same
functions for every class. Types, fields, `replace` and `asdict` are those of the standard library.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so that mypy lets others import it from here
else:

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool = False) -> Callable[[type], type]:
        """Make a class a dataclass that is frozen and has slots: a class asks for both, so that it says what it is."""
        assert frozen and slots  # noqa: S101, PT018 - a mistake of ours, found at the first import

        def make(cls: type) -> type:
            made = dataclasses.dataclass(repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
            _complete(made)
            return made

        return make


def _complete(cls: Any) -> None:  # noqa: ANN401 - methods are put into a class
    names = tuple(field.name for field in dataclasses.fields(cls))
    values = attrgetter(*names)

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    cls.__eq__, cls.__hash__, cls.__repr__ = equal, hashed, _shown
    cls.__setattr__, cls.__delattr__ = _set, _delete


def _shown(self: Any) -> str:  # noqa: ANN401 - any of the classes
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _set(self: object, name: str, value: object) -> None:
    # `__init__` sets each attribute once, and nobody any more after it.
    if hasattr(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
