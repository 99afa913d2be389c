"""The part of a trigger that the history of a model keeps, a value of bounded size."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from shared.fields import Parameter
from shared.frozen import dataclass
from shared.json_text import compact_utf8, cut_utf8
from shared.trigger import MAX_TEXT, ORIGINS, RetrainTrigger

# Larger parameters or evidence are cut to the beginning of their JSON text.
MAX_WHOLE_BYTES: Final = 1024
MAX_CUT_TEXT: Final = 900
MAX_LINKS: Final = 3
MAX_LINK: Final = 500
# A reason and an error have at most 512 and 500 characters; these limits count for scripts with longer characters.
MAX_TEXT_BYTES: Final = 900
MAX_NAME_BYTES: Final = 500
MAX_ERROR: Final = 500

# An address with a user or a signature is a credential, which belongs neither in the history nor in a log.
_LINK: Final = r'(?i)https?://[^\s/?#@"<>\\]+([/?#][^\s"<>\\]*)?'
_SIGNED: Final = r"(?i)[?&#]([\w-]*signature|sig|[\w-]*token)="
_LINE_BREAKS: Final = r"[\s\x00-\x1f\x7f-\x9f]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A JSON object that was too large for the history.

    Attributes:
        size: the bytes of its JSON text in UTF-8.
        text: the beginning of that text.

    """

    size: int
    text: str = ""


Kept = Mapping[str, object] | Cut
"""A JSON object in the history, whole or cut."""

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRecord:
    """A trigger in the history of a model.

    Attributes:
        origin: that of the trigger.
        requested_at: when it was requested.
        reason: its reason.
        severity: its severity.
        requested_by: the person or system that sent the request.
        parameters: the parameters that the training got, including defaults.
        requested: the names of the parameters that the trigger set itself; None if they are no longer known.
        evidence: its evidence.
        trace_id: the trace that it belongs to, for log lines; not stored.

    """

    origin: str
    requested_at: datetime
    reason: str = ""
    severity: str | None = None
    requested_by: str | None = None
    parameters: Kept = field(default_factory=lambda: NOTHING)
    requested: tuple[str, ...] | None = ()
    evidence: Kept = field(default_factory=lambda: NOTHING)
    trace_id: str = field(default="", compare=False)


def record_of(trigger: RetrainTrigger, parameters: Mapping[str, Parameter] | None = None) -> TriggerRecord:
    """Return the record of *trigger*.

    Args:
        trigger: the trigger.
        parameters: the parameters that the training gets; without them, those that the trigger sets.

    """
    kept = kept_of(trigger.parameters if parameters is None else parameters)
    names = tuple(trigger.parameters)
    return TriggerRecord(
        origin=trigger.origin,
        requested_at=trigger.requested_at,
        reason=cut_utf8(trigger.reason, MAX_TEXT_BYTES),
        severity=trigger.severity,
        requested_by=name_of(trigger),
        parameters=kept,
        requested=None if names and isinstance(kept, Cut) else names,
        evidence=kept_of(trigger.evidence),
        trace_id=trigger.trace_id,
    )


def kept_of(content: Mapping[str, object]) -> Kept:
    """Return *content*, or the beginning of its JSON text if it has more than 1 KB."""
    text = compact_utf8(dict(content))
    size = len(text.encode())
    return content if size <= MAX_WHOLE_BYTES else Cut(size=size, text=cut_utf8(text[:MAX_CUT_TEXT], MAX_WHOLE_BYTES))


def shown(kept: Kept) -> dict[str, object]:
    """Return *kept* as the API and the log show it."""
    return {"cut": True, "bytes": kept.size, "text": kept.text} if isinstance(kept, Cut) else dict(kept)


def name_of(trigger: RetrainTrigger) -> str | None:
    """Return who requested *trigger*, of bounded size."""
    return cut_utf8(trigger.requested_by, MAX_NAME_BYTES) if trigger.requested_by else None


def readable(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of a decision about an event that was rejected, as far as the event's *fields* are readable."""
    origin, why, by, evidence = (fields.get(name) for name in ("origin", "reason", "requested_by", "evidence"))
    return {
        "origin": origin if isinstance(origin, str) and origin in ORIGINS else "",
        "why": cut_utf8(why[:MAX_TEXT], MAX_TEXT_BYTES) if isinstance(why, str) else "",
        "requested_by": cut_utf8(by[:MAX_TEXT], MAX_NAME_BYTES) if isinstance(by, str) and by else None,
        "evidence": links(evidence) if isinstance(evidence, Mapping) else (),
    }


def links(evidence: Mapping[str, object]) -> tuple[str, ...]:
    """Return the first three values of *evidence* that are http(s) addresses.

    An address that contains credentials (a user, a signature, a token) or has more than 500 characters is left out.
    """
    return tuple(link for link, _ in zip(_links(evidence), range(MAX_LINKS), strict=False))


def _links(evidence: Mapping[str, object]) -> Iterator[str]:
    for value in evidence.values():
        if (
            isinstance(value, str)
            and len(value) <= MAX_LINK
            and re.fullmatch(_LINK, value)
            and not re.search(_SIGNED, value)
        ):
            yield value


def one_line(text: str, most: int = MAX_ERROR) -> str:
    """Return an error of a service as one line of at most *most* characters, its end cut off."""
    return cut_utf8(re.sub(_LINE_BREAKS, " ", text[: 4 * most]).strip()[:most], MAX_TEXT_BYTES)
