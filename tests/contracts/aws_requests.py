"""HTTP requests as Lambda hands them to a function: payload format 2.0."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from tests.contracts.messages import HttpRequest
from tests.contracts.socket_client import content_bytes, headers_of

CALLER = "arn:aws:sts::123456789012:assumed-role/DataScience/ada"


def function_url_event(request: HttpRequest, *, caller: str | None = CALLER) -> dict[str, Any]:
    """Return what a function URL with IAM authentication sends: the body in base64 unless it is text."""
    event = _event(request, stage="$default", base64_encoded=False, domain="id.lambda-url.eu-west-3.on.aws")
    if caller is not None:
        event["requestContext"]["authorizer"] = {"iam": {"accessKey": "AKIA", "userArn": caller, "userId": "AIDA"}}
    return event


def http_api_event(
    request: HttpRequest,
    *,
    stage: str = "$default",
    base64_encoded: bool = False,
    claims: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event of an HTTP API; a named *stage* precedes the path, *claims* are those of a JWT.

    The path is decoded.
    """
    path, separator, query = request.path.partition("?")
    decoded = replace(request, path=unquote(path) + separator + query)
    domain = "id.execute-api.eu-west-3.amazonaws.com"
    event = _event(decoded, stage=stage, base64_encoded=base64_encoded, domain=domain)
    if claims is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": None}}
    return event


def _event(request: HttpRequest, *, stage: str, base64_encoded: bool, domain: str) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    raw_path = path if stage == "$default" else f"/{stage}{path}"
    headers = headers_of(request) | {"host": "api.example", "x-forwarded-proto": "https"}
    http = {"method": request.method, "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"accountId": "123456789012", "domainName": domain, "http": http, "stage": stage},
        "isBase64Encoded": False,
    }
    content = content_bytes(request.content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        base64_encoded = True
    if request.content is not None:
        event["body"] = base64.b64encode(content).decode() if base64_encoded else text
        event["isBase64Encoded"] = base64_encoded
    return event
