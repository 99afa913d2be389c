"""Reads the Terraform files: every resource and data source as it stands, blocks as lists of mappings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

FOLDER = Path(__file__).parents[2] / "deploy" / "gcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A resource or a data source.

    Attributes:
        section: `resource` or `data`.
        kind: its type, such as `google_pubsub_topic`.
        name: its name within the files.
        content: its attributes and blocks.

    """

    section: str
    kind: str
    name: str
    content: Mapping[str, Any]

    @property
    def address(self) -> str:
        """How expressions refer to it."""
        return f"{'data.' if self.section == 'data' else ''}{self.kind}.{self.name}"


def blocks() -> list[Block]:
    """Return all resources and data sources."""
    return [
        Block(section=section, kind=kind, name=name, content=content)
        for document in documents()
        for section in ("resource", "data")
        for entry in document.get(section, [])
        for kind, named in entry.items()
        for name, content in named.items()
    ]


def addresses() -> list[str]:
    """Return the addresses of `blocks()`, for the parameters of tests: parsing takes longer than collecting a test."""
    headers = (re.findall(r'^(resource|data) "(\w+)" "(\w+)" \{$', text, re.MULTILINE) for text in _texts())
    return [
        f"{'data.' if section == 'data' else ''}{kind}.{name}" for found in headers for section, kind, name in found
    ]


def of_kind(kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the resources of one type, by name."""
    return {block.name: block.content for block in blocks() if block.kind == kind and block.section == "resource"}


def variables() -> dict[str, Mapping[str, Any]]:
    """Return the declared variables, by name."""
    return {
        name: content
        for document in documents()
        for entry in document.get("variable", [])
        for name, content in entry.items()
    }


def declared() -> list[str]:
    """Return the name of all that is declared, as often as it is: locals, variables, outputs, resources and data."""
    names = [block.address for block in blocks()]
    for document in documents():
        for section in ("locals", "variable", "output"):
            names += [f"{section}.{name}" for entry in document.get(section, []) for name in entry]
    return names


def local_values() -> dict[str, Any]:
    """Return the local values, by name."""
    return {
        name: value for document in documents() for entry in document.get("locals", []) for name, value in entry.items()
    }


def references() -> dict[str, set[str]]:
    """Return what each resource and data source refers to, be it by way of local values; all as `type.name`."""
    known = local_values()

    def within(value: Any) -> set[str]:
        expressions = "\n".join(texts(value))
        found = set(re.findall(r"\b((?:data\.)?google_\w+\.\w+)", expressions))
        return found.union(*(within(known[name]) for name in re.findall(r"\blocal\.(\w+)", expressions)))

    return {block.address: within(block.content) for block in blocks()}


@cache
def documents() -> tuple[Mapping[str, Any], ...]:
    """Return what each file holds; they are parsed once, which takes 0.2 s."""
    return tuple(plain(hcl2.loads(text)) for text in _texts())


def _texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.tf"))]


def texts(value: Any) -> Iterator[str]:
    """Yield every text in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def plain(value: Any) -> Any:
    """Return *value* without what the parser adds to it: quotation marks, and keys of its own."""
    if isinstance(value, dict):
        return {
            plain(key): plain(item)
            for key, item in value.items()
            if not (isinstance(key, str) and re.fullmatch(r"__\w+__", key))
        }
    if isinstance(value, list):
        return [plain(item) for item in value]
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value
