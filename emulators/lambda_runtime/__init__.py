"""AWS Lambda without AWS: the real Python runtime client, with a Runtime API server of our own."""

from emulators.lambda_runtime.api import LambdaError
from emulators.lambda_runtime.function import LambdaFunction, Outcome

__all__ = ["LambdaError", "LambdaFunction", "Outcome"]
