"""Cuts botocore down to what the functions use, which makes the bundle for AWS a fourth, and clients faster to make.

botocore describes every operation of 400 services in JSON. Of these the bundle needs the few operations that its code
calls, without their documentation. Which ones these are is read from the code itself: an operation counts as called
where its method's name occurs as an attribute, a method or a string, so a new call needs no change here.
"""

import ast
import gzip
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from functions.cli.build.packages import BuildError

# Of these every client reads one or more.
_COMMON: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")
# Called by botocore itself for roles and web identities; our code names none of them.
_INDIRECT: Final = {"sts": {"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}}
# The file of a service is read only by the method beside it.
_OPTIONAL: Final = {"paginators-1.json": "get_paginator", "waiters-2.json": "get_waiter"}
_RULES: Final = "endpoint-rule-set-1.json"
_DESCRIPTION: Final = "service-2.json"
_EXTRAS: Final = "service-2.sdk-extras.json"
# Text for people, which is most of a description.
_TEXTS: Final = frozenset({"documentation", "documentationUrl", "deprecatedMessage", "examples"})
# As `botocore.xform_name` makes the name of a method; of the operations that are called none is one of its exceptions.
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# `help()` shows a client's methods by these; a client is made with them, and imports 20 modules for it.
_DOCSTRING: Final = '''"""Stands for the texts that `help()` shows of a client: a function has no use for them."""


class ClientMethodDocstring(str):
    """An empty text."""

    __slots__ = ()

    def __new__(cls, **_arguments):
        """Return the text; the arguments say what botocore would describe."""
        return super().__new__(cls)


PaginatorDocstring = WaiterDocstring = ClientMethodDocstring
'''


def cut_down(botocore: Path, code: Path) -> Mapping[str, frozenset[str]]:
    """Remove from the folder *botocore* what *code* does not use, and return the operations that stay, by service.

    Args:
        botocore: the installed package.
        code: the folder of the Python files that call operations.

    Raises:
        BuildError: no operation is called, or a file of botocore is not where it is expected.

    """
    names = frozenset(name for path in code.rglob("*.py") for name in _names(path))
    data = botocore / "data"
    kept = {}
    prefixes = set()
    for service in sorted(folder for folder in data.iterdir() if folder.is_dir()):
        operations = _cut_service(service, names) if service.name in names | _INDIRECT.keys() else frozenset()
        if operations:
            kept[service.name] = operations
            prefixes.add(_read(next(service.iterdir()), _DESCRIPTION)["metadata"]["endpointPrefix"])
        else:
            shutil.rmtree(service)
    if kept.keys() <= _INDIRECT.keys():
        raise BuildError(f"{data}: no operation is called by the code in {code}")
    _cut_endpoints(data, prefixes)
    for path in data.iterdir():
        if path.is_file() and path.name.removesuffix(".gz") not in _COMMON:
            path.unlink()
    _cut_docs(botocore / "docs")
    return kept


def method_name(operation: str) -> str:
    """Return the name of the client's method for *operation*: `put_item` for `PutItem`."""
    return _WORD.sub("_", operation).lower()


def _cut_docs(docs: Path) -> None:
    """Keep of what writes documentation only the module that the handlers of every client use."""
    for path in docs.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "utils.py":
            path.unlink()
    (docs / "__init__.py").write_text("", encoding="ascii")
    (docs / "docstring.py").write_text(_DOCSTRING, encoding="ascii")


def _names(path: Path) -> Iterator[str]:
    """Go through everything in a file that may be the name of a service or of a client's method."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _cut_service(service: Path, names: Collection[str]) -> frozenset[str]:
    """Cut the newest version of a service, the one that clients use, remove the others, and return its operations."""
    versions = sorted(folder for folder in service.iterdir() if _found(folder, _DESCRIPTION))
    if not versions:
        raise BuildError(f"{service}: has no {_DESCRIPTION}; this version of botocore is laid out differently")
    newest = versions[-1]
    description = _read(newest, _DESCRIPTION)
    wanted = _INDIRECT.get(service.name, set())
    operations = {
        name: operation
        for name, operation in description["operations"].items()
        if name in wanted or method_name(name) in names
    }
    description["operations"] = operations
    description["shapes"] = _reached(description["shapes"], operations)
    files = {_DESCRIPTION: _without_texts(description), _RULES: _read(newest, _RULES)}
    if _found(newest, _EXTRAS):
        files[_EXTRAS] = _without_texts(_read(newest, _EXTRAS))
    files |= {
        name: _read(newest, name) for name, method in _OPTIONAL.items() if method in names and _found(newest, name)
    }
    shutil.rmtree(service)
    newest.mkdir(parents=True)
    for name, content in files.items():
        _write(newest / name, content)
    return frozenset(operations)


def _reached(shapes: Mapping[str, Any], operations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes that the operations use, directly or through others."""
    reached: dict[str, Any] = {}
    open_ends = list(_shapes_in(operations))
    while open_ends:
        name = open_ends.pop()
        if name not in reached and name in shapes:
            reached[name] = shapes[name]
            open_ends += _shapes_in(shapes[name])
    return {name: shapes[name] for name in shapes if name in reached}


def _shapes_in(content: object) -> Iterator[str]:
    if isinstance(content, list):
        for each in content:
            yield from _shapes_in(each)
    elif isinstance(content, dict):
        if isinstance(content.get("shape"), str):
            yield content["shape"]
        for each in content.values():
            yield from _shapes_in(each)


def _without_texts(content: Any, *, named: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Return *content* without texts; the keys of a *named* object are names of the service's own."""
    if isinstance(content, list):
        return [_without_texts(each) for each in content]
    if not isinstance(content, dict):
        return content
    return {
        key: _without_texts(value, named=key in ("members", "shapes", "operations") and not named)
        for key, value in content.items()
        if named or key not in _TEXTS
    }


def _cut_endpoints(data: Path, prefixes: Collection[str]) -> None:
    """Keep the endpoints of the services with these prefixes only."""
    endpoints = _read(data, "endpoints.json")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: value for name, value in partition["services"].items() if name in prefixes}
    (data / "endpoints.json.gz").unlink(missing_ok=True)
    _write(data / "endpoints.json", endpoints)


def _found(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read(folder: Path, name: str) -> Any:  # noqa: ANN401 - JSON
    path = _found(folder, name)
    if path is None:
        raise BuildError(f"{folder}: has no {name}; this version of botocore is laid out differently")
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write(path: Path, content: object) -> None:
    # Not compressed: the bundle itself is, and a cold start is spared that work.
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="ascii")
