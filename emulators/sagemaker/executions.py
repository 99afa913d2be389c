"""The pipelines and executions of the stand-in."""

import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from emulators.sagemaker.model import ApiError

UNFINISHED = frozenset({"Executing", "Stopping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline, and how its executions end.

    Attributes:
        parameters: the names of the parameters that its definition declares.
        required: the parameters without a default.
        command: run as a subprocess for each execution, parameters in `RETRAIN_PARAM_<NAME>`; its exit code decides
            between Succeeded and Failed.
        duration: seconds after which an execution succeeds by itself. With neither command nor duration, an execution
            lasts until `SageMakerStandIn.end` is called.
    """

    parameters: Collection[str] = ()
    required: Collection[str] = ()
    command: tuple[str, ...] = ()
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution at one moment.

    Attributes:
        token: the `ClientRequestToken` of the call that started it.
        start_calls: the number of StartPipelineExecution requests for it, including those whose answer was lost.
        previous_status: the status before the last change; empty at first.
    """

    arn: str
    pipeline: str
    pipeline_arn: str
    token: str
    display_name: str
    description: str | None
    parameters: Mapping[str, str]
    status: str
    started: datetime
    modified: datetime
    start_calls: int = 1
    previous_status: str = ""
    failure_reason: str | None = None


class Executions:
    """All pipelines and executions of one account and region. Safe to use from several threads.

    Args:
        pipelines: the pipelines by name.
        place: the region and the account id in ARNs.
        clock: returns the time, aware.
    """

    def __init__(
        self, pipelines: Mapping[str, Pipeline], place: tuple[str, str], clock: Callable[[], datetime]
    ) -> None:
        self.pipelines = dict(pipelines)
        self.created = clock()
        self._prefix = f"arn:aws:sagemaker:{place[0]}:{place[1]}:pipeline/"
        self._clock = clock
        self._lock = threading.Lock()
        self._by_arn: dict[str, Execution] = {}
        self._by_token: dict[tuple[str, str], str] = {}

    def pipeline_arn(self, name: str) -> str:
        """Return the ARN of the pipeline with this name."""
        return self._prefix + name

    def pipeline_name(self, name_or_arn: str) -> str:
        """Return a known pipeline's name.

        Raises:
            ApiError: `ResourceNotFound`, also for the ARN of another region or account.
        """
        name = name_or_arn.removeprefix(self._prefix)
        if name not in self.pipelines:
            arn = name_or_arn if name_or_arn.startswith("arn:") else self.pipeline_arn(name_or_arn)
            raise ApiError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
        return name

    def start(
        self, pipeline: str, token: str, parameters: Mapping[str, str], labels: tuple[str | None, str | None]
    ) -> tuple[Execution, bool]:
        """Start an execution, or find the one that this token has started.

        Tokens count per pipeline. With a known token the rest of the request is ignored, since
        "an idempotent operation completes no more than once".

        Args:
            pipeline: the name of a pipeline that exists.
            token: the client's request token.
            parameters: the values by name, already checked.
            labels: display name and description.

        Returns:
            The execution, and whether it is new.
        """
        name, description = labels
        with self._lock:
            known = self._by_token.get((pipeline, token))
            if known:
                execution = replace(self._by_arn[known], start_calls=self._by_arn[known].start_calls + 1)
            else:
                now = self._clock()
                execution = Execution(
                    arn=f"{self._prefix}{pipeline}/execution/{secrets.token_hex(6)}",
                    pipeline=pipeline,
                    pipeline_arn=self.pipeline_arn(pipeline),
                    token=token,
                    # The service's own default, as seen in its answers.
                    display_name=name or f"execution-{int(now.timestamp() * 1000)}",
                    description=description,
                    parameters=dict(parameters),
                    status="Executing",
                    started=now,
                    modified=now,
                )
                self._by_token[pipeline, token] = execution.arn
            self._by_arn[execution.arn] = execution
            return execution, known is None

    def change(self, arn: str, status: str, reason: str | None = None) -> Execution | None:
        """Set the status of an unfinished execution; one that is being stopped can only become Stopped.

        Returns:
            The execution with its new status, or None if it had ended before.
        """
        with self._lock:
            old = self._by_arn[arn]
            if old.status not in UNFINISHED:
                return None
            new = "Stopped" if old.status == "Stopping" else status
            changed = replace(
                old, status=new, previous_status=old.status, failure_reason=reason, modified=self._clock()
            )
            self._by_arn[arn] = changed
            return changed

    def get(self, arn: str) -> Execution:
        """Return one execution.

        Raises:
            ApiError: `ResourceNotFound`.
        """
        with self._lock:
            if arn not in self._by_arn:
                raise ApiError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
            return self._by_arn[arn]

    def all(self) -> list[Execution]:
        """Return every execution, oldest first."""
        with self._lock:
            return list(self._by_arn.values())

    def forget_tokens(self) -> None:
        """Forget every token, as the service does after a time that it does not document."""
        with self._lock:
            self._by_token.clear()
