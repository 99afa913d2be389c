"""The Lambda harness runs a bundle's folder under the real runtime client, and fails as Lambda does."""

import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulators.lambda_runtime import LambdaError, LambdaFunction
from emulators.sagemaker import SageMakerStandIn
from tests.aws.calls import PIPELINES

Make = Callable[..., LambdaFunction]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes Lambda functions from one bundle, by the handler's name."""
    bundle = tmp_path / "bundle"
    (bundle / "package").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("lambda_sample.py"), bundle / "package" / "handlers.py")

    def function(handler: str, **options: Any) -> LambdaFunction:
        settings = {"environment": {}, "python": sys.executable} | options
        return LambdaFunction(bundle=bundle, handler=f"package.handlers.{handler}", **settings)

    return function


def failure(call: Callable[[], object]) -> LambdaError:
    """Return the error that an invocation fails with."""
    with pytest.raises(LambdaError) as caught:
        call()
    return caught.value


def test_a_handler_gets_event_context_and_a_clean_environment(make: Make) -> None:
    """The handler sees the event, Lambda's context and variables, and can import nothing but bundle and runtime."""
    with make("echo", environment={"RETRAIN_BUS": "bus", "AWS_REGION": "us-east-1"}, timeout=7) as function:
        first: Any = function.invoke({"ä": [1, None]})
        second: Any = function.invoke(2)
        assert "seen {'ä': [1, None]}" in function.logs()
    assert (first["event"], first["count"], second["event"], second["count"]) == ({"ä": [1, None]}, 1, 2, 2)
    assert first["request_id"] != second["request_id"]
    assert first["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:retrain"
    assert 5000 < first["remaining_ms"] <= 7000
    environment = first["environment"]
    assert (environment["RETRAIN_BUS"], environment["AWS_REGION"]) == ("bus", "us-east-1")
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert "VIRTUAL_ENV" not in environment
    assert first["path"][0] == first["cwd"] == environment["LAMBDA_TASK_ROOT"]
    assert not [entry for entry in first["path"] if "site-packages" in entry]
    assert list(function.bundle.rglob("*.pyc")) == []


def test_logs_outlive_the_function(make: Make) -> None:
    """After the end the logs are still there, and the processes are gone."""
    with make("echo") as function:
        function.invoke("x")
    assert "seen x" in function.logs()


def test_an_exception_is_an_error_answer(make: Make) -> None:
    """The error has the exception's type, message and stack; the process goes on."""
    with make("fail") as function:
        error = failure(lambda: function.invoke({}))
        assert (error.type, error.message) == ("ValueError", "no good")
        assert "handlers.py" in error.trace[0]
        failure(lambda: function.invoke({}))
        assert function.starts == 1


def test_a_module_that_is_not_in_the_bundle_cannot_be_imported(make: Make) -> None:
    """Packages that are installed beside the runtime client are not part of the function."""
    with make("train") as function:
        assert failure(lambda: function.invoke("x")).type == "ModuleNotFoundError"


def test_a_missing_handler_fails_every_invocation(make: Make) -> None:
    """An import error of the handler's module is reported each time, from a new process."""
    function = make("echo")
    function.handler = "package.absent.echo"
    with function:
        for _ in range(2):
            error = failure(lambda: function.invoke({}))
            assert (error.type, "absent" in error.message) == ("Runtime.ImportModuleError", True)
        assert function.starts == 2


def test_a_late_handler_is_killed(make: Make) -> None:
    """An invocation that takes too long fails at its timeout, and the next one gets a new process."""
    with make("sleep", timeout=0.3) as function:
        function.warm()
        begun = time.monotonic()
        error = failure(lambda: function.invoke(600))
        assert 0.3 <= time.monotonic() - begun < 2
        assert (error.type, "timed out after 0.30 seconds" in error.message) == ("Sandbox.Timedout", True)
        assert function.invoke(0) == "rested"
        assert function.starts == 2


def test_a_crash_is_reported_and_the_process_replaced(make: Make) -> None:
    """A process that ends in the middle of an event fails that event, and the next event starts a new process."""
    with make("crash") as function:
        error = failure(lambda: function.invoke(3))
        assert (error.type, error.message) == ("Runtime.ExitError", "Runtime exited with error: exit status 3")
        assert function.invoke(0) == "alive"
        function.kill()
        assert function.invoke(0) == "alive"
        assert function.starts == 3


def test_a_kill_in_the_middle_fails_the_event(make: Make) -> None:
    """Killing the function while it works fails that invocation with the signal's name."""
    with make("sleep") as function, ThreadPoolExecutor(1) as pool:
        invocation = pool.submit(function.invoke, 600)
        while "working" not in function.logs():
            time.sleep(0.01)
        function.kill()
        error = invocation.exception(timeout=5)
        assert isinstance(error, LambdaError)
        assert (error.type, error.message) == ("Runtime.ExitError", "Runtime exited with error: signal: SIGKILL")


@pytest.mark.parametrize(("good_at", "ends"), [(1, [True]), (3, [False, False, True]), (9, [False, False, False])])
def test_an_asynchronous_event_is_tried_three_times(make: Make, tmp_path: Path, good_at: int, ends: list[bool]) -> None:
    """Errors are retried with the same request id, a success is not, and the third error is the last."""
    tries = tmp_path / "tries"
    with make("flaky") as function:
        outcomes = function.invoke_async({"tries": str(tries), "good_at": good_at})
    assert [outcome.error is None for outcome in outcomes] == ends
    assert outcomes[-1].result == ("done" if ends[-1] else None)
    requests = tries.read_text().split()
    assert (len(requests), len(set(requests))) == (len(ends), 1)


def test_sixteen_events_are_handled_at_the_same_time(make: Make, tmp_path: Path) -> None:
    """Each of sixteen simultaneous events waits in its own process until all sixteen have arrived."""
    folder = tmp_path / "met"
    folder.mkdir()
    event = {"folder": str(folder), "count": 16}
    with make("together", concurrency=16, timeout=30) as function:
        with ThreadPoolExecutor(16) as pool:
            pids = set(pool.map(function.invoke, [event] * 16))
        assert len(pids) == function.starts == 16


def test_a_free_process_is_used_before_a_new_one(make: Make) -> None:
    """Events that arrive one after another use one warm process, whatever the concurrency."""
    with make("echo", concurrency=4) as function:
        counts = [function.invoke({}) for _ in range(3)]
        assert [found["count"] for found in counts if isinstance(found, dict)] == [1, 2, 3]
        assert function.starts == 1


def test_a_function_reaches_the_stand_in_by_its_environment(make: Make) -> None:
    """boto3 in the function finds the SageMaker stand-in through the standard variable alone."""
    layer = Path(boto3.__file__).parents[1]
    with SageMakerStandIn(pipelines=PIPELINES) as sagemaker:
        environment = {"AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url}
        with make("train", environment=environment, layers=(layer,)) as function:
            arn = function.invoke("other")
        assert [execution.arn for execution in sagemaker.executions()] == [arn]


def test_an_interpreter_without_the_runtime_client_is_refused(make: Make, tmp_path: Path) -> None:
    """The error names the interpreter and what it lacks."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(LookupError, match="python has no awslambdaric"), make("echo", python=str(bare)):
        pass
