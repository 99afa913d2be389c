"""The W3C trace context that a trigger may bring: `traceparent` and `tracestate`.

https://www.w3.org/TR/trace-context/: one that is invalid is ignored, and the event counts as one without it.
"""

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.fields import brief

TRACE_FIELDS: Final = ("traceparent", "tracestate")
NO_TRACE: Final[Mapping[str, object]] = MappingProxyType({})
MAX_TRACESTATE: Final = 512

# Google's Pub/Sub libraries write the context into attributes with a prefix.
_NAMES: Final = ("traceparent", "googclient_traceparent")
# Compiled on first use: most triggers bring no trace context.
_TRACEPARENT: Final = r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_MEMBER: Final = r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
_TRACESTATE: Final = rf"{_MEMBER}([ \t]*,[ \t]*{_MEMBER}){{0,31}}"

log = logging.getLogger("retrain")


def read_traceparent(value: object) -> str | None:
    """Return a `traceparent` of version 00 if *value* is one; else None."""
    if isinstance(value, str) and re.fullmatch(_TRACEPARENT, value):
        return value
    if value is not None:
        log.debug("retrain.trace_ignored", extra={"traceparent": brief(value)})
    return None


def read_tracestate(value: object) -> str | None:
    """Return a `tracestate` of at most 32 members and 512 characters if *value* is one; else None."""
    if isinstance(value, str) and len(value) <= MAX_TRACESTATE and re.fullmatch(_TRACESTATE, value):
        return value
    return None


def trace_id_of(traceparent: str | None) -> str:
    """Return the trace id in a valid *traceparent*, 32 hex characters; empty if there is none."""
    return traceparent.split("-")[1] if traceparent else ""


def trace_in(*carriers: object) -> Mapping[str, object]:
    """Return `traceparent`, and `tracestate` if it has one, of the first of *carriers* with a valid `traceparent`.

    Args:
        carriers: headers, attributes or fields of an envelope; anything but a mapping has none.

    """
    for carrier in carriers:
        for name in _NAMES:
            if not isinstance(carrier, Mapping) or name not in carrier:
                continue
            traceparent, prefix = read_traceparent(carrier[name]), name.removesuffix("traceparent")
            if traceparent:
                return {"traceparent": traceparent, "tracestate": carrier.get(f"{prefix}tracestate")}
    return NO_TRACE
