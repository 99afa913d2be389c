"""Evaluates expressions of ARM templates, as Resource Manager documents them."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

GROUP: Final = "/subscriptions/s-1/resourceGroups/retraining"
_TOKEN: Final = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<number>\d+)|(?P<name>\w+)|(?P<sign>[()\[\],.]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The meaning of the names in an expression.

    Attributes:
        parameters: the parameters, by name.
        variables: the variables as they are written, by name.
        group: the resource id of the resource group.
        index: the number of the copy.
        local: the variables of lambda functions, by name.
        referred: receives the ids of the resources whose state is referred to.

    """

    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    group: str = GROUP
    index: int = 0
    local: Mapping[str, Any] = field(default_factory=dict)
    referred: set[str] = field(default_factory=set)


class Runtime(str):
    """A value that only a deployment knows, such as `/subscriptions/.../topics/t.endpoint`."""

    __slots__ = ()


Part = Callable[[Scope], Any]
"""A part of an expression; returns its value."""


def evaluate(value: Any, scope: Scope) -> Any:
    """Return *value* with all its expressions evaluated; one that is malformed is a `ValueError`."""
    if isinstance(value, Mapping):
        return {name: evaluate(item, scope) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, str) or not value.startswith("["):
        return value
    return _read(value)(scope)


@cache
def _read(text: str) -> Part:
    reader = _Reader(text.removesuffix("]")[1:])
    part = reader.part()
    if not text.endswith("]") or not reader.ended:
        raise ValueError(f"has another end than its brackets: {text}")
    return part


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    @property
    def ended(self) -> bool:
        return not self._text[self._place :].strip()

    def part(self) -> Part:
        found = self._next()
        if found["text"] is not None:
            return self._inside(_constant(found["text"].replace("''", "'")))
        if found["number"] is not None:
            return self._inside(_constant(int(found["number"])))
        if found["name"] is not None and self._skip("("):
            return self._inside(_call(found["name"], self._arguments()))
        raise ValueError(f"{found[0]!r} is unexpected: {self._text}")

    def _arguments(self) -> list[Part]:
        arguments: list[Part] = []
        while not self._skip(")"):
            if arguments and not self._skip(","):
                raise ValueError(f"lacks a comma: {self._text}")
            arguments.append(self.part())
        return arguments

    def _inside(self, part: Part) -> Part:
        while True:
            if self._skip("."):
                part = _item(part, _constant(self._next()["name"]))
            elif self._skip("["):
                part = _item(part, self.part())
                if not self._skip("]"):
                    raise ValueError(f"lacks a bracket: {self._text}")
            else:
                return part

    def _next(self) -> re.Match[str]:
        found = _TOKEN.match(self._text, self._place)
        if found is None:
            raise ValueError(f"is cut off: {self._text}")
        self._place = found.end()
        return found

    def _skip(self, sign: str) -> bool:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found["sign"] != sign:
            return False
        self._place = found.end()
        return True


def _constant(value: Any) -> Part:
    return lambda _: value


def _item(part: Part, key: Part) -> Part:
    def item(scope: Scope) -> Any:
        whole, name = part(scope), key(scope)
        return Runtime(f"{whole}.{name}") if isinstance(whole, Runtime) else whole[name]

    return item


def _call(name: str, arguments: list[Part]) -> Part:
    def call(scope: Scope) -> Any:
        if name == "if":  # Only the branch that counts is evaluated.
            condition, yes, no = arguments
            return yes(scope) if condition(scope) else no(scope)
        if name == "lambda":
            variable, body = arguments
            return lambda value: body(replace(scope, local={**scope.local, variable(scope): value}))
        values = [argument(scope) for argument in arguments]
        return _OF_SCOPE[name](scope, *values) if name in _OF_SCOPE else _FUNCTIONS[name](*values)

    return call


def identifier(group: str, kind: str, *names: str) -> str:
    """Return the resource id of a resource of type *kind*."""
    provider, *kinds = kind.split("/")
    return "/".join((group, "providers", provider, *(part for pair in zip(kinds, names, strict=True) for part in pair)))


def _resource_id(scope: Scope, *parts: str) -> str:
    # The name of another group may stand before the type.
    if "/" in parts[0]:
        return identifier(scope.group, *parts)
    return identifier(f"{scope.group.rpartition('/')[0]}/{parts[0]}", *parts[1:])


def _reference(scope: Scope, resource: str, *_: str) -> Runtime:
    scope.referred.add(resource)
    return Runtime(resource)


def _digest(*values: str) -> str:
    return hashlib.sha256("|".join(values).encode()).hexdigest()


_OF_SCOPE: Final[Mapping[str, Callable[..., Any]]] = {
    "parameters": lambda scope, name: scope.parameters[name],
    "variables": lambda scope, name: evaluate(scope.variables[name], scope),
    "lambdaVariables": lambda scope, name: scope.local[name],
    "copyIndex": lambda scope: scope.index,
    "resourceGroup": lambda scope: {"id": scope.group, "name": scope.group.split("/")[-1], "location": "westeurope"},
    "resourceId": _resource_id,
    "reference": _reference,
}


def _lists(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, list) for value in values)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "and": lambda *values: all(values),
    "not": lambda value: not value,
    "empty": lambda value: not value,
    "concat": lambda *values: [item for value in values for item in value] if _lists(values) else "".join(values),
    "createArray": lambda *values: list(values),
    "format": lambda text, *values: text.format(*values),
    "take": lambda text, number: text[:number],
    "split": lambda text, sign: text.split(sign),
    "last": lambda values: values[-1],
    "length": len,
    "items": lambda value: [{"key": name, "value": value[name]} for name in sorted(value)],
    "union": lambda *values: {name: item for value in values for name, item in value.items()},
    "createObject": lambda *values: dict(zip(values[::2], values[1::2], strict=True)),
    "map": lambda values, function: [function(value) for value in values],
    "guid": lambda *values: _digest(*values)[:32],
    "uniqueString": lambda *values: _digest(*values)[:13],
    "environment": lambda: {"suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"}},
    "subscription": lambda: {"tenantId": "t-1"},
    "subscriptionResourceId": lambda kind, *names: identifier("/subscriptions/s-1", kind, *names),
    "extensionResourceId": identifier,
}
