"""Whatever arrives, the codec of Pub/Sub answers, or rejects it by its own errors."""

import base64
import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PermanentError
from shared.json_text import compact
from shared.wire.incoming import TriggerEvent
from shared.wire.pubsub import decode, is_sweep
from tests.core.pubsub_deliveries import FORMS, OURS, message_of, push

SOURCE = "ml3_platform"

texts = st.text(st.characters(exclude_categories=()), max_size=8)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
sources = st.sampled_from(["ml3_platform", "ml3_platform.eu", "other"]) | anything
kinds = st.sampled_from(["retrain_trigger", "retrain_trigger_v2", "retrain_sweep"]) | anything
encoded = st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode())
bodies = st.fixed_dictionaries(
    {}, optional={"source": sources, "event_type": kinds, "payload": anything, "x": anything}
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "data": anything | encoded | bodies.map(lambda body: base64.b64encode(json.dumps(body).encode()).decode()),
        "attributes": anything | st.fixed_dictionaries({}, optional={"source": sources, "event_type": kinds}),
        "messageId": anything,
        "message_id": anything,
        "publishTime": anything,
    },
)
types = st.sampled_from(
    [
        "google.cloud.pubsub.topic.v1.messagePublished",
        "google.pubsub.topic.publish",
        "providers/cloud.pubsub/eventTypes/topic.publish",
    ]
)
events = st.one_of(
    anything,
    st.fixed_dictionaries({"message": messages | anything}, optional={"subscription": anything}),
    st.fixed_dictionaries(
        {"specversion": anything, "type": types | anything, "data": anything | st.builds(push, messages)},
        optional={"id": anything, "source": anything, "time": anything},
    ),
    st.fixed_dictionaries({"eventType": types | anything, "data": messages | anything}, optional={"eventId": anything}),
    st.fixed_dictionaries({"context": st.fixed_dictionaries({"eventType": types}) | anything, "data": messages}),
)


@given(events)
def test_any_event_is_read_or_rejected(event: Any) -> None:
    """No shape, type or character leads to any error but those that a dead letter follows, and nothing is changed."""
    before = repr(event)
    is_sweep(event)
    with suppress(PermanentError):
        decode(event, SOURCE)
    assert repr(event) == before


@given(st.dictionaries(texts, anything, max_size=4), st.booleans(), st.sampled_from(sorted(FORMS)))
def test_any_payload_of_ours_comes_out_whole(fields: dict[str, Any], alone: bool, form: str) -> None:  # noqa: FBT001 - drawn
    """Whatever fields a sender writes, in either spelling and by any way, arrive as they were written."""
    fields = {name: value for name, value in fields.items() if name != "payload"}
    body = fields if alone else {**OURS, "payload": fields}
    message = message_of(compact(body).encode(), OURS if alone else {})
    incoming = decode(FORMS[form](message), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.fields == json.loads(compact(fields))
    assert incoming.trigger_id == "ml3_platform:7"
