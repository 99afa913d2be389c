"""Signals of Google Cloud: anomalies that model monitoring logs, and new objects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.json_text import opened
from shared.trigger import derived_id
from shared.wire.incoming import Signal
from shared.wire.reading import text, time
from shared.wire.signals import (
    DATA,
    DRIFT,
    GCS_OBJECT,
    MAX_ITEM,
    MAX_NAME,
    VERTEX,
    evidence,
    filled,
    first,
    inside,
    is_empty,
    plain,
    reason,
    short,
)

# The type of the payload of a log entry, of a CloudEvent, and (`eventType`) of a bucket notification.
ANOMALIES: Final = "type.googleapis.com/google.cloud.aiplatform.logging.ModelMonitoringAnomaliesLogEntry"
OBJECT_FINALIZED: Final = "google.cloud.storage.object.v1.finalized"
OBJECT_FINALIZE: Final = "OBJECT_FINALIZE"

# The severity by that of the log entry; `DEFAULT` has no meaning.
_SEVERITIES: Final = {
    "DEBUG": "low",
    "INFO": "low",
    "NOTICE": "low",
    "WARNING": "medium",
    "ERROR": "high",
    "CRITICAL": "high",
    "ALERT": "high",
    "EMERGENCY": "high",
}


def read_message(
    body: object, attributes: Mapping[str, object], *, delivery_id: str = "", sent_at: datetime | None = None
) -> Signal | None:
    """Return the signal in a Pub/Sub message; none if it is not one, or lacks a field that is needed.

    Args:
        body: what the message holds, parsed from JSON: a log entry that a sink exported, or anything else.
        attributes: the message's attributes: those of a bucket's notification, or any others.
        delivery_id: the message's own id, for a signal that has none.
        sent_at: when it was published, for a signal that has no time.

    """
    if isinstance(body, Mapping) and inside(body, "jsonPayload", "@type") == ANOMALIES:
        return _anomalies(body, delivery_id, sent_at)
    if attributes.get("eventType") == OBJECT_FINALIZE:
        # The attributes are always present; the body is empty if the notification is configured with payload `NONE`.
        named = {"bucket": "bucketId", "name": "objectId", "generation": "objectGeneration", "updated": "eventTime"}
        given = {name: attributes[attribute] for name, attribute in named.items() if attribute in attributes}
        whole = dict(body) | given if isinstance(body, Mapping) else given
        return _object(whole, delivery_id, sent_at)
    return None


def read_event(event: Mapping[str, object]) -> Signal | None:
    """Return the signal in a CloudEvent; none if it is not one, or lacks a field that is needed."""
    if text(event.get("type")) != OBJECT_FINALIZED:
        return None
    source, event_id = text(event.get("source")), text(event.get("id"))
    delivery_id = derived_id(source, event_id) if event_id else ""
    return _object(opened(event.get("data")), delivery_id, time(event.get("time")))


def _object(data: object, delivery_id: str, sent_at: datetime | None) -> Signal | None:
    bucket, name, generation = text(inside(data, "bucket")), text(inside(data, "name")), inside(data, "generation")
    if not bucket or not name:
        return None
    return Signal(
        kind=GCS_OBJECT,
        subject=f"{bucket}/{name}",
        # A bucket's notification and Eventarc report the same generation, each in its own way: that is one trigger.
        trigger_id=derived_id(GCS_OBJECT, f"{bucket}/{name}#{generation}") if plain(generation) else delivery_id,
        origin=DATA,
        empty=is_empty(name, inside(data, "size")),
        reason=reason(f"new object gs://{bucket}/{name}"),
        evidence=evidence(
            bucket=short(bucket),
            name=short(name, MAX_NAME),
            generation=plain(generation),
            size=plain(inside(data, "size")),
            etag=short(inside(data, "etag")),
        ),
        sent_at=time(inside(data, "updated")) or sent_at,
    )


def _anomalies(entry: Mapping[str, object], delivery_id: str, sent_at: datetime | None) -> Signal | None:
    payload, labels = entry.get("jsonPayload"), inside(entry, "resource", "labels")
    resource = text(inside(payload, "modelDeploymentMonitoringJob"))
    job = resource.rpartition("/")[2] or text(inside(labels, "model_deployment_monitoring_job"))
    count, anomalies = plain(inside(payload, "totalAnomaliesCount")), inside(payload, "featureAnomalies")
    if not job or (not anomalies and count in (0, "0")):
        return None
    # An alert that is raised again is a new log entry; the cooldown of the model limits its effect.
    entry_id = text(entry.get("insertId"))
    objective = short(inside(payload, "anomalyObjective"))
    return Signal(
        kind=VERTEX,
        subject=job,
        trigger_id=derived_id(VERTEX, job, entry_id) if entry_id else delivery_id,
        origin=DRIFT,
        reason=reason(" ".join(str(part) for part in (objective, _features(anomalies)) if part), f"job {job} alerts"),
        severity=_SEVERITIES.get(text(entry.get("severity"))),
        evidence=evidence(
            job=short(resource) or short(job),
            deployed_model=short(inside(payload, "deployedModelId")),
            objective=objective,
            anomalies=filled(map(_anomaly, first(anomalies))),
            total=count,
            start=short(inside(payload, "startTime")),
            end=short(inside(payload, "endTime")),
        ),
        sent_at=time(entry.get("timestamp")) or sent_at,
    )


def _anomaly(anomaly: object) -> dict[str, object]:
    return evidence(
        feature=short(inside(anomaly, "featureDisplayName"), MAX_ITEM),
        deviation=plain(inside(anomaly, "deviation")),
        threshold=plain(inside(anomaly, "threshold")),
    )


def _features(anomalies: object) -> str:
    named = filled(short(inside(anomaly, "featureDisplayName"), MAX_ITEM) for anomaly in first(anomalies))
    return f"of {', '.join(str(name) for name in named)}" if named else ""
