"""The schema of Terraform's Google provider, read from a package that is generated from it.

The registry of providers may be out of reach; the package cdktn-provider-google is on PyPI, and names every
attribute, which ones are needed, and what is within each block.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZipFile

# Attributes of every resource (TerraformMetaArguments).
META = frozenset({"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of a resource or a block.

    Attributes:
        is_needed: whether it must be there.
        blocks: the names of the classes that describe what is within it; empty for a plain value.

    """

    is_needed: bool
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of resource or data source.

    Attributes:
        root: the name of the class that describes the resource itself.
        classes: the attributes by the names of the classes that describe them.

    """

    root: str
    classes: Mapping[str, Mapping[str, Attribute]]


@cache
def read_kind(wheel: Path, section: str, kind: str) -> Kind | None:
    """Return the schema of a type; none where the provider has no such type.

    Args:
        wheel: the package as it was downloaded.
        section: `resource` or `data`.
        kind: such as `google_pubsub_topic`.

    """
    name = kind if section == "data" else kind.removeprefix("google_")
    module = f"cdktn_provider_google/{'data_' if section == 'data' else ''}{name}/__init__.py"
    with ZipFile(wheel) as package:
        if module not in package.namelist():
            return None
        tree = ast.parse(package.read(module))
    classes = {node.name: _attributes(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    described = {name: attributes for name, attributes in classes.items() if attributes is not None}
    root = next(name for name in described if name.endswith("Config") and set(described[name]) >= META)
    return Kind(root=root, classes=described)


def _attributes(node: ast.ClassDef) -> Mapping[str, Attribute] | None:
    """Return the attributes that the class of a resource's or a block's settings has; none for any other class."""
    if not any("data_type" in ast.unparse(decorator) for decorator in node.decorator_list):
        return None
    made = next(item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__")
    return {
        argument.arg: Attribute(
            is_needed=default is None,
            blocks=tuple(re.findall(r"'([A-Z]\w+)'", ast.unparse(argument.annotation) if argument.annotation else "")),
        )
        for argument, default in zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True)
    }
