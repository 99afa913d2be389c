"""The interpreter and the machine that a bundle is built for."""

import re
import sys
from dataclasses import dataclass
from typing import Final, Self

from functions.cli.command import UsageError

_PYTHON: Final = re.compile(r"3\.(1[1-9]|[2-9]\d)")
_PLATFORM: Final = re.compile(r"[a-z]\w*_(x86_64|aarch64)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """An interpreter on a kind of machine.

    Attributes:
        python: the version of Python, such as `3.13`.
        platform: the platform in pip's spelling, such as `manylinux2014_x86_64`; empty for this machine.

    """

    python: str
    platform: str = ""

    @classmethod
    def of(cls, python: str, platform: str) -> Self:
        """Return the runtime with these values.

        Raises:
            UsageError: one of them is not valid.

        """
        if not _PYTHON.fullmatch(python):
            raise UsageError(f"the version of Python must be 3.11 or newer, such as 3.13, not {python!r}")
        if platform and not _PLATFORM.fullmatch(platform):
            raise UsageError(f"the platform must be one of pip's, such as manylinux2014_x86_64, not {platform!r}")
        return cls(python=python, platform=platform)

    @classmethod
    def here(cls) -> Self:
        """Return the runtime of this process."""
        return cls(python=f"{sys.version_info.major}.{sys.version_info.minor}")

    @property
    def is_here(self) -> bool:
        """Whether the interpreter and the machine are those of this process."""
        return self == type(self).here()

    def __str__(self) -> str:
        return f"Python {self.python}" + (f" on {self.platform}" if self.platform else "")


# The runtimes of the deployments: template.yaml (arm64 by default), deploy/azure. Cloud Functions installs by itself.
DEPLOYED: Final = {
    "aws": Runtime(python="3.13", platform="manylinux2014_aarch64"),
    "gcp": Runtime(python="3.13"),
    "azure": Runtime(python="3.13", platform="manylinux2014_x86_64"),
}
