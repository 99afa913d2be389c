"""The bundle of a cloud: the core, the cloud's own folder, the configuration, the packages."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from functions.cli.build import azure_packages, botocore_data
from functions.cli.build.archive import archive
from functions.cli.build.packages import BuildError, install, precompile
from functions.cli.build.runtime import Runtime
from functions.notify.wiring import needs_apprise
from shared.config.file import compile_configuration, load_configuration
from shared.config.model import Configuration

# The folder that has `shared` and `functions`: the repository, or the installed package.
ROOT: Final = Path(__file__).resolve().parents[3]

# The packages that every cloud uses beside the core, like the modules in `functions` itself.
_COMMON: Final = ("github", "notify")
_IGNORED: Final = shutil.ignore_patterns("__pycache__", "requirements.*")
_AZURE_PACKAGES: Final = ".python_packages/lib/site-packages"
# Parts of the packages that nothing in the bundle imports.
AWS_UNUSED: Final = (
    "aws_lambda_powertools/event_handler",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "metadata",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
    "dateutil/zoneinfo",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was built.

    Attributes:
        folder: its folder.
        archive: the same as a zip; None if it was not packed.
        runtime: the interpreter and the machine that it is for.
        precompiled: whether its modules are compiled ahead.

    """

    folder: Path
    archive: Path | None
    runtime: Runtime
    precompiled: bool


def config_files(config_file: Path) -> list[Path]:
    """Return the configurations that a bundle holds: `retrain*.toml` beside *config_file*, and that file."""
    return sorted({*config_file.parent.glob("retrain*.toml"), config_file})


def build(
    cloud: str,
    config_file: Path,
    output: Path,
    runtime: Runtime,
    *,
    packed: bool = True,
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Build the bundle for *cloud* in the folder *output*, which is replaced once the new one is complete.

    Args:
        cloud: `aws`, `gcp` or `azure`.
        config_file: the configuration; the other `retrain*.toml` beside it, one for each environment, come along.
        output: the folder of the bundle; a zip gets the same name.
        runtime: the interpreter and the machine that it is for.
        packed: whether to make the zip, too.
        report: takes the name of each step as it begins.

    Raises:
        ConfigError: a configuration is not valid, or names a file that is missing.
        BuildError: the packages cannot be installed.

    """
    files = config_files(config_file)
    configs = [load_configuration(path) for path in files]
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as temporary:
        folder = Path(temporary) / output.name
        report("copying the code and the configuration")
        requirements = _stage(cloud, files, configs, folder)
        precompiled = _FINISH[cloud](folder, requirements, runtime, configs, report)
        new, zipped = Path(temporary) / "new.zip", output.with_name(f"{output.name}.zip")
        if packed:
            report("packing")
            archive(folder, new)
        _replace(folder, output)
        if packed:
            new.replace(zipped)
    return Bundle(folder=output, archive=zipped if packed else None, runtime=runtime, precompiled=precompiled)


def _stage(cloud: str, files: Sequence[Path], configs: Sequence[Configuration], folder: Path) -> Path:
    """Copy code and configuration into *folder*, and return its file of requirements."""
    shutil.copytree(ROOT / "shared", folder / "shared", ignore=_IGNORED)
    for name in (*_COMMON, cloud):
        shutil.copytree(ROOT / "functions" / name, folder / "functions" / name, ignore=_IGNORED)
    for path in (ROOT / "functions").glob("*.py"):
        shutil.copyfile(path, folder / "functions" / path.name)
    (folder / "docs").mkdir()
    shutil.copyfile(ROOT / "docs" / "openapi.yaml", folder / "docs" / "openapi.yaml")
    for path in files:
        shutil.copyfile(path, folder / path.name)
        compile_configuration(folder / path.name)
    # Apprise is most of what a bundle weighs, so it comes along only where a channel needs it.
    rooms = [cloud, *(["notify"] if any(needs_apprise(config.channel_places()) for config in configs) else [])]
    requirements = folder / "requirements.txt"
    requirements.write_bytes(b"".join((ROOT / "functions" / room / "requirements.txt").read_bytes() for room in rooms))
    return requirements


def _finish_aws(
    folder: Path, requirements: Path, runtime: Runtime, _configs: Sequence[Configuration], report: Callable[[str], None]
) -> bool:
    report(f"installing the packages for {runtime}")
    install(requirements, folder, runtime)
    report("removing what the functions do not use")
    botocore_data.cut_down(folder / "botocore", folder / "functions" / "aws")
    for name in AWS_UNUSED:
        shutil.rmtree(folder / name)
    report("compiling")
    return precompile(folder, "/var/task", [folder], runtime)


def _finish_gcp(
    folder: Path,
    _requirements: Path,
    _runtime: Runtime,
    configs: Sequence[Configuration],
    _report: Callable[[str], None],
) -> bool:
    from functions.gcp.pipelines import copy_specifications

    # Cloud Functions installs the requirements itself, and looks for main.py.
    (folder / "functions" / "gcp" / "main.py").rename(folder / "main.py")
    for config in configs:
        copy_specifications(config, folder)
    return False


def _finish_azure(
    folder: Path, requirements: Path, runtime: Runtime, _configs: Sequence[Configuration], report: Callable[[str], None]
) -> bool:
    # Azure Functions looks for function_app.py beside host.json, and for packages where its own tools put them.
    (folder / "functions" / "azure" / "function_app.py").rename(folder / "function_app.py")
    shutil.copyfile(ROOT / "host.json", folder / "host.json")
    packages = folder / _AZURE_PACKAGES
    report(f"installing the packages for {runtime}")
    install(requirements, packages, runtime)
    # Without requirements Azure does not build it anew: what runs is what was tested.
    requirements.unlink()
    report("removing what the functions do not use")
    azure_packages.cut_down(packages)
    report("compiling")
    own = [folder / "function_app.py", folder / "shared", folder / "functions"]
    return precompile(folder, "/home/site/wwwroot", [*own, packages], runtime)


_FINISH: Final = {"aws": _finish_aws, "gcp": _finish_gcp, "azure": _finish_azure}


def _replace(folder: Path, output: Path) -> None:
    """Put *folder* in the place of *output*, which is never half of each."""
    if output.is_dir() and not output.is_symlink() and not _is_bundle(output):
        raise BuildError(f"{output} is not empty and is not a bundle, so it is not replaced; name another folder")
    if output.exists():
        shutil.rmtree(output)
    folder.rename(output)


def _is_bundle(folder: Path) -> bool:
    return not any(folder.iterdir()) or (folder / "shared" / "trigger.py").is_file()
