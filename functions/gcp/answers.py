"""What became of a delivery, as HTTP.

Pub/Sub takes 2xx for an acknowledgement, and delivers again after anything else.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from shared.errors import RetrainError
from shared.http.messages import Response, answer, problem

log = logging.getLogger("retrain")


def acknowledged(act: Callable[[], Mapping[str, object]]) -> Response:
    """Answer with what *act* returns; with a 500 and the error's name if it raises, logged once.

    500 is the answer to a permanent error, too, if one gets here: then only the platform has dead letters.
    """
    try:
        return answer(HTTPStatus.OK, act())
    except RetrainError as error:
        log.warning("retrain.not_acknowledged", extra={"error": described(error), "retryable": error.retryable})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, described(error))
    except Exception as error:  # noqa: BLE001 - it is logged, and nobody is told what it says
        return _unexpected(error)


def answered(respond: Callable[[], Response]) -> Response:
    """Return what *respond* answers to a request; a 500 if it raises what is no answer, logged once."""
    try:
        return respond()
    except RetrainError as error:
        # A wrong configuration: its text says everything, but not to whoever asks.
        log.error("retrain.failed", extra={"error": described(error)})  # noqa: TRY400 - a stack would not help
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}; the log tells more")
    except Exception as error:  # noqa: BLE001 - it is logged, and nobody is told what it says
        return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    log.error("retrain.failed", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong; the log tells more")


def described(error: Exception) -> str:
    """Return the kind of *error* and its text."""
    return f"{type(error).__name__}: {error}"
