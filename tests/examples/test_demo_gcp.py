"""Every claim of the demo is true on Google Cloud, or the demo says in one sentence why it cannot run."""

import pytest

from tests.contracts.bundles import built_bundle
from tests.contracts.google_project import emulators_needed
from tests.examples.demos import assert_every_claim_is_true, demo


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-gcp")
def test_every_claim_is_true() -> None:
    """The story runs from the documented event to four trainings, each of which happens once."""
    emulators_needed()
    built_bundle("gcp")
    assert_every_claim_is_true(demo("gcp"))


def test_without_the_emulators_the_demo_says_what_to_install() -> None:
    """Without Java or the whole SDK the demo says so in one sentence, and ends with exit code 2."""
    done = demo("gcp", "/nonexistent")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("The Google ")
    assert "install" in done.stdout
