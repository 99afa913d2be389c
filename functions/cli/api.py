"""The HTTP API as the commands use it, with the credentials of the user: in this process, or at an address."""

import argparse
import getpass
import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from functions.cli.clouds import emitter_of, require_packages
from functions.cli.command import DONE, FAILED, Context
from shared.api import respond
from shared.config.model import Configuration
from shared.http.messages import Request, Response

_JSON: Final = {"content-type": "application/json"}
_NOTHING: Final[Mapping[str, str]] = {}


class ApiError(Exception):
    """The API refused a request.

    Attributes:
        problem: the problem document (RFC 9457).

    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        """Keep the *problem* document."""
        super().__init__(str(problem.get("detail") or problem.get("title")))
        self.problem = problem


class Api:
    """The API of one deployment.

    Attributes:
        config: the configuration; None if the deployment has its own, at the address of `--url`.

    """

    def __init__(self, context: Context, cloud: str) -> None:
        """Connect to the deployment on *cloud* that `--url`, or the environment, names.

        Raises:
            ConfigError: the environment or the configuration is wrong.
            AccessError: the user has no credentials for the address.

        """
        self.config: Configuration | None = None
        self._respond: Callable[[Request], Response]
        if context.url and context.access is not None:
            from functions.cli.access.remote import Remote

            require_packages(cloud)
            self._respond = Remote(context.url, context.access()).respond
        else:
            emitter = emitter_of(cloud, context)
            self.config, self._respond = emitter.config, partial(respond, emitter)

    def get(self, path: str, query: Mapping[str, str] = _NOTHING) -> dict[str, Any]:
        """Return the answer to a GET request.

        Raises:
            ApiError: it is refused.

        """
        return self._send(Request(method="GET", path=path, query=query))[1]

    def post(self, path: str, fields: Mapping[str, object], query: Mapping[str, str] = _NOTHING) -> dict[str, Any]:
        """Return the answer to a POST request with *fields* as its JSON body, sent in the name of the user.

        Raises:
            ApiError: it is refused.

        """
        return self.post_for_status(path, fields, query)[1]

    def post_for_status(
        self, path: str, fields: Mapping[str, object], query: Mapping[str, str] = _NOTHING
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer to a POST request, as `post` sends it.

        Raises:
            ApiError: it is refused.

        """
        body = json.dumps(fields).encode()
        return self._send(Request(method="POST", path=path, query=query, headers=_JSON, body=body, caller=_user_name()))

    def _send(self, request: Request) -> tuple[int, dict[str, Any]]:
        response = self._respond(request)
        content: dict[str, Any] = json.loads(response.body)
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(content)
        return response.status, content


def write_answer(context: Context, options: argparse.Namespace, answer: Mapping[str, object], text: str) -> int:
    """Write an *answer* of the API, for people as *text*, and return the exit code."""
    context.out.write(f"{json.dumps(answer, indent=2) if options.json else text}\n")
    return DONE


def write_problem(context: Context, options: argparse.Namespace, error: ApiError) -> int:
    """Write why the API refused a request, and return the exit code."""
    if options.json:
        context.out.write(f"{json.dumps(error.problem, indent=2)}\n")
    else:
        from functions.cli.tables import plain

        context.err.write(f"{plain(str(error))}\n")
    return FAILED


def _user_name() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None  # A user without a name, as in some containers.
