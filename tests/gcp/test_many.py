"""Ten thousand triggers in one call."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulators.publisher import counting_publisher
from emulators.pubsub import PubSub

# One worker for all tests that use the emulators.
pytestmark = [pytest.mark.deep, pytest.mark.xdist_group("contracts-gcp")]

ROOT = Path(__file__).resolve().parents[2]
MANY = 10_000
# https://cloud.google.com/pubsub/quotas#resource_limits: a request has at most 1000 messages and 10 MB.
FULL = 1_000
LARGEST = 10_000_000


def published(address: str, topic: str, count: int) -> int:
    """Publish *count* triggers in a process of its own, and return the memory that it took, in KB."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gcp.publishing", topic, str(count)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PUBSUB_EMULATOR_HOST": address},
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    )
    return int(done.stdout)


def test_ten_thousand_triggers_arrive_in_few_requests(pubsub_address: str) -> None:
    """All of them arrive, in requests of hundreds, and in the memory of a few such requests."""
    pubsub = PubSub(address=pubsub_address, project="many")
    pubsub.make_topics("triggers")
    pubsub.subscribe("taken", "triggers")
    with counting_publisher(pubsub_address) as (address, sizes):
        taken = published(address, pubsub.topic("triggers"), MANY)
    arrived = [json.loads(base64.b64decode(message["data"])) for message in pubsub.take("taken")]
    identifiers = [body["payload"]["trigger_id"] for body in arrived]
    # The trigger that is sent before the memory is measured arrives as well.
    assert sorted(identifiers) == sorted(["t-0", *(f"t-{number}" for number in range(MANY))])
    assert MANY // FULL < len(sizes) <= MANY // 100
    assert max(sizes) < LARGEST < sum(sizes) // 4
    # Seen: 45 to 65 MB, as with twice as many; 176 MB if all were put together first.
    assert taken * 1_000 < 12 * LARGEST
