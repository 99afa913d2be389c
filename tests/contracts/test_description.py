"""Requests made from `docs/openapi.yaml`, valid and invalid ones, to every cloud as deployed.

No request leads to a server error or to an answer that the description does not have; what it calls invalid is refused,
and what it calls valid is accepted, but for what a schema cannot say.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.contracts.clouds import Cloud
from tests.contracts.configuration import MODELS
from tests.contracts.conftest import CLOUDS
from tests.contracts.messages import HttpRequest
from tests.contracts.openapi import closed
from tests.contracts.test_faults import trigger_event

Operation = APIOperation[Any, Any, Any, Any]
Sent = Case[Operation]
WSGI = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]

ALWAYS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.allow_header_conformance,
]
# All that the description calls valid and the API does not take, by what the problem's detail begins with.
BEYOND_A_SCHEMA: Final = {
    HTTPStatus.NOT_FOUND: "(model|trigger)_id: ",  # the configuration has no such model, or its runs no such trigger
    HTTPStatus.CONFLICT: "trigger_id: ",  # the trigger is in another state
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        r"after: must be the `next` of an earlier page"
        r"|parameters\.[^:]*: is not a parameter of "  # the configuration allows others, of other types
        r"|parameters\.[^:]*: must be (a|an) \w+"
        r"|(parameters|evidence): must have at most 16384 bytes"
        r"|(parameters|evidence): must be nested at most 32 levels"
        r"|until: must be (in the future|an RFC 3339 time)"
        r"|trigger_id: the body and the header Idempotency-Key name different ids"
    ),
}
# The platforms' own, of which the stand-ins add those that are right; a compressed answer would only be unpacked again.
PROOF: Final = {"authorization", "x-functions-key", "host", "content-length", "connection", "accept-encoding"}


def gateway(cloud: Cloud) -> WSGI:
    """Return a WSGI application that hands each request to *cloud*, as its platform does."""

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterator[bytes]:
        headers = {name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        path, query = environ["REQUEST_URI"].partition("?")[0], environ.get("QUERY_STRING")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        reply = cloud.send(
            HttpRequest(
                method=environ["REQUEST_METHOD"],
                path=quote(f"{path}?{query}" if query else path, safe="/%?&=+:;,@!$'()*~-._"),
                content=body if body or "content-type" in headers else None,
                headers={name: value for name, value in headers.items() if name not in PROOF},
            )
        )
        content = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
        named = [
            (name, value) for name, value in reply.headers.items() if name not in ("connection", "transfer-encoding")
        ]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", [*named])
        yield content

    return answer


def described(cloud: Cloud) -> list[Operation]:
    """Return the operations of the description that *cloud* serves, with schemas that allow no undocumented field."""
    reply = cloud.send(HttpRequest(method="GET", path="/openapi.yaml"))
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, "application/yaml")
    document = yaml.safe_load(reply.body)
    closed(document["components"]["schemas"])
    schema = openapi.from_dict(document)
    schema.app = gateway(cloud)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def cases(operation: Operation, mode: GenerationMode) -> st.SearchStrategy[Sent]:
    """Return requests to *operation*, many of them about models and triggers that there are."""
    arbitrary = operation.as_strategy(mode)
    if "{model_id}" not in operation.path:
        return arbitrary
    known = st.sampled_from(MODELS)
    return arbitrary | known.flatmap(lambda name: operation.as_strategy(mode, path_parameters={"model_id": name}))


def _named(case: Sent, model_id: str | None, trigger_id: str | None) -> None:
    """Let a valid request be about a model and a trigger that there are, where these are given."""
    if isinstance(case.body, dict):
        given_ids = {"model_id": model_id, "trigger_id": trigger_id}
        case.body |= {name: value for name, value in given_ids.items() if value and name in case.body}


def _prepare(cloud: Cloud) -> None:
    """Let trainings run, wait and be queued."""
    for number, model_id in enumerate(("churn", "churn", "reviewed", "followed", "broken")):
        cloud.deliver(trigger_event(cloud, model_id=model_id, trigger_id=f"t-{number}"))


EACH: Final = [
    pytest.param(name, marks=[pytest.mark.xdist_group(f"contracts-{name}"), pytest.mark.deep]) for name in CLOUDS
]
EXAMPLES: Final = settings(max_examples=20)


@pytest.mark.parametrize("cloud", EACH, indirect=True)
def test_valid_requests_are_answered_as_described(cloud: Cloud) -> None:
    """They are accepted, or refused for one of the reasons that a schema cannot say."""
    _prepare(cloud)
    for operation in described(cloud):

        @EXAMPLES
        @given(
            case=cases(operation, GenerationMode.POSITIVE),
            model_id=st.none() | st.sampled_from(MODELS),
            trigger_id=st.none() | st.sampled_from([f"t-{number}" for number in range(5)]),
        )
        def send(case: Sent, model_id: str | None, trigger_id: str | None) -> None:
            _named(case, model_id, trigger_id)
            response = case.call()
            case.validate_response(response, checks=ALWAYS)
            is_problem = "json" in response.headers["content-type"][0]
            if response.status_code >= HTTPStatus.BAD_REQUEST and is_problem:
                detail = response.json()["detail"]
                allowed = BEYOND_A_SCHEMA.get(HTTPStatus(response.status_code), "nothing")
                assert re.match(allowed, detail), (response.status_code, detail, case.as_curl_command())

        send()


@pytest.mark.parametrize("cloud", EACH, indirect=True)
def test_invalid_requests_are_refused_as_described(cloud: Cloud) -> None:
    """They get one of the described problems, and nothing else."""
    _prepare(cloud)
    for operation in described(cloud):
        if not operation.path_parameters and not operation.query and not operation.headers and not operation.body:
            continue

        @EXAMPLES
        @given(case=operation.as_strategy(GenerationMode.NEGATIVE))
        def send(case: Sent) -> None:
            # The routers of Flask and of the Functions host refuse a line break in a path, before any code of ours.
            assume("\n" not in str((case.path_parameters or {}).get("model_id")))
            case.validate_response(case.call(), checks=[*ALWAYS, checks.negative_data_rejection])

        send()
