"""Data and sites in S3, Google Cloud Storage and Azure Blob Storage, each behind its real driver."""

import io
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import deltalake
import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from emulators.storage import azurite, missing
from functions.monitor.data.storage import FoundFile, Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.reading import CheckData, read_data
from functions.monitor.run import run_checks
from functions.monitor.site.layout import joined
from functions.monitor.wiring import storage
from shared.errors import UnavailableError
from tests.monitor.given import MONDAY, STAMP, World, check, configuration, links, rows

Headers = tuple[str | None, str | None]

# Of the driver for Azure, which hands a whole report to aiohttp.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket or container of its own.

    Attributes:
        address: where it is.
        put: stores a file under a name.
        headers: returns type and cache control of the file with a name, as a browser gets them.

    """

    address: str
    put: Callable[[str, bytes], object]
    headers: Callable[[str], Headers]


@pytest.fixture(scope="session")
def s3(aws: str) -> Bucket:
    """Make a bucket in S3, by moto."""
    import boto3

    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="acme", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})

    def headers(name: str) -> Headers:
        found = client.head_object(Bucket="acme", Key=name)
        return found["ContentType"], found["CacheControl"]

    def put(name: str, content: bytes) -> None:
        client.put_object(Bucket="acme", Key=name, Body=content)

    return Bucket(address="s3://acme", put=put, headers=headers)


@pytest.fixture(scope="session")
def abfs() -> Iterator[Bucket]:
    """Make a container in Azure Blob Storage, by Azurite."""
    reason = missing()
    if reason:
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    from azure.storage.blob import BlobServiceClient

    with azurite() as account, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AZURE_STORAGE_CONNECTION_STRING", account.connection_string)
        with closing(BlobServiceClient.from_connection_string(account.connection_string)) as service:
            container = service.create_container("acme")

            def headers(name: str) -> Headers:
                found = container.get_blob_client(name).get_blob_properties().content_settings
                return found.content_type, found.cache_control

            def put(name: str, content: bytes) -> None:
                container.upload_blob(name, content, overwrite=True)

            yield Bucket(address="abfs://acme", put=put, headers=headers)


@pytest.fixture(scope="session")
def gs() -> Iterator[Bucket]:
    """Make a bucket in Google Cloud Storage, by an emulator."""
    from gcp_storage_emulator.handlers.buckets import create_bucket
    from gcp_storage_emulator.server import APIThread
    from gcp_storage_emulator.server import Storage as Content

    content = Content(use_memory_fs=True)
    create_bucket("acme", content)
    server = APIThread("127.0.0.1", 0, content, daemon=True)
    server.start()
    server.is_running.wait()
    url = f"http://127.0.0.1:{server._httpd.server_address[1]}"  # noqa: SLF001 - there is no public attribute for the port

    def request(method: str, path: str, body: bytes | None = None) -> Any:
        sent = urllib.request.Request(f"{url}{path}", data=body, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310 - our own server
            return json.load(answer)

    def put(name: str, body: bytes) -> None:
        request("POST", f"/upload/storage/v1/b/acme/o?uploadType=media&name={quote(name, safe='')}", body)

    def headers(name: str) -> Headers:
        found = request("GET", f"/storage/v1/b/acme/o/{quote(name, safe='')}")
        # The emulator keeps the type without its character set.
        return found["contentType"] + "; charset=utf-8" * (found["contentType"] == "text/html"), found["cacheControl"]

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", url)
        yield Bucket(address="gs://acme", put=put, headers=headers)
    server.join()


@pytest.fixture(params=["s3", "gs", "abfs"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    """Give a bucket of each kind in turn."""
    found: Bucket = request.getfixturevalue(request.param)
    return found


def parquet(frame: pd.DataFrame) -> bytes:
    """Return *frame* as a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def monitored(folder: Path, bucket: Bucket, **settings: str) -> World:
    """Return a world whose data and site are below a folder of *bucket*."""
    keys = {"reference": "reference.parquet", "current": "days/{date}/*.parquet", "site": "site", **settings}
    drift = "\n".join(f'{key} = "{joined(bucket.address, folder.name, value)}"' for key, value in keys.items())
    return World(folder, configuration(churn=drift), storage=storage(folder, os.environ))


def fill(folder: Path, bucket: Bucket, shift: float = 1.0) -> None:
    """Store reference and current data for *folder*, the latter in two parts."""
    bucket.put(f"{folder.name}/reference.parquet", parquet(rows()))
    current = rows(shift=shift, seed=1)
    bucket.put(f"{folder.name}/days/2026-11-23/1.parquet", parquet(current[:700]))
    bucket.put(f"{folder.name}/days/2026-11-23/2.parquet", parquet(current[700:]))


def test_data_and_site_may_be_in_a_bucket(tmp_path: Path, bucket: Bucket) -> None:
    """The same finding as on a disk; the index leads to what is there."""
    fill(tmp_path, bucket)
    world = monitored(tmp_path, bucket)
    (line,) = run_checks(world.monitor, [], MONDAY)
    assert line["status"] == "drift"
    site = joined(bucket.address, tmp_path.name, "site")
    assert line["report_url"] == f"{site}/models/churn/{STAMP}/report.html"
    files = storage(tmp_path, os.environ)
    (index,) = files.read([f"{site}/index.html"]).values()
    found = [joined(site, link) for link in links(index.decode())]
    assert len(set(found)) == len(files.read(found)) == 3
    document: Any = json.loads(files.read(found)[found[-1]])
    assert document["current"]["rows"] == 1500


def test_a_browser_shows_the_pages_and_requests_new_ones(tmp_path: Path, bucket: Bucket) -> None:
    """Each file has its type, or a browser would download it, and is requested anew each time."""
    fill(tmp_path, bucket)
    run_checks(monitored(tmp_path, bucket).monitor, [], MONDAY)
    site = f"{tmp_path.name}/site"
    html, json_ = ("text/html; charset=utf-8", "no-cache"), ("application/json", "no-cache")
    assert bucket.headers(f"{site}/index.html") == bucket.headers(f"{site}/error.html") == html
    assert bucket.headers(f"{site}/models/churn/latest/report.html") == html
    assert bucket.headers(f"{site}/models/churn/{STAMP}/drift.json") == json_


def test_a_warm_function_sees_new_data(tmp_path: Path, bucket: Bucket) -> None:
    """Nothing that an earlier run listed is believed: a part more is another data set, with another id."""
    fill(tmp_path, bucket)
    world = monitored(tmp_path, bucket)
    run_checks(world.monitor, [], MONDAY)
    run_checks(world.monitor, [], MONDAY)
    bucket.put(f"{tmp_path.name}/days/2026-11-23/3.parquet", parquet(rows(500, shift=1.0, seed=2)))
    run_checks(world.monitor, [], MONDAY)
    first, again, more = (trigger.trigger_id for trigger in world.bus.published)
    assert first == again != more


def test_what_is_not_in_a_bucket_is_named(tmp_path: Path, bucket: Bucket) -> None:
    """A missing file and a missing bucket end in an error with the whole address."""
    files = storage(tmp_path, os.environ)
    for place in (
        joined(bucket.address, tmp_path.name, "no.csv"),
        bucket.address.replace("acme", "missing") + "/x.csv",
    ):
        with pytest.raises(UnusableDataError, match=f"^{place}: no such file exists$"):
            files.find(place)
    assert files.folders(joined(bucket.address, tmp_path.name, "no")) == []
    assert files.read([joined(bucket.address, tmp_path.name, "no.csv")]) == {}


def test_a_service_that_is_away_is_an_error_to_try_again(tmp_path: Path, aws: str) -> None:
    """No server listens at the address: the run fails, and a retry may succeed."""
    import fsspec

    del aws
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        environment.setenv("AWS_MAX_ATTEMPTS", "1")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        with pytest.raises(UnavailableError, match=r"The storage of s3://acme/x\.csv could not look for it"):
            Storage(tmp_path).find("s3://acme/x.csv")
        fsspec.get_filesystem_class("s3").clear_instance_cache()


def read_from(bucket: Bucket, folder: Path, reference: str, current: str, **settings: Any) -> CheckData:
    """Return the data that a check of two addresses below a folder of *bucket* would compare."""
    places = {"reference": reference, "current": current}
    addresses = {side: joined(bucket.address, folder.name, place) for side, place in places.items()}
    return read_data(check(**addresses, **settings), MONDAY.date(), storage(folder, os.environ))


def test_markers_and_empty_parts_in_a_bucket_are_skipped(tmp_path: Path, bucket: Bucket) -> None:
    """As consoles and Spark leave them: objects for folders, and parts without a byte."""
    # The emulator of Cloud Storage takes no object without content.
    empty = b"" if not bucket.address.startswith("gs") else None
    for form, content in (("csv", rows().to_csv(index=False).encode()), ("parquet", parquet(rows()))):
        bucket.put(f"{tmp_path.name}/{form}/w47/part-0.{form}", content)
        for marker in (f"w47/part-1.{form}", "w47_$folder$", *(["w47/"] if bucket.address.startswith("s3") else [])):
            if empty is not None:
                bucket.put(f"{tmp_path.name}/{form}/{marker}", empty)
    data = read_from(bucket, tmp_path, "csv", "parquet")
    assert [side.rows for side in data.sides] == [1500, 1500]
    assert data.frames[0].equals(data.frames[1])


def test_values_and_partitions_are_read_from_a_bucket_as_from_a_disk(tmp_path: Path, bucket: Bucket) -> None:
    """Blanks behind commas, thousands and marks for missing values in CSV; regions in the names of folders."""
    lines = ["price, visits", *(f'"{1000 + place:,}", {place % 40 or "?"}' for place in range(800))]
    frame = pd.DataFrame(
        {"price": [1000 + place for place in range(800)], "visits": [place % 40 or None for place in range(800)]}
    )
    for region in ("eu", "us"):
        bucket.put(f"{tmp_path.name}/csv/region={region}/0.csv", "\n".join(lines).encode())
        bucket.put(f"{tmp_path.name}/parquet/region={region}/0.parquet", parquet(frame))
    data = read_from(bucket, tmp_path, "csv", "parquet/*/*.parquet")
    assert data.chosen.names == ("price", "visits", "region")
    assert data.frames[0].equals(data.frames[1])
    assert data.missing["visits"].unread == (0, 0)


def test_a_delta_table_in_a_bucket_is_its_newest_version(tmp_path: Path, bucket: Bucket) -> None:
    """Its log is read with the same credentials as all other files."""
    table = tmp_path / "table"
    deltalake.write_deltalake(table, rows(shift=3.0), partition_by=["region"])
    deltalake.write_deltalake(table, rows(), mode="overwrite", partition_by=["region"])
    for file in table.rglob("*"):
        if file.is_file():
            bucket.put(f"{tmp_path.name}/table/{file.relative_to(table)}", file.read_bytes())
    bucket.put(f"{tmp_path.name}/current.parquet", parquet(rows()))
    data = read_from(bucket, tmp_path, "table", "current.parquet")
    assert data.sides[0].rows == 1500
    assert sorted(data.frames[0]["price"]) == sorted(data.frames[1]["price"])
    assert sorted(data.frames[0]["region"]) == sorted(data.frames[1]["region"])


@pytest.mark.parametrize("column", [0, 2, 4], ids=["the first column", "a column between", "the last column"])
def test_damaged_data_in_a_bucket_are_not_an_error_of_the_storage(tmp_path: Path, bucket: Bucket, column: int) -> None:
    """Whichever page is damaged, a retry would find the same, so none is requested."""
    content = bytearray(parquet(rows(20_000)))
    pages = ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(column)
    content[pages.data_page_offset : pages.data_page_offset + 40] = bytes(40)
    bucket.put(f"{tmp_path.name}/reference.parquet", parquet(rows()))
    bucket.put(f"{tmp_path.name}/current.parquet", bytes(content))
    with pytest.raises(UnusableDataError, match=r"current\.parquet cannot be read: "):
        read_from(bucket, tmp_path, "reference.parquet", "current.parquet")


def test_a_storage_that_fails_during_a_read_is_tried_again(tmp_path: Path, aws: str) -> None:
    """DuckDB sees a text only; the error is still that of a service that is away, and not one of damaged data."""
    del aws
    rows().to_parquet(tmp_path / "reference.parquet")
    rows().to_csv(tmp_path / "current.csv", index=False)
    files = BrokenStorage(tmp_path)
    for current in ("reference[1].parquet", "current[1].csv"):
        (tmp_path / current).write_bytes((tmp_path / current.replace("[1]", "")).read_bytes())
        with pytest.raises(UnavailableError, match="could not read it"):
            read_data(check(current=current.replace("[", "[[]")), MONDAY.date(), files)


class BrokenStorage(Storage):
    """A storage whose files can be opened once, and fail after that."""

    def stream(self, address: str, file: FoundFile) -> Any:
        """Open a file whose every read fails."""
        stream = super().stream(address, file)
        stream.close()
        return BrokenStream()


class BrokenStream(io.BytesIO):
    """A connection that is lost."""

    def read(self, size: int | None = -1) -> bytes:
        """Fail."""
        del size
        raise ConnectionResetError("secret")
