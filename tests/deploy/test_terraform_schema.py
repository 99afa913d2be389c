"""Every attribute and block in the Terraform files is one that the provider has, and none that it needs is missing."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.provider_schema import Kind, read_kind
from tests.deploy.terraform import FOLDER, addresses, blocks

# The versions of the provider at both ends of those that are allowed, and of the packages with their schemas.
VERSIONS = {"7.41.0": "19.10.0", "8.7.0": "21.1.0"}
WHEELS = Path(__file__).parents[2] / ".tools" / "provider-google"


@pytest.fixture(scope="module", params=VERSIONS)
def wheel(request: pytest.FixtureRequest) -> Path:
    """Return the package with the schema of a version of the provider, which `make check-deploy` downloads."""
    found = sorted(WHEELS.glob(f"cdktn_provider_google-{VERSIONS[request.param]}-*.whl"))
    if not found and os.environ.get("CHECK_DEPLOY"):
        pytest.fail(f"the provider's schema is not in {WHEELS}")
    if not found:
        pytest.skip("the provider's schema is not here: make check-deploy downloads it")
    return found[-1]


def faults(kind: Kind, described: str, content: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield what is wrong with the attributes and blocks in *content*."""
    attributes = kind.classes[described]
    for name in attributes:
        if attributes[name].is_needed and name not in content:
            yield f"{place}: {name} is missing"
    for name, value in content.items():
        if name not in attributes:
            yield f"{place}: there is no {name}"
            continue
        within = [block for block in attributes[name].blocks if block in kind.classes]
        for item in value if isinstance(value, list) and within else []:
            if isinstance(item, Mapping):
                yield from faults(kind, within[0], item, f"{place}.{name}")


@pytest.mark.parametrize("address", addresses())
def test_a_resource_is_one_that_the_provider_knows(address: str, wheel: Path) -> None:
    """Its type exists, it has all that is needed, and nothing in it is misspelt."""
    (block,) = [block for block in blocks() if block.address == address]
    kind = read_kind(wheel, block.section, block.kind)
    assert kind is not None
    assert list(faults(kind, kind.root, block.content, f"{block.kind}.{block.name}")) == []


def test_every_resource_is_checked() -> None:
    """None is missing among the parameters of the test above."""
    assert sorted(addresses()) == sorted(block.address for block in blocks())


def test_a_misspelling_would_be_found(wheel: Path) -> None:
    """The schema is one: a wrong name is a fault, at the top and within a block, and so is what is missing."""
    kind = read_kind(wheel, "resource", "google_pubsub_subscription")
    assert kind is not None
    content = {"name": "x", "push_config": [{"push_endpoint": "https://x", "oidc": []}], "retries": 3}
    assert list(faults(kind, kind.root, content, "x")) == [
        "x: topic is missing",
        "x.push_config: there is no oidc",
        "x: there is no retries",
    ]
    assert read_kind(wheel, "resource", "google_pubsub_subscriptions") is None


def test_the_allowed_versions_are_those_that_are_checked() -> None:
    """From the oldest that is checked here to the end of the newest one's major version."""
    text = (FOLDER / "versions.tf").read_text(encoding="utf-8")
    oldest, newest = VERSIONS
    assert f'version = ">= {oldest}, < {int(newest.partition(".")[0]) + 1}.0.0"' in text
