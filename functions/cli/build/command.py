"""`retrain build`: builds the bundle of a cloud from the user's folder."""

import argparse
import json
from pathlib import Path
from typing import Final

from functions.cli.command import DONE, FAILED, Command, Context
from functions.cli.progress import Progress

_DESCRIPTION: Final = """\
Build the bundle for a cloud from the folder of the configuration: the code of the functions, the configuration, the
files that it names, and the packages for the deployed runtime. Nothing else of the folder is in it.

examples:
  retrain build aws
  retrain build azure --python 3.12"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Build the bundle that *options* name."""
    from functions.cli.build.bundle import build
    from functions.cli.build.runtime import DEPLOYED, Runtime
    from functions.cli.check import find_problems, report_problems

    config_file = context.config_file
    problems = find_problems(config_file, options.target)
    if problems:
        report_problems(context, options, problems)
        return FAILED
    standard = DEPLOYED[options.target]
    runtime = Runtime.of(
        options.python or standard.python, standard.platform if options.platform is None else options.platform
    )
    output = Path(context.folder / (options.output or config_file.parent / "dist" / options.target)).absolute()
    with Progress(context.err) as progress:
        bundle = build(options.target, config_file, output, runtime, report=progress.step)
    result = bundle.archive or bundle.folder
    if options.json:
        content = {
            "folder": str(bundle.folder),
            "archive": str(bundle.archive) if bundle.archive else None,
            "python": runtime.python,
            "platform": runtime.platform or None,
            "precompiled": bundle.precompiled,
        }
        context.out.write(f"{json.dumps(content, indent=2)}\n")
        return DONE
    note = "" if bundle.precompiled or options.target == "gcp" else _not_compiled(runtime.python)
    context.out.write(f"built {result} ({_size(result)}) for {runtime}{note}\n")
    return DONE


def _not_compiled(python: str) -> str:
    return f"\nIts modules are not compiled ahead, because there is no python{python} here: cold starts take longer."


def _size(path: Path) -> str:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return f"{sum(each.stat().st_size for each in files) / 1e6:.1f} MB"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", choices=("aws", "gcp", "azure"), metavar="CLOUD", help="aws, gcp or azure")
    parser.add_argument("--output", metavar="FOLDER", help="where to (default: dist/CLOUD beside the configuration)")
    parser.add_argument("--python", metavar="VERSION", help="the deployed version of Python (default: 3.13)")
    parser.add_argument(
        "--platform", metavar="NAME", help="the deployed platform in pip's spelling; empty for this machine"
    )


COMMAND: Final = Command(
    name="build",
    summary="build the bundle for a cloud",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
)
