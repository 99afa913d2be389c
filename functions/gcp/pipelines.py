"""Copies the pipeline specifications that the configuration names into the bundle; a step of its build."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from functions.gcp.specification import SpecificationError, is_template, read_specification, specification_path
from shared.config.model import Configuration
from shared.config.targets import VertexTarget
from shared.errors import ConfigError


def copy_specifications(config: Configuration, folder: Path) -> list[str]:
    """Copy every specification of *config* into *folder*, to the same relative path, and return the paths.

    Raises:
        ConfigError: one is missing, is not a compiled pipeline, or is outside the configuration's folder. The error
            lists all such problems, and nothing is copied.

    """
    named = dict(_named(config))
    problems = specification_problems(config)
    if problems:
        raise ConfigError(str(config.folder), problems)
    pipelines = list(dict.fromkeys(named.values()))
    for pipeline in pipelines:
        source = specification_path(config.folder, pipeline)
        copy = folder / source.relative_to(config.folder.resolve())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    return pipelines


def specification_problems(config: Configuration) -> list[str]:
    """Return every problem with the specifications that *config* names, each with its place."""
    return [problem for place, pipeline in _named(config) for problem in _problems(config, place, pipeline)]


def _named(config: Configuration) -> Iterator[tuple[str, str]]:
    for model in config.models:
        target = model.targets.get("gcp")
        if isinstance(target, VertexTarget) and not is_template(target.pipeline):
            yield f'models."{model.name}".target.gcp.pipeline', target.pipeline


def _problems(config: Configuration, place: str, pipeline: str) -> Iterator[str]:
    try:
        read_specification(config.folder, pipeline)
    except SpecificationError as error:
        yield f"{place}: {error}"
