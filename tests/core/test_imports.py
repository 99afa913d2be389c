"""The core needs the standard library alone, and little of it: imports decide how long a cold start takes."""

import ast
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import shared

# One worker imports every module for all of these tests.
pytestmark = pytest.mark.xdist_group("imports")

ROOT = Path(shared.__file__).parent.parent
MODULES = sorted(module.name for module in pkgutil.walk_packages(shared.__path__, "shared."))
# Python itself has about twenty; dataclasses, logging and pathlib bring most of the other 90. A few more are for other
# versions of Python.
MOST = 113
HEAVY = (
    "asyncio",
    "boto3",
    "botocore",
    "email",
    "http.client",
    "multiprocessing",
    "pydantic",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "unittest",
    "urllib.request",
    "urllib3",
    "uuid",
    "xml",
)

# Prints a line for each module, which is imported in a process that has imported no other one of the project. Modules
# of the standard library are imported before: they take most of the time and decide nothing.
IMPORT_EACH = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
for name in json.loads(sys.argv[2]):
    __import__(name)
for name in sys.argv[3:]:
    if not os.fork():
        error = ""
        try:
            __import__(name)
        except BaseException as caught:
            error = repr(caught)
        print(json.dumps([name, error]), flush=True)
        os._exit(0)
    os.wait()
"""


def loaded_by(*names: str) -> set[str]:
    """Return the modules that a fresh interpreter has, without any site packages, after importing *names*."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + "".join(f"import {name}\n" for name in names)
    found = subprocess.run(
        [sys.executable, "-S", "-I", "-c", f"{program}import json; print(json.dumps(sorted(sys.modules)))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(found.stdout))


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return what all modules of the core bring along."""
    return loaded_by(*MODULES)


def test_the_whole_core_is_light(loaded: set[str]) -> None:
    """All of its modules together bring fewer than 113 modules that are not its own, Python's own start included."""
    assert loaded >= set(MODULES)
    foreign = {name for name in loaded if name.partition(".")[0] != "shared"}
    assert len(foreign) < MOST, sorted(foreign)


@pytest.mark.parametrize("name", HEAVY)
def test_nothing_heavy_comes_along(loaded: set[str], name: str) -> None:
    """Modules that take long to import, or talk to the outside, are not imported."""
    assert name not in loaded
    assert not [module for module in loaded if module.startswith(f"{name}.")]


@pytest.fixture(scope="module")
def imported_first(loaded: set[str]) -> dict[str, str]:
    """Return each module's error when it is imported first, empty for none; each in a fork of a fresh interpreter."""
    library = json.dumps(sorted(name for name in loaded if name.partition(".")[0] in sys.stdlib_module_names))
    command = [sys.executable, "-S", "-I", "-c", IMPORT_EACH, str(ROOT), library, *MODULES]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(line) for line in found.stdout.splitlines())


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_come_first(imported_first: Mapping[str, str], name: str) -> None:
    """Each module can be imported on its own: no module needs another one to have been imported before."""
    assert imported_first[name] == ""


def imported_names(path: Path) -> Iterator[str]:
    """Go through the packages that the module at *path* imports, wherever in it that stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "shared").rglob("*.py")), ids=lambda path: path.stem)
def test_only_the_standard_library_is_imported(path: Path) -> None:
    """A module of the core imports the standard library and the core, nothing else, not even inside a function.

    Schedules are the exception: cronsim is pure Python, and imported only where a model has a schedule of its own.
    """
    # `_typeshed` exists for type checkers only.
    allowed = sys.stdlib_module_names | {"shared", "_typeshed"} | ({"cronsim"} if path.stem == "schedule" else set())
    assert set(imported_names(path)) <= allowed
