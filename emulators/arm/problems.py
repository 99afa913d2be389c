"""The error answers of Azure Resource Manager and of the service behind it."""

from typing import Any, Final

from emulators.loopback import Answer, json_answer

Json = dict[str, Any]

RETRY_AFTER: Final = "1"


class ArmError(Exception):
    """An error answer.

    Attributes:
        status: the HTTP status.
        code: the error code, such as `UserError`.
        inner: the nested codes, outermost first; Azure ML puts them into `additionalInfo`, as `InnerError`.

    """

    def __init__(self, status: int, code: str, message: str, inner: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner

    def answer(self) -> Answer:
        """Return the HTTP answer; a 429 has `Retry-After`."""
        return json_answer(self.status, self.body(), {"Retry-After": RETRY_AFTER} if self.status == 429 else {})

    def body(self) -> Json:
        """Return the JSON of the answer."""
        error: Json = {"code": self.code, "message": str(self)}
        if self.inner:
            component = {"type": "ComponentName", "info": {"value": "managementfrontend"}}
            error |= {
                "details": [],
                "additionalInfo": [component, {"type": "InnerError", "info": {"value": self._nested()}}],
            }
        return {"error": error}

    def _nested(self) -> Json | None:
        nested: Json | None = None
        for code in reversed(self.inner):
            nested = {"code": code, "innerError": nested}
        return nested


def user_error(status: int, message: str, *inner: str) -> ArmError:
    """Return an error that Azure ML attributes to the caller."""
    return ArmError(status, "UserError", message, inner)
