"""A `dataclass` decorator that is faster than that of the standard library; a cold start defines fifty classes.

The standard one compiles six methods for each class. Here only `__init__` is compiled, which sets the attributes in a
third of the time, and only for classes of which many objects are made: a cold start makes few of each. The other
methods are shared by all classes. Types, fields, `replace` and `asdict` are those of the standard library. `InitVar` is
not supported.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

# So many objects of a class are made without a compiled `__init__`.
_BY_STEPS = 10

# The name of a field, the function that sets it, and the one that makes its default; none if it has no default.
_Step = tuple[str, Callable[[object, object], None], Callable[[], object] | None]

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so that mypy lets others import it from here
else:

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool = False) -> Callable[[type], type]:
        """Make a frozen dataclass with slots; both arguments must be true, for readers and type checkers."""
        assert frozen and slots  # noqa: S101, PT018 - a mistake in this project, found at the first import

        def make(cls: type) -> type:
            # For a class without one the standard library makes a docstring of its signature, which takes 2 ms the
            # first time: `inspect` compiles a tokenizer for it.
            cls.__doc__ = cls.__doc__ or cls.__name__
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
            _complete(made)
            return made

        return make


def _complete(cls: Any) -> None:  # noqa: ANN401 - methods are put into a class
    names = tuple(field.name for field in dataclasses.fields(cls) if field.compare)
    values = attrgetter(*names)

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    cls.__eq__, cls.__hash__, cls.__repr__ = equal, hashed, _shown
    cls.__setattr__, cls.__delattr__ = _set, _delete
    cls.__init__ = _first_initializer(cls)


def _first_initializer(cls: Any) -> Callable[..., None]:  # noqa: ANN401 - any of the classes
    """Return an `__init__` that replaces itself by the compiled one, once that is worth its 0.1 ms."""
    steps: tuple[_Step, ...] = ()
    after: Callable[[object], None] = getattr(cls, "__post_init__", lambda _self: None)
    made = 0

    def initialize(self: object, *values: object, **named: object) -> None:
        nonlocal made, steps
        steps = steps or tuple(_steps(cls))
        made += 1
        given = len(named)
        if made <= _BY_STEPS and not values:
            for name, put, default in steps:
                if name in named:
                    given -= 1
                    put(self, named[name])
                elif default is not None:
                    put(self, default())
                else:
                    break
            else:
                if not given:
                    after(self)
                    return
        # Enough objects were made, or the arguments are positional, or not those that there must be.
        compiled = cls.__init__ = _initializer(cls)
        compiled(self, *values, **named)

    return initialize


def _steps(cls: Any) -> Iterator[_Step]:  # noqa: ANN401 - any of the classes
    for field in dataclasses.fields(cls):
        if field.init:
            default: Callable[[], object] | None = None
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory
            elif field.default is not dataclasses.MISSING:
                default = partial(_same, field.default)
            yield field.name, getattr(cls, field.name).__set__, default


def _same(value: object) -> object:
    return value


def _initializer(cls: Any) -> Callable[..., None]:  # noqa: ANN401 - any of the classes
    """Compile `__init__`, which sets the slots directly: through `__setattr__` each would cost a call in Python."""
    positional: list[str] = []
    keywords: list[str] = []
    lines: list[str] = []
    values: dict[str, Any] = {"_MISSING": dataclasses.MISSING}
    given = [field for field in dataclasses.fields(cls) if field.init]
    for field in given:
        name, value = field.name, field.name
        values[f"_set_{name}"] = getattr(cls, name).__set__
        parameter = name
        if field.default is not dataclasses.MISSING:
            values[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            values[f"_new_{name}"] = field.default_factory
            parameter, value = f"{name}=_MISSING", f"_new_{name}() if {name} is _MISSING else {name}"
        (keywords if field.kw_only else positional).append(parameter)
        lines.append(f"_set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*"] if keywords else []), *keywords])
    body = "\n ".join(lines) or "pass"
    # As the standard library does it: the text is made of the names of fields only.
    exec(f"def __init__({parameters}):\n {body}", values)  # noqa: S102
    made: Callable[..., None] = values["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {**{field.name: field.type for field in given}, "return": None}
    return made


def _shown(self: Any) -> str:  # noqa: ANN401 - any of the classes
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _set(self: object, name: str, value: object) -> None:
    # `__post_init__` may set an attribute once; afterwards nothing may.
    if hasattr(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
