"""Every attribute and block in the Terraform files is one that the provider has, and none that it needs is missing."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.provider_schema import Kind, read_kind
from tests.deploy.terraform import Block, blocks

WHEELS = Path(__file__).parents[2] / ".tools" / "provider"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """Return the package with the provider's schema, which `make check-deploy` downloads."""
    found = sorted(WHEELS.glob("cdktf_cdktf_provider_google-*.whl"))
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


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.kind}.{block.name}")
def test_a_resource_is_one_that_the_provider_knows(block: Block, wheel: Path) -> None:
    """Its type exists, it has all that is needed, and nothing in it is misspelt."""
    kind = read_kind(wheel, block.section, block.kind)
    assert kind is not None
    assert list(faults(kind, kind.root, block.content, f"{block.kind}.{block.name}")) == []


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
