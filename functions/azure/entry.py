"""Reads what the Functions host passes to the functions, and writes HTTP answers in its format."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from posixpath import normpath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from shared.fields import format_time
from shared.wire.reading import time

# Most events are not requests over HTTP.
if TYPE_CHECKING:
    import azure.functions as func

    from shared.http.messages import Request, Response

# A host's clock may be slightly behind its timer: a tick that is due now counts as due.
CLOCK_SKEW: Final = timedelta(seconds=10)
# The year of .NET's earliest date, which the host stores before a timer's first tick.
YEAR_1: Final = 1
LONGEST_NAME: Final = 512
KEY: Final = "function key"
SENT_PATH: Final = "x-waws-unencoded-url"


def read_request(request: "func.HttpRequest", *, authenticated: bool) -> "Request":
    """Read an HTTP request.

    Args:
        request: the request of the host.
        authenticated: whether the platform itself set the headers that name the caller.

    """
    from shared.http.messages import Request, read_query

    # The route parameter is decoded, and so is `%25` in the URL. The front ends of App Service decode `%2F`, too, and
    # make a backslash a slash (dotnet/aspnetcore issue 40532); this header has the path as it was sent. It
    # counts only for the same path, so that a caller cannot pass by the rules for paths of a gateway in front.
    address = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    sent = headers.get(SENT_PATH, "").partition("?")[0]
    return Request(
        method=str(request.method).upper(),
        path=sent if sent and _flat(sent) == _flat(address.path) else address.path or "/",
        query=read_query(address.query),
        headers=headers,
        body=request.get_body(),
        caller=_caller(headers) if authenticated else KEY,
    )


def http_answer(response: "Response") -> "func.HttpResponse":
    """Return *response* in the host's format."""
    import azure.functions as func

    return func.HttpResponse(response.body, status_code=int(response.status), headers=dict(response.headers))


def event_of(event: "func.EventGridEvent | func.CloudEvent") -> dict[str, Any]:
    """Return an event as it was on the wire, as far as the host's library passes it on.

    The library drops fields that it does not know, such as the snake case names of ML cube's documentation.
    """
    fields = _cloud_event(event) if hasattr(event, "specversion") else _grid_event(event)
    return {name: value for name, value in fields.items() if value is not None}


def tick_time(timer: Any, now: datetime) -> datetime | None:  # noqa: ANN401 - the public type lacks the status
    """Return when a timer's tick was due: the latest of its schedule's times that is not in the future.

    None if the timer was run by hand. The host then passes the stored status, whose next time is still ahead
    (TimerTriggerBinding.BindAsync of azure-webjobs-sdk-extensions); its last time belongs to an earlier tick.

    Args:
        timer: a `func.TimerRequest`; without a monitor its `schedule_status` is empty.
        now: the current time, UTC.

    """
    last, coming = (time(timer.schedule_status.get(name)) for name in ("Last", "Next"))
    latest = now + CLOCK_SKEW
    if coming is not None and coming > latest and not timer.past_due:
        return None
    due = (moment for moment in (last, coming) if moment is not None and moment.year > YEAR_1 and moment <= latest)
    return max(due, default=None)


def _flat(path: str) -> str:
    """Return *path* without any encoding, steps back and backslashes, for comparisons."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return normpath(path.replace("\\", "/"))


def _caller(headers: Mapping[str, str]) -> str:
    named = (headers.get(f"x-ms-client-principal-{part}") for part in ("name", "id"))
    return next(filter(None, named), KEY)[:LONGEST_NAME]


def _grid_event(event: Any) -> dict[str, object]:  # noqa: ANN401 - func.EventGridEvent
    return {
        "id": event.id,
        "topic": event.topic,
        "subject": event.subject,
        "eventType": event.event_type,
        "eventTime": _text(event.event_time),
        "dataVersion": event.data_version,
        "data": event.get_json(),
    }


def _cloud_event(event: Any) -> dict[str, object]:  # noqa: ANN401 - func.CloudEvent
    return {
        "specversion": event.specversion,
        "id": event.id,
        "source": event.source,
        "subject": event.subject,
        "type": event.type,
        "time": _text(event.time),
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
        "data": event.get_json(),
        **event.extension_attrs,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
