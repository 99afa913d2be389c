"""An error answer as Google's REST services give it."""

import json

from emulators.loopback import Answer

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class ApiError(Exception):
    """An error answer.

    Attributes:
        code: the HTTP status, from which the name of the canonical code follows.

    """

    def __init__(self, code: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code = code

    def answer(self) -> Answer:
        """Return it as HTTP answer."""
        return error_answer(self.code, str(self))


def error_answer(code: int, message: str) -> Answer:
    """Return the HTTP answer of an error."""
    content = {"error": {"code": code, "message": message, "status": _STATUS[code]}}
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    return Answer(status=code, body=json.dumps(content).encode(), headers=headers)
