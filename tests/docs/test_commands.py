"""Every command that a page shows exists, with the options that it is given."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache

import botocore.session
import pytest
from botocore import xform_name

from functions.cli.__main__ import main
from tests.docs.pages import PAGES, ROOT, Block, all_blocks
from tests.docs.shell import commands

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
# Programs of other projects, which are not installed here.
PROGRAMS = {"az", "cd", "curl", "docker", "export", "find", "gcloud", "git", "pip", "terraform"}
MODULES = {"pip", "pytest", "venv"}
# Commands that the AWS command line has beside the operations of its services.
CUSTOM = {("s3", "website"), ("s3", "presign"), ("ecr", "get-login-password")}
GLOBAL = {"output", "profile", "query", "region"}

SHELL = [pytest.param(block, id=f"{block.page}-{place}") for place, block in enumerate(all_blocks("sh"))]


@pytest.mark.parametrize("block", SHELL)
def test_the_commands_in_a_block_exist(block: Block) -> None:
    """Each is a target of make, a module or script of the project, an operation of AWS, or a well-known program."""
    for command in commands(block.text):
        program, *arguments = command
        if program == "make":
            check_make(arguments)
        elif re.fullmatch(r"([\w./-]*/)?python3?", program):
            check_python(arguments)
        elif program == "retrain":
            check_python(["-m", "functions.cli", *arguments])
        elif program == "aws":
            check_aws(arguments)
        elif "/" in program:
            assert (ROOT / program).is_file(), program
        else:
            assert program in PROGRAMS, program
        for path in re.findall(r"(?:-chdir=|-f )(\S+)", " ".join(command)):
            assert (ROOT / path).exists(), path


def check_make(arguments: list[str]) -> None:
    """Check that targets exist, and that variables are those that the Makefile reads."""
    targets = {argument for argument in arguments if "=" not in argument}
    assert targets <= TARGETS
    for name in (argument.partition("=")[0] for argument in arguments if "=" in argument):
        assert re.search(rf"\$\(({name})\)|\${name}\b|^(export )?{name} [?:]?=", MAKEFILE, re.MULTILINE), name


def check_python(arguments: list[str]) -> None:
    """Check that the script or module is there, and that a module of the project takes its options."""
    if arguments[0] == "-c":
        return
    if arguments[0] != "-m":
        assert (ROOT / arguments[0]).is_file(), arguments[0]
        return
    module, *options = arguments[1:]
    if module not in MODULES:
        path = ROOT / module.replace(".", "/")
        assert (path / "__main__.py").is_file() or path.with_suffix(".py").is_file(), module
    if module.startswith("functions.") and options:
        shown = helped(module, *options)
        assert {option for option in options if option.startswith("--")} <= set(re.findall(r"--[a-z-]+", shown))


@cache
def helped(module: str, *options: str) -> str:
    """Return the help of *module* behind *options*; a choice or a form that it does not take is an error."""
    if module == "functions.cli":
        out = io.StringIO()
        with redirect_stdout(out):
            assert main([*options, "--help"], {}, out, out) == 0, out.getvalue()
        return out.getvalue()
    command = [sys.executable, "-m", module, *options, "--help"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def check_aws(arguments: list[str]) -> None:
    """Check that the service has the operation, and the operation each option, by botocore's models."""
    service, operation, *options = arguments
    if (service, operation) in CUSTOM:
        return
    session = botocore.session.get_session()
    if operation == "wait":
        waiters = session.get_waiter_model(service).waiter_names
        assert options[0] in {xform_name(name, "-") for name in waiters}
        operation, *options = "describe-stacks", *options[1:]
    # The operations of S3 are called s3api on the command line; s3 is a tool of its own there.
    model = session.get_service_model({"s3api": "s3"}.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, operation
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    given = {option[2:] for option in options if option.startswith("--")}
    assert {option for option in given - GLOBAL if not option.startswith("cli-")} <= members


def test_the_targets_of_make_that_are_named_exist() -> None:
    """Every `make X` in the text is a target, and every target of `make help` is in one of the tables."""
    named = {code.split()[1] for page in PAGES for code in page.codes if re.fullmatch(r"make [a-z-]+( .*)?", code)}
    assert named <= TARGETS
    tables = [table for page in PAGES for table in page.tables() if table.header == ("command", "does")]
    listed = {code.removeprefix("make ") for table in tables for code in table.codes() if code.startswith("make ")}
    assert TARGETS - {"build-aws", "build-gcp", "build-azure"} <= listed | {"help"}


def test_the_command_line_has_the_commands_of_the_table() -> None:
    """The table lists every command, and no other."""
    in_help = set(re.findall(r"^ {4}([a-z][a-z-]+)(?: |$)", helped("functions.cli"), re.MULTILINE))
    assert set(commands_table()) == in_help


def commands_table() -> list[str]:
    """Return the commands in the table of the page about them."""
    tables = [table for page in PAGES if page.name == "docs/commands.md" for table in page.tables()]
    return next(table.column() for table in tables if table.header == ("command", "does"))


def test_a_block_is_split_as_a_shell_does() -> None:
    """Assignments, substitutions, quotes over several lines, comments and pipes are understood."""
    text = "A=1 make x B=\"c d\"  # why\nKEY=$(az keys list)\naws s3 \\\n  website | cat > y && echo '{\n}'\n"
    assert list(commands(text)) == [
        ["make", "x", "B=c d"],
        ["az", "keys", "list"],
        ["aws", "s3", "website"],
        ["cat"],
        ["echo", "{\n}"],
    ]
