"""Cuts the packages of the Azure bundle down to what the functions use: half of their size."""

import shutil
from pathlib import Path
from typing import Final

# The variants for asyncio would double these packages, and nothing imports them.
_WITH_VARIANTS: Final = ("eventgrid", "storage")
# `azure.storage.blob._encryption` imports these, for encryption by the client, which the functions do not use.
# `cryptography` itself is half of the bundle.
_ENCRYPTION: Final = {
    "hazmat/backends": "default_backend",
    "hazmat/primitives/ciphers": "Cipher",
    "hazmat/primitives/ciphers/aead": "AESGCM",
    "hazmat/primitives/ciphers/algorithms": "AES",
    "hazmat/primitives/ciphers/modes": "CBC",
    "hazmat/primitives/padding": "PKCS7",
}
_PLACEHOLDER: Final = '''"""A placeholder: the functions do not encrypt anything themselves."""


class {name}:
    """Refuses to be used."""

    def __init__(self, *_arguments, **_options):
        raise NotImplementedError("cryptography is not in this bundle")
'''


def cut_down(packages: Path) -> None:
    """Remove the variants for asyncio from *packages*, and put a placeholder where cryptography would be imported."""
    for name in _WITH_VARIANTS:
        for variant in [path for path in (packages / "azure" / name).rglob("aio") if path.is_dir()]:
            shutil.rmtree(variant, ignore_errors=True)
    for place, name in _ENCRYPTION.items():
        folder = packages / "cryptography" / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(_PLACEHOLDER.format(name=name), encoding="ascii")
    for folder in (packages / "cryptography", *(packages / "cryptography").rglob("*")):
        if folder.is_dir() and not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text("", encoding="ascii")
