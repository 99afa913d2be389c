"""The error answers of Google's REST services."""

from emulators.loopback import Answer, json_answer

CONTENT_TYPE = "application/json; charset=UTF-8"

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
        code: the HTTP status.
        status: the canonical code; empty: the usual one of the HTTP status.

    """

    def __init__(self, code: int, message: str, status: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def answer(self) -> Answer:
        """Return the HTTP answer."""
        return error_answer(self.code, str(self), self.status)


def error_answer(code: int, message: str, status: str = "") -> Answer:
    """Return the HTTP answer of an error; *status* is its canonical code, if that is not the usual one."""
    content = {"error": {"code": code, "message": message, "status": status or _STATUS[code]}}
    return json_answer(code, content, content_type=CONTENT_TYPE)
