"""Reads the SAM template as CloudFormation does: parameters, conditions and functions are put in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_NO_VALUE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of events of a function.

    Attributes:
        kind: SAM's name of its type.
        function: the logical id of the function.
        properties: its own.

    """

    kind: str
    function: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The template with values for its parameters. Values that are known later are as in Fn::Sub: `${Ledger.Arn}`.

    Attributes:
        parameters: the declarations, by name.
        resources: the resources, by logical id.
        refusals: what is wrong with the parameters, for which CloudFormation makes nothing.
        defaults: the properties that all functions have.

    """

    parameters: Mapping[str, Any]
    resources: Mapping[str, Any]
    refusals: tuple[str, ...]
    defaults: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type."""
        return {name: entry["Properties"] for name, entry in self.resources.items() if entry["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the properties of all functions, what they share included."""
        return {name: {**self.defaults, **own} for name, own in self.of_type("AWS::Serverless::Function").items()}

    def sources(self, *kinds: str) -> dict[str, Source]:
        """Return what invokes functions, of the types *kinds*, under the logical ids that SAM makes for it."""
        return {
            function + name: Source(kind=event["Type"], function=function, properties=event["Properties"])
            for function, properties in self.functions.items()
            for name, event in properties.get("Events", {}).items()
            if event["Type"] in kinds
        }

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return all statements of a role."""
        policies = self.of_type("AWS::IAM::Role")[role]["Policies"]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def read_template(values: Mapping[str, str], path: Path = ROOT / "template.yaml") -> Template:
    """Read the template.

    Args:
        values: what the parameters are, where it is not the default.
        path: the file.

    Raises:
        KeyError: a parameter has neither a value nor a default.

    """
    document = _document(path.read_text(encoding="utf-8"))
    evaluation = _Evaluation(document, values)
    evaluate = evaluation.evaluate
    return Template(
        parameters=document["Parameters"],
        resources=evaluate({name: entry for name, entry in document["Resources"].items() if evaluation.makes(entry)}),
        refusals=tuple(
            assertion["AssertDescription"]
            for rule in document.get("Rules", {}).values()
            if evaluate(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not evaluate(assertion["Assert"])
        ),
        defaults=evaluate(document.get("Globals", {}).get("Function", {})),
    )


def texts(value: Any) -> Iterator[str]:
    """Yield every text in *value*, keys excepted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from texts(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def as_list(value: Any) -> list[Any]:
    """Return *value* if it is a list, or else one that holds it alone: policies allow both."""
    return value if isinstance(value, list) else [value]


class _Reader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms: `!Ref X` is `{Ref: X}`, `!GetAtt X.Y` is `{Fn::GetAtt: [X, Y]}`."""


def _short_form(reader: _Reader, name: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value = reader.construct_scalar(node)
        case yaml.SequenceNode():
            value = reader.construct_sequence(node, deep=True)
        case _:
            value = reader.construct_mapping(node, deep=True)
    if name == "GetAtt":
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Reader.add_multi_constructor("!", _short_form)


def _document(text: str) -> dict[str, Any]:
    reader = _Reader(text)
    try:
        return dict(reader.get_single_data())
    finally:
        reader.dispose()


class _Evaluation:
    def __init__(self, document: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._parameters = {
            name: _typed(declared, values[name] if name in values else declared["Default"])
            for name, declared in document["Parameters"].items()
        }
        self._conditions = document["Conditions"]
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda path: f"${{{'.'.join(path)}}}",
            "Fn::If": self._if,
            "Condition": lambda name: self.evaluate(self._conditions[name]),
            "Fn::And": lambda of: all(self.evaluate(one) for one in of),
            "Fn::Or": lambda of: any(self.evaluate(one) for one in of),
            "Fn::Not": lambda of: not self.evaluate(of[0]),
            "Fn::Equals": lambda pair: self.evaluate(pair[0]) == self.evaluate(pair[1]),
            "Fn::Join": lambda of: of[0].join(self.evaluate(of[1])),
            "Fn::Split": lambda of: self.evaluate(of[1]).split(of[0]),
            "Fn::Sub": self._sub,
        }

    def evaluate(self, value: Any) -> Any:
        """Return *value* with every function in it replaced by its result."""
        if isinstance(value, list):
            return [item for item in map(self.evaluate, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and next(iter(value)) in self._functions:
            name, argument = next(iter(value.items()))
            return self._functions[name](argument)
        evaluated = {key: self.evaluate(item) for key, item in value.items()}
        return {key: item for key, item in evaluated.items() if item is not _NO_VALUE}

    def makes(self, resource: Mapping[str, Any]) -> bool:
        """Return whether a resource is made with these parameters."""
        condition = resource.get("Condition")
        return condition is None or bool(self.evaluate(self._conditions[condition]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self._parameters.get(name, f"${{{name}}}")

    def _if(self, of: list[Any]) -> Any:
        return self.evaluate(of[1] if self.evaluate(self._conditions[of[0]]) else of[2])

    def _sub(self, of: Any) -> str:
        text, values = of if isinstance(of, list) else (of, {})
        for name, value in {**self._parameters, **values}.items():
            text = text.replace(f"${{{name}}}", str(self.evaluate(value)))
        return str(text)


def _typed(declared: Mapping[str, Any], value: Any) -> Any:
    return value.split(",") if declared["Type"] == "CommaDelimitedList" else value
