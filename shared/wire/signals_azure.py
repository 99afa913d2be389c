"""Signals of Azure, by way of Event Grid: thresholds that monitors find breached, new blobs."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from shared.frozen import dataclass
from shared.trigger import derived_id
from shared.wire.incoming import Signal
from shared.wire.reading import text
from shared.wire.signals import AZURE_ML, BLOB, DATA, DRIFT, MAX_NAME, evidence, is_empty, plain, reason, short

RUN_STATUS_CHANGED: Final = "Microsoft.MachineLearningServices.RunStatusChanged"
DATASET_DRIFT: Final = "Microsoft.MachineLearningServices.DatasetDriftDetected"
BLOB_CREATED: Final = "Microsoft.Storage.BlobCreated"

# A monitor sets this tag on its run. Its value is a message for people, not a flag.
BREACHED: Final = "azureml_modelmonitor_threshold_breached"
_NOT_BREACHED: Final = ("", "false", "0", "no", "none", "null")

# Data Lake storage and SFTP report a file when it is opened, still empty, and again when it is complete.
_INCOMPLETE: Final = ("CreateFile", "SftpCreate")
_BLOB: Final = r"(?s)/blobServices/default/containers/([^/]+)/blobs/(.+)"

# Runs of automated training have tags and properties of any number and length.
_MOST_TEXTS: Final = 200
_LONGEST_TEXT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class GridEvent:
    """An event of Event Grid, in whichever schema it came.

    Attributes:
        kind: `eventType`, or the CloudEvent's `type`.
        topic: `topic`, or the CloudEvent's `source`: the resource.
        subject: `subject`.
        data: `data`.
        delivery_id: the same for every delivery of the event.
        sent_at: when it happened, if the event says so.

    """

    kind: str
    topic: str
    subject: str
    data: object
    delivery_id: str = ""
    sent_at: datetime | None = None


def read_signal(event: GridEvent) -> Signal | None:
    """Return the signal in *event*; none if it is not one, or lacks a field that is needed."""
    read = _READERS.get(event.kind.lower())
    return read(event) if read and isinstance(event.data, Mapping) else None


def _breach(event: GridEvent) -> Signal | None:
    data = _lower(event.data)
    tags, experiment = data.get("runtags"), text(data.get("experimentname"))
    run_id = text(data.get("runid")) or event.subject.partition("/runs/")[2]
    breach = _lower(tags).get(BREACHED)
    if not (run_id or experiment) or not _is_breach(breach):
        return None
    return Signal(
        kind=AZURE_ML,
        subject=experiment,
        # The tag stays on the run, whose status goes on changing: all these events are one trigger.
        trigger_id=derived_id(AZURE_ML, event.topic, run_id) if run_id else event.delivery_id,
        origin=DRIFT,
        reason=reason(breach if " " in text(breach) else "", f"{experiment or run_id}: a threshold is breached"),
        evidence=evidence(
            workspace=short(event.topic), experiment=short(experiment), run=short(run_id), breach=short(breach)
        ),
        sent_at=event.sent_at,
        begins=(run_id,) if run_id else (),
        mentions=tuple(_texts(tags, data.get("runproperties"))),
    )


def _is_breach(value: object) -> bool:
    return isinstance(value, str | int) and str(value).strip().lower() not in _NOT_BREACHED


def _dataset_drift(event: GridEvent) -> Signal | None:
    data = _lower(event.data)
    name, run_id = text(data.get("datadriftname")), text(data.get("runid"))
    if not name and not run_id:
        return None
    coefficient = plain(data.get("driftcoefficient"))
    return Signal(
        kind=AZURE_ML,
        subject=name,
        trigger_id=event.delivery_id,
        origin=DRIFT,
        reason=reason(f"dataset drift {name or run_id}" + (f": {coefficient}" if coefficient is not None else "")),
        evidence=evidence(
            workspace=short(event.topic),
            monitor=short(name),
            run=short(run_id),
            coefficient=coefficient,
            base=short(data.get("basedatasetid")),
            target=short(data.get("targetdatasetid")),
            start=short(data.get("starttime")),
            end=short(data.get("endtime")),
        ),
        sent_at=event.sent_at,
        begins=(run_id,) if run_id else (),
    )


def _blob(event: GridEvent) -> Signal | None:
    where, data = re.fullmatch(_BLOB, event.subject), _lower(event.data)
    if where is None or data.get("api") in _INCOMPLETE:
        return None
    container, name = where.groups()
    return Signal(
        kind=BLOB,
        subject=f"{container}/{name}",
        trigger_id=event.delivery_id,
        origin=DATA,
        empty=is_empty(name, data.get("contentlength")),
        reason=reason(f"new blob {container}/{name}"),
        evidence=evidence(
            account=short(event.topic),
            container=short(container),
            blob=short(name, MAX_NAME),
            # The query would be a signature.
            url=short(text(data.get("url")).partition("?")[0], MAX_NAME),
            size=plain(data.get("contentlength")),
            etag=short(data.get("etag")),
        ),
        sent_at=event.sent_at,
    )


def _lower(value: object) -> dict[str, object]:
    """Return an object with names in lower case: documentation and real events differ in that, even in one event."""
    return {str(name).lower(): item for name, item in value.items()} if isinstance(value, Mapping) else {}


def _texts(*objects: object) -> Iterator[str]:
    """Yield the first line of each tag and property; the further lines of a breach list its features."""
    values = [value for given in objects if isinstance(given, Mapping) for value in given.values()]
    lines = (text(value)[:_LONGEST_TEXT].partition("\n")[0] for value in values[:_MOST_TEXTS])
    return filter(None, lines)


_READERS: Final[Mapping[str, Callable[[GridEvent], Signal | None]]] = {
    RUN_STATUS_CHANGED.lower(): _breach,
    DATASET_DRIFT.lower(): _dataset_drift,
    BLOB_CREATED.lower(): _blob,
}
