"""Google's functions-framework with a bundle's function, as a process of its own: what runs it when it is deployed."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from emulators.processes import end_group, free_port, wait_until_it_answers

# The framework answers it itself, so that being asked for it does not invoke the function.
_HARMLESS: Final = "/robots.txt"
_BYTECODE: Final = Path(__file__).parents[1] / ".local" / "bytecode"


@dataclass(kw_only=True, eq=False)
class FrameworkFunction:
    """A function of a bundle under functions-framework and gunicorn, as the buildpack of Google starts it.

    Its process sees the variables of Cloud Run and *environment*, and nothing of ours.

    Attributes:
        bundle: the folder that would be uploaded, with `main.py` in it.
        target: the function's name.
        environment: the function's own variables; they win over the defaults made here.
        workers: how many processes serve it.
        threads: how many requests each of them works on at once.
        port: where it listens, once it runs.

    """

    bundle: Path
    target: str
    environment: Mapping[str, str]
    workers: int = 1
    threads: int = 32
    port: int = field(init=False, default=0)
    _log_text: str = field(init=False, default="")

    def __enter__(self) -> Self:
        """Start the process and wait until it answers.

        Raises:
            RuntimeError: it does not come up; what it says about it is told.

        """
        self._folder = tempfile.TemporaryDirectory(prefix="framework-")
        self._log = Path(self._folder.name, "log")
        self.port = free_port()
        # The script beside the interpreter: `-m` would put the working directory in front of the module path.
        script = Path(sys.executable).with_name("functions-framework")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(script), "--target", self.target, "--source", "main.py", "--host", "127.0.0.1"],
                cwd=self.bundle,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until_it_answers(self._process, self.port, self._log, _HARMLESS)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process; the logs can still be read."""
        self.kill()
        self._log_text = self.logs()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """The function's address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_group(self) -> int:
        """What all of its processes belong to."""
        return self._process.pid

    def logs(self) -> str:
        """Return what it has written so far; also after the end."""
        return self._log.read_text(errors="replace") if self._log.is_file() else self._log_text

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        end_group(self._process)

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            # No key file and no configuration of gcloud in anybody's home may lend credentials.
            "HOME": self._folder.name,
            "LANG": "C.UTF-8",
            "K_SERVICE": self.target,
            "K_REVISION": f"{self.target}-00001",
            "K_CONFIGURATION": self.target,
            "FUNCTION_TARGET": self.target,
            "PORT": str(self.port),
            "WORKERS": str(self.workers),
            "THREADS": str(self.threads),
            "PYTHONUNBUFFERED": "1",
            # The bundle stays as it was built, and whoever starts it often reads the bytecode that the first one left.
            "PYTHONPYCACHEPREFIX": str(_BYTECODE),
            **self.environment,
        }
