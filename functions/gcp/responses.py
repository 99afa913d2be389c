"""HTTP responses for the results of deliveries and requests.

For Pub/Sub a 2xx status is an acknowledgement; after any other status it redelivers.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from shared.errors import RetrainError
from shared.http.messages import Response, answer, problem

log = logging.getLogger("retrain")


def acknowledged(act: Callable[[], Mapping[str, object]]) -> Response:
    """Return the result of *act* as a response; if it raises, a 500 with the error's name, logged once.

    A permanent error that gets here is a 500, too: then only the platform's dead letters can keep the event.
    """
    try:
        return answer(HTTPStatus.OK, act())
    except RetrainError as error:
        log.warning("retrain.not_acknowledged", extra={"error": described(error), "retryable": error.retryable})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, described(error))
    except Exception as error:  # noqa: BLE001 - its text is logged, not returned
        return _unexpected(error)


def answered(respond: Callable[[], Response]) -> Response:
    """Return the response of *respond*; if it raises, a 500, logged once."""
    try:
        return respond()
    except RetrainError as error:
        # A wrong configuration: the text is for the operator, not for the caller.
        log.error("retrain.failed", extra={"error": described(error)})  # noqa: TRY400 - a stack would not help
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}; see the log")
    except Exception as error:  # noqa: BLE001 - its text is logged, not returned
        return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    log.error("retrain.failed", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected error; see the log")


def described(error: Exception) -> str:
    """Return the kind of *error* and its text."""
    return f"{type(error).__name__}: {error}"
