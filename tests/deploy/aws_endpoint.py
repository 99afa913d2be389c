"""An account in memory at a URL: CloudFormation, S3 and STS as botocore calls them."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from emulators.loopback import Answer, Request
from emulators.standin import Served
from tests.deploy.stacks import Account

_XML: Final = {"Content-Type": "text/xml"}


class AwsEndpoint(Served):
    """Answers for an account; the variable AWS_ENDPOINT_URL leads to it.

    Attributes:
        account: the account.

    """

    def __init__(self, account: Account) -> None:
        """Bind a free port; the context starts the server."""
        self.account = account
        super().__init__()

    def _respond(self, request: Request) -> Answer | None:
        fields = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        action = fields.pop("Action", "") if "Version" in fields else ""
        try:
            if action == "GetCallerIdentity":
                return _result(action, {"Account": self.account.number})
            if action:
                call: Callable[..., Mapping[str, Any]] = getattr(self.account.cloudformation, _method(action))
                return _result(action, call(**_nested(fields)))
            return self._object(request)
        except ClientError as error:
            found = error.response["Error"]
            if not action:
                return Answer(status=int(found["Code"]))
            body = f"<Code>{found['Code']}</Code><Message>{escape(found['Message'])}</Message>"
            return Answer(
                status=400, body=f"<ErrorResponse><Error>{body}</Error></ErrorResponse>".encode(), headers=_XML
            )

    def _object(self, request: Request) -> Answer:
        """Answer for S3, in whose addresses the path begins with the bucket."""
        s3 = self.account.s3
        _, bucket, *key = urlsplit(request.path).path.split("/", 2)
        if request.method == "HEAD":
            call = s3.head_object if key else s3.head_bucket
            call(Bucket=bucket, Key="".join(key))
        elif key and key[0]:
            s3.put_object(Bucket=bucket, Key=key[0], Body=_unchunked(request))
        elif "publicAccessBlock" in request.path:
            s3.put_public_access_block(Bucket=bucket)
        else:
            s3.create_bucket(Bucket=bucket)
        return Answer(status=200)


def _method(action: str) -> str:
    """Return the name of the method for an action: `describe_stacks` for `DescribeStacks`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action).strip("_")


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a request whose lists are in fields such as `Parameters.member.1.ParameterKey`."""
    request: dict[str, Any] = {}
    for name, value in fields.items():
        first, _, rest = name.partition(".member.")
        if not rest:
            request[first] = value
            continue
        number, _, field = rest.partition(".")
        items = request.setdefault(first, {})
        if field:
            items.setdefault(number, {})[field] = value
        else:
            items[number] = value
    return {name: list(value.values()) if isinstance(value, dict) else value for name, value in request.items()}


def _unchunked(request: Request) -> bytes:
    """Return the content of an upload, which botocore may send in chunks with a checksum behind it."""
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    content, rest = b"", request.body
    while (size := int((head := rest.partition(b"\r\n"))[0].partition(b";")[0], 16)) > 0:
        content, rest = content + head[2][:size], head[2][size + 2 :]
    return content


def _result(action: str, result: Mapping[str, Any]) -> Answer:
    body = f"<{action}Response><{action}Result>{_xml(result)}</{action}Result></{action}Response>"
    return Answer(status=200, body=body.encode(), headers=_XML)


def _xml(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(each)}</{name}>" for name, each in value.items())
    if isinstance(value, list | tuple):
        return "".join(f"<member>{_xml(each)}</member>" for each in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
