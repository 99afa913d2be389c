"""Whatever arrives, from arbitrary JSON to a signal with one wrong field: nothing fails, and only a signal trains."""

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.config.file import SIGNALS
from shared.errors import PermanentError
from shared.receive import Decode, receive
from shared.wire.incoming import Signal
from tests.core import native
from tests.core.deployment import Deployment
from tests.core.native import aws, azure, changed, gcp, message
from tests.core.samples import model_text

EVERYTHING = f"signals = {[f'{kind}:*' for kind in SIGNALS]}"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
CODECS = st.sampled_from([aws, gcp, azure])
NATIVE = native.natives()


@given(event=JSON, codec=CODECS)
def test_arbitrary_json_never_trains(event: object, codec: Decode) -> None:
    """Whatever arrives is ignored or rejected, with the widest signals that can be configured."""
    deployment = Deployment(model_text("churn", f"default = true\n{EVERYTHING}"))
    assert receive(deployment.receiver, event, codec).decision in ("ignore", "reject")
    assert deployment.service.runs == {}


@given(data=st.data(), odd=JSON)
def test_a_spoilt_signal_never_fails(data: st.DataObject, odd: object) -> None:
    """A signal of which any field is anything else, or missing, trains or does not, but raises no other error."""
    event, codec = data.draw(st.sampled_from(NATIVE))
    path = data.draw(st.sampled_from(list(native.paths(event))))
    spoilt = changed(event, odd if data.draw(st.booleans()) else ..., *path)
    deployment = Deployment(model_text("churn", EVERYTHING))
    outcome = receive(deployment.receiver, spoilt, codec)
    assert outcome.decision in ("launch", "ignore", "reject", "ended")
    assert len(deployment.service.runs) == (outcome.decision == "launch")


@given(event=JSON)
def test_a_codec_raises_nothing_but_a_permanent_error(event: Any) -> None:
    """Also for what is nearly a signal, in its envelope and around any content."""
    pair = {"source": "aws.s3", "detail-type": "Object Created", "detail": event}
    finalized = native.cloud_event("google.cloud.storage.object.v1.finalized", event)
    created = {"eventType": "Microsoft.Storage.BlobCreated", "subject": "/blobServices/default/containers/c/blobs/b"}
    with contextlib.suppress(PermanentError):
        assert not isinstance(aws(pair), Signal)
        assert not isinstance(gcp(finalized), Signal)
        azure(created | {"data": event})
        gcp(message({"jsonPayload": event}))
        gcp({"message": {"data": "", "attributes": event}})
