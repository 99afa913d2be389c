"""`retrain check`: every mistake in the configuration."""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.cli.command import CONFIG_FILE, DONE, FAILED, Command, Context
from shared.config.targets import CLOUDS
from shared.errors import ConfigError

if TYPE_CHECKING:
    from shared.config.model import Configuration

_DESCRIPTION: Final = """\
Check the configuration and list every mistake, one a line, as `PLACE: problem`. No cloud is contacted;
`retrain doctor` does that.

examples:
  retrain check
  retrain check --cloud gcp       also that a bundle for Google Cloud can be built"""
# A place may have a name in quotes, which may hold anything.
_PLACED: Final = re.compile(r"""((?:"(?:[^"\\]|\\.)*"|[^":\s])+): (.*)""", re.DOTALL)
_LINE: Final = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake.

    Attributes:
        place: the key in the configuration, a line, or the file.
        problem: the mistake, and what to write instead.

    """

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


def find_problems(path: Path, cloud: str | None = None) -> list[Problem]:
    """Return every mistake in the configuration file at *path*.

    Args:
        path: the file.
        cloud: the cloud for which a bundle must be buildable, too; None: only the file is checked.

    """
    from shared.config.file import load_configuration

    try:
        config = load_configuration(path)
    except ConfigError as error:
        return [_problem(text, path, error.source) for text in error.problems]
    return list(_bundle_problems(config, cloud)) if cloud else []


def run(context: Context, options: argparse.Namespace) -> int:
    """Check the configuration."""
    path = context.config_file
    problems = find_problems(path, options.cloud)
    if problems or options.json:
        report_problems(context, options, problems)
    else:
        from shared.config.file import load_configuration

        models = load_configuration(path).models
        count = "1 model" if len(models) == 1 else f"{len(models)} models"
        context.out.write(f"{path.name} is valid: {count} ({', '.join(model.name for model in models)})\n")
    return FAILED if problems else DONE


def report_problems(context: Context, options: argparse.Namespace, problems: Sequence[Problem]) -> None:
    """Write *problems*, for people one a line."""
    if options.json:
        context.out.write(f"{json.dumps({'problems': [asdict(problem) for problem in problems]}, indent=2)}\n")
    else:
        context.err.writelines(f"{problem}\n" for problem in problems)


def _problem(text: str, path: Path, source: str) -> Problem:
    line = _LINE.search(text)
    if line:
        number = line[1] or str(max(1, len(path.read_text(encoding="utf-8-sig").splitlines())))
        column = f" (column {line[2]})" if line[2] else ""
        reason = text[: line.start()].rpartition("TOML: ")[2]
        return Problem(place=f"line {number}", problem=f"{reason[:1].lower()}{reason[1:]}{column}")
    placed = _PLACED.fullmatch(text)
    return Problem(place=placed[1], problem=placed[2]) if placed else Problem(place=source, problem=text)


def _bundle_problems(config: "Configuration", cloud: str) -> Iterator[Problem]:
    if not any(cloud in model.targets for model in config.models):
        yield Problem(place="models", problem=f"no model has a target.{cloud}; add one to the models that train there")
    if cloud == "gcp":
        from functions.gcp.pipelines import specification_problems

        for text in specification_problems(config):
            yield _problem(text, config.folder / CONFIG_FILE, CONFIG_FILE)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cloud", choices=CLOUDS, help="check also that a bundle for this cloud can be built")


COMMAND: Final = Command(
    name="check",
    summary="list every mistake in the configuration",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
)
