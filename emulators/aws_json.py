"""Answers in the JSON 1.1 protocol of AWS, as SageMaker and EventBridge send them."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from emulators.loopback import Answer, json_answer


def aws_answer(status: int, content: Mapping[str, Any]) -> Answer:
    """Return an answer with a request id of its own."""
    return json_answer(status, content, {"x-amzn-RequestId": str(uuid4())}, content_type="application/x-amz-json-1.1")


def aws_error(code: str, message: str, status: int = 400) -> Answer:
    """Return an error answer; *code* is the error code that clients see, such as `ThrottlingException`."""
    return aws_answer(status, {"__type": code, "message": message})
