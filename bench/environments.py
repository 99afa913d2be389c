"""Where packages are: ours, and those of the official SDKs, which have an environment of their own; configurations."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.config.file import compile_configuration

ROOT: Final = Path(__file__).parents[1]
NAIVE: Final = Path(__file__).with_name("naive")
PACKAGES: Final = Path(str(find_spec("boto3").origin)).parents[1]  # type: ignore[union-attr] # it is installed
OFFICIAL: Final = ROOT / ".tools" / "bench" / "lib" / PACKAGES.parent.name / "site-packages"


def write_configuration(folder: Path, text: str) -> Path:
    """Write `retrain.toml` into *folder*, with its compiled form, as a bundle has both; return its path."""
    path = folder / "retrain.toml"
    path.write_text(text, encoding="ascii")
    compile_configuration(path)
    return path
