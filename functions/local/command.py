"""The process of a training: started in a group of its own, ended with everything that it started."""

import os
import subprocess
from collections.abc import Mapping

from functions.local.process_group import end_group
from functions.local.run_folder import RunFolder
from functions.local.run_request import PARAMETER_PREFIX, RunRequest


class Command:
    """A running command of a training."""

    def __init__(self, request: RunRequest, folder: RunFolder, environment: Mapping[str, str]) -> None:
        """Start the command of *request*; its own variables are added to *environment* and take precedence.

        The command's process group is written to the folder before its first instruction runs, and the command holds
        the folder's command lock, so it can be found however this process ends.

        Raises:
            OSError: the command cannot be started.

        """
        # A server that was itself started as a training must not pass on its own parameters.
        inherited = {name: value for name, value in environment.items() if not name.startswith(PARAMETER_PREFIX)}
        lock = folder.lock_for_command()
        pid_file = os.open(folder.pid_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with folder.output.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 - the command of the configuration
                    request.command,
                    cwd=request.folder,
                    env={**inherited, **request.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(lock,),
                    # Safe, because the supervisor has no other thread.
                    preexec_fn=lambda: _announce(pid_file),  # noqa: PLW1509
                )
        finally:
            os.close(pid_file)
            os.close(lock)

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; none while it runs."""
        return self._process.poll()

    def end(self) -> int | None:
        """End the command and the remaining processes of its group, and return the exit code."""
        end_group(self._process.pid, self._process.poll)
        return self._process.poll()


def _announce(pid_file: int) -> None:
    os.write(pid_file, str(os.getpid()).encode("ascii"))
