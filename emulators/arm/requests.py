"""The checks of Azure Resource Manager and the service behind it on a request, before anything is done."""

import json
import re
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from emulators.arm.identity import Identity
from emulators.arm.problems import ArmError, Json, user_error
from emulators.loopback import Request

RESOURCE: Final = "https://management.azure.com"
# The first stable version whose pipeline jobs have a componentId.
OLDEST: Final = "2023-04-01"
_JOB: Final = re.compile(r"(?P<workspace>/subscriptions/.+/workspaces/[^/]+)/jobs/(?P<name>[^/]+)(?P<verb>/cancel)?")


def operation_of(request: Request) -> str:
    """Return the operation on a job: `PUT job`, `GET job`, `cancel job`, or another method."""
    is_cancel = request.method == "POST" and urlsplit(request.path).path.endswith("/cancel")
    return "cancel job" if is_cancel else f"{request.method} job"


def admitted(request: Request, workspace: str, identity: Identity | None) -> str:
    """Check everything in a request but its body, and return the name of the job.

    Args:
        request: the request.
        workspace: the resource id of the one workspace that exists.
        identity: issues the tokens that requests need; None if they need none.

    Raises:
        ArmError: the token, the version or the address is invalid.

    """
    if identity and not identity.allows(request.headers.get("authorization", ""), RESOURCE):
        raise ArmError(401, "InvalidAuthenticationToken", "The access token is missing or invalid.")
    address = urlsplit(request.path)
    version = parse_qs(address.query).get("api-version", [""])[0]
    if not version:
        text = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", text)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", version) or version < OLDEST:
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    matched = _JOB.fullmatch(unquote(address.path))
    if request.method not in (("POST",) if matched and matched["verb"] else ("GET", "PUT")):
        raise ArmError(405, "MethodNotAllowed", f"{request.method} is not served here.")
    # Resource ids are compared without regard to case; the name of a job is case-sensitive.
    if matched is None or matched["workspace"].lower() != workspace.lower():
        raise ArmError(404, "ResourceNotFound", f"The Resource '{address.path}' was not found.")
    return matched["name"]


def wanted_properties(body: bytes) -> Json:
    """Return the properties of a request's body.

    Raises:
        ArmError: the body is not valid JSON with properties, or a required property is missing.

    """
    try:
        properties = json.loads(body)["properties"]
    except (ValueError, TypeError, KeyError):
        raise ArmError(400, "InvalidRequestContent", "The request content must be JSON with properties.") from None
    for name in ("jobType", "componentId"):
        if not isinstance(properties, dict) or not isinstance(properties.get(name), str):
            raise user_error(400, f"The {name} field is required.", "BadArgument", "ArgumentBlankOrEmpty")
    if properties["jobType"] != "Pipeline":
        raise user_error(
            400, f"A component runs as a job of type Pipeline, not {properties['jobType']}.", "BadArgument"
        )
    return dict(properties)
