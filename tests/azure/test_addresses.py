"""Addresses of tables and containers are split, and wrong ones are reported without showing their content."""

import pytest

from functions.azure.addresses import Place, is_loopback, is_plain, place_of, topic_of
from shared.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "endpoint", "name"),
    [
        ("https://acme.table.core.windows.net/models", "https://acme.table.core.windows.net", "models"),
        ("https://acme.table.core.windows.net/models/", "https://acme.table.core.windows.net", "models"),
        ("http://127.0.0.1:10002/devstoreaccount1/models", "http://127.0.0.1:10002/devstoreaccount1", "models"),
    ],
)
def test_a_table_is_split_from_its_endpoint(url: str, endpoint: str, name: str) -> None:
    """The last step of the path is the table, what stands before it the endpoint."""
    assert place_of("RETRAIN_LEDGER", url) == Place(endpoint=endpoint, name=name)


def test_a_container_has_its_own_rules() -> None:
    """Hyphens are allowed in the name of a container, capitals are not."""
    url = "https://acme.blob.core.windows.net/dead-letters"
    assert place_of("RETRAIN_DEAD_LETTERS", url).name == "dead-letters"
    with pytest.raises(ConfigError, match=r"a slash and the name of a container$"):
        place_of("RETRAIN_DEAD_LETTERS", url.upper())


@pytest.mark.parametrize(
    "url",
    [
        "models",
        "https://acme.table.core.windows.net",
        "https://acme",
        "https:///models",
        "https://acme.table.core.windows.net/a-b",
        "https://acme.table.core.windows.net/1models",
        "https://acme.table.core.windows.net/models?sv=1&sig=hunter2",
        "ftp://acme/models",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2",
        f"https://acme.table.core.windows.net/{'x' * 64}",
    ],
)
def test_an_invalid_url_is_reported_but_not_shown(url: str) -> None:
    """The setting is named; its value may hold a signature or a key."""
    with pytest.raises(ConfigError, match=r"RETRAIN_LEDGER: must be a URL: .* the name of a table$") as raised:
        place_of("RETRAIN_LEDGER", url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:80", "LOCALHOST"])
def test_this_machine_is_known(host: str) -> None:
    """By its usual names and addresses."""
    assert is_loopback(f"http://{host}/x")


@pytest.mark.parametrize("url", ["https://management.azure.com", "http://localhost.example.com", "localhost", ""])
def test_other_machines_are_others(url: str) -> None:
    """A name that only begins like one of this machine is not one."""
    assert not is_loopback(url)


def test_plain_http_is_known() -> None:
    """Only without TLS do the SDKs need an option to send tokens."""
    assert is_plain("http://127.0.0.1")
    assert not is_plain("https://127.0.0.1")


@pytest.mark.parametrize("url", ["topic", "topic.example/api/events", "https://", "ftp://topic.example"])
def test_a_topic_is_a_url(url: str) -> None:
    """A name, or an address without its scheme, is a mistake in the environment and not an unexpected error."""
    with pytest.raises(ConfigError, match="RETRAIN_BUS: must be the endpoint of a topic, "):
        topic_of(url)
