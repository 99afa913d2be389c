"""Google's functions-framework, which also runs the function when it is deployed, as a process of its own."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from emulators.processes import LogFolder, end_group, free_port, wait_until_it_answers

# The framework answers this path itself, so that a request for it does not invoke the function.
_HARMLESS: Final = "/robots.txt"
_BYTECODE: Final = Path(__file__).parents[1] / ".local" / "bytecode"


@dataclass(kw_only=True, eq=False)
class FrameworkFunction:
    """A function of a bundle under functions-framework and gunicorn, as Google's buildpack starts it.

    Its process gets the variables of Cloud Run and *environment*, and nothing from our own environment.

    Attributes:
        bundle: the folder that would be uploaded, with `main.py` in it.
        target: the function's name.
        environment: the function's own variables; they win over the defaults made here.
        workers: how many processes serve it.
        threads: how many requests each of them handles at the same time.
        port: the port that it listens on, once it runs.

    """

    bundle: Path
    target: str
    environment: Mapping[str, str]
    workers: int = 1
    threads: int = 32
    port: int = field(init=False, default=0)

    def __enter__(self) -> Self:
        """Start the process and wait until it answers.

        Raises:
            RuntimeError: it does not start; the message has the end of its log.

        """
        self._folder = LogFolder("framework-")
        self.port = free_port()
        # The script beside the interpreter, because `-m` would put the working directory first on the module path.
        script = Path(sys.executable).with_name("functions-framework")
        with self._folder.log.open("wb") as log:
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
            wait_until_it_answers(self._process, self.port, self._folder.log, _HARMLESS)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process; the logs can still be read."""
        self.kill()
        self._folder.close()

    @property
    def url(self) -> str:
        """The function's address, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_group(self) -> int:
        """The id of the process group that all its processes belong to."""
        return self._process.pid

    def logs(self) -> str:
        """Return everything that it has written so far; also after the end."""
        return self._folder.text()

    def kill(self) -> None:
        """End it immediately, even in the middle of a request."""
        end_group(self._process)

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            # Key files and gcloud configuration in the user's home must not provide credentials.
            "HOME": str(self._folder.path),
            "LANG": "C.UTF-8",
            "K_SERVICE": self.target,
            "K_REVISION": f"{self.target}-00001",
            "K_CONFIGURATION": self.target,
            "FUNCTION_TARGET": self.target,
            "PORT": str(self.port),
            "WORKERS": str(self.workers),
            "THREADS": str(self.threads),
            "PYTHONUNBUFFERED": "1",
            # The bundle stays as it was built, and later starts reuse the bytecode that the first one wrote.
            "PYTHONPYCACHEPREFIX": str(_BYTECODE),
            **self.environment,
        }
