"""Amazon SNS: the event inside a notification to Lambda, or to an SQS queue without raw message delivery."""

from collections.abc import Mapping

from shared.errors import UnreadableEventError
from shared.json_text import opened
from shared.trace import trace_in
from shared.wire.reading import attribute_values, text


def is_notification(event: object) -> bool:
    """Return whether *event* is a notification of SNS, or the event with which SNS invokes a Lambda function."""
    return _notification(event) is not None


def carried(event: object) -> object:
    """Return the event that *event* carries if it is a notification of SNS, else *event* itself.

    An event without an id, time or trace context gets those of the notification, which are the same on every delivery.
    A notification whose message is not JSON is returned unchanged.

    Raises:
        UnreadableEventError: the message begins like a JSON object but is not one; it may be a damaged trigger event.

    """
    while (notification := _notification(event)) is not None:
        message = opened(notification.get("Message"))
        if not isinstance(message, Mapping):
            if text(message).lstrip().startswith("{"):
                raise UnreadableEventError(f"the message of a notification of {_topic(notification)} is not valid JSON")
            return event
        own = {name: value for name, value in message.items() if value is not None}
        known = {"id": notification.get("MessageId"), "time": notification.get("Timestamp")}
        event = {**trace_in(attribute_values(notification.get("MessageAttributes"), "Value"), event), **known, **own}
    return event


def described(event: Mapping[str, object]) -> str:
    """Return a description of a notification for the log; an empty string for any other event."""
    notification = _notification(event)
    return "" if notification is None else f"notification of {_topic(notification)}"


def _topic(notification: Mapping[str, object]) -> str:
    return text(notification.get("TopicArn"))[:200] or "an unknown topic"


def _notification(event: object) -> Mapping[str, object] | None:
    if not isinstance(event, Mapping):
        return None
    match event:
        # SNS invokes a function with one record (Developer guide of Lambda, "Invoking Lambda functions with Amazon SNS
        # notifications").
        case {"Records": [{"EventSource": "aws:sns", "Sns": Mapping() as notification}]}:
            return notification
        case {"Type": "Notification", "TopicArn": str(), "Message": str()}:
            return event
    return None
