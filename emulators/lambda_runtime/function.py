"""A Lambda function from an unpacked bundle, invoked as the service invokes it, once or many times in parallel."""

import queue
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from emulators.lambda_runtime.api import LambdaError
from emulators.lambda_runtime.environment import ExecutionEnvironment, ProcessPlan
from emulators.lambda_runtime.interpreter import Interpreter, interpreter
from emulators.processes import LogFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended: with an error, or with a result (which may be None)."""

    result: object = None
    error: LambdaError | None = None


@dataclass(eq=False)
class LambdaFunction:
    """A function that runs from a bundle's folder under the real `awslambdaric`, in processes of its own.

    Its processes get the variables of Lambda and *environment*, and nothing from our own environment; they import
    from the bundle, the *layers*, the runtime client and the standard library, and from nowhere else. They write no
    bytecode, since a deployed bundle is read-only.

    Attributes:
        bundle: the folder that would be uploaded.
        handler: dotted path, such as `functions.aws.handler.emit`.
        environment: the function's own variables; they override the defaults.
        python: an interpreter that has `awslambdaric`.
        timeout: seconds that one invocation may take before its process is killed.
        concurrency: how many events are handled at the same time, each in its own process; others wait.
        name: the function's name.
        layers: more folders to import from, like a layer's `/opt/python`.
    """

    bundle: Path
    handler: str
    environment: Mapping[str, str]
    python: str
    timeout: float = 60
    concurrency: int = 1
    name: str = "retrain"
    layers: Sequence[Path] = ()

    def __enter__(self) -> Self:
        # The interpreter's path is not resolved: the link to python is what identifies a virtual environment.
        found = interpreter(str(self.python))
        self._folder = LogFolder("lambda-")
        plan = self._plan(found, found.lay_out(self._folder.path / "runtime"))
        self._environments = [ExecutionEnvironment(plan) for _ in range(self.concurrency)]
        # Last in, first out: like Lambda, use a warm environment before creating a new one.
        self._idle: queue.LifoQueue[ExecutionEnvironment] = queue.LifoQueue()
        for environment in reversed(self._environments):
            self._idle.put(environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.close()

    @property
    def starts(self) -> int:
        """How many processes were started: the cold starts."""
        return sum(environment.starts for environment in self._environments)

    def warm(self) -> None:
        """Start every process that is not running, so that the next invocations are all warm.

        Raises:
            LambdaError: a process could not be initialised.
        """
        for environment in self._environments:
            environment.warm()

    def invoke(self, event: object) -> object:
        """Invoke synchronously and return the result. Safe to call from several threads.

        Raises:
            LambdaError: the invocation failed.
        """
        return self._invoke(event, str(uuid4()))

    def invoke_async(self, event: object, attempts: int = 3, delays: Sequence[float] = (0.01, 0.02)) -> list[Outcome]:
        """Invoke as Lambda handles an asynchronous event: retry after an error, with the same request id.

        Lambda waits one and two minutes before its two retries.

        Args:
            event: anything that JSON can hold.
            attempts: the largest number of attempts.
            delays: seconds before the second attempt, the third and so on; the last delay repeats.

        Returns:
            One outcome per attempt; if the last is a failure, the event would go to the failure destination.
        """
        request_id = str(uuid4())
        outcomes: list[Outcome] = []
        for attempt in range(attempts):
            if attempt and delays:
                time.sleep(delays[min(attempt, len(delays)) - 1])
            try:
                return [*outcomes, Outcome(result=self._invoke(event, request_id))]
            except LambdaError as error:
                outcomes.append(Outcome(error=error))
        return outcomes

    def logs(self) -> str:
        """Return everything that all processes have written so far, in the order of writing; also after the end."""
        return self._folder.text()

    def kill(self) -> None:
        """End every process immediately; running invocations fail with `Runtime.ExitError`."""
        for environment in self._environments:
            environment.kill()

    def _invoke(self, event: object, request_id: str) -> object:
        environment = self._idle.get()
        try:
            return environment.invoke(event, request_id)
        finally:
            self._idle.put(environment)

    def _plan(self, found: Interpreter, runtime: Path) -> ProcessPlan:
        region = self.environment.get("AWS_REGION", "eu-west-3")
        return ProcessPlan(
            command=found.command(self.handler),
            bundle=self.bundle.resolve(),
            variables=self._variables(found, runtime, region),
            function_arn=f"arn:aws:lambda:{region}:123456789012:function:{self.name}",
            timeout=self.timeout,
            log=self._folder.log,
        )

    def _variables(self, found: Interpreter, runtime: Path, region: str) -> dict[str, str]:
        return {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            # The metadata service and the user's home directory must not provide credentials.
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(runtime),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{found.version}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            **self.environment,
            "_HANDLER": self.handler,
            "LAMBDA_TASK_ROOT": str(self.bundle.resolve()),
            "PYTHONPATH": ":".join(str(folder) for folder in (*self.layers, runtime)),
        }
