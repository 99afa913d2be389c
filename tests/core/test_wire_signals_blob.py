"""Blobs that arrive in Azure storage: which are signals, and what is kept of them."""

import pytest

from shared.wire.incoming import Foreign, Signal
from tests.core.native import BLOB, azure, changed, sample


def test_a_new_blob_is_data() -> None:
    """The documented event is a signal about container and blob."""
    (event,) = sample(BLOB)
    signal = azure(event)
    assert (signal.kind, signal.subject, signal.origin) == ("blob", "test-container/new-file.txt", "data")
    assert signal.reason == "new blob test-container/new-file.txt"
    assert signal.evidence == {
        "account": event["source"],
        "container": "test-container",
        "blob": "new-file.txt",
        "url": "https://my-storage-account.blob.core.windows.net/testcontainer/new-file.txt",
        "size": 524288,
        "etag": '"0x8D4BCC2E4835CD0"',
    }


def test_both_schemas_report_the_same_blob() -> None:
    """In the schema of Event Grid the blob, its folders included, is the same."""
    (cloud,) = sample(BLOB)
    cloud = changed(cloud, "/blobServices/default/containers/data/blobs/churn/blobs/a b.csv", "subject")
    grid = {
        "topic": cloud["source"],
        "subject": cloud["subject"],
        "eventType": cloud["type"],
        "eventTime": cloud["time"],
        "id": cloud["id"],
        "data": cloud["data"],
        "dataVersion": "",
        "metadataVersion": "1",
    }
    read, other = azure(grid), azure(cloud)
    assert read.subject == other.subject == "data/churn/blobs/a b.csv"
    assert (read.evidence, read.sent_at, read.reason) == (other.evidence, other.sent_at, other.reason)
    assert read.trigger_id
    assert azure(changed(grid, "other", "id")).trigger_id != read.trigger_id


@pytest.mark.parametrize("api", ["CreateFile", "SftpCreate"])
def test_a_file_that_is_only_opened_is_not_data(api: str) -> None:
    """Data Lake storage reports a file first when it is empty; the event that it is complete is the signal."""
    (event,) = sample(BLOB)
    assert isinstance(azure(changed(event, api, "data", "api")), Foreign)
    assert isinstance(azure(changed(event, "FlushWithClose", "data", "api")), Signal)


def test_a_signature_in_an_address_is_not_kept() -> None:
    """The query after the question mark would let anyone read the blob."""
    (event,) = sample(BLOB)
    event = changed(event, "https://a.blob.core.windows.net/c/b?sig=secret", "data", "url")
    assert azure(event).evidence["url"] == "https://a.blob.core.windows.net/c/b"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "/blobServices/default/containers/c",
        "/blobServices/default/containers/c/blobs/",
        "x/blobServices/default",
        5,
    ],
)
def test_other_news_of_blobs_is_none(subject: object) -> None:
    """Only a blob that is named counts."""
    (event,) = sample(BLOB)
    assert isinstance(azure(changed(event, subject, "subject")), Foreign)
