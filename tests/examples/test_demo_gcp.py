"""The demo on Google Cloud tells its whole story, or says in one sentence why it cannot."""

import pytest

from tests.contracts.bundles import built_bundle
from tests.contracts.google_project import emulators_needed
from tests.examples.demos import assert_it_came_true, demo


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-gcp")
def test_the_story_comes_true() -> None:
    """From the documented event to four trainings, each once: every claim of the demo is true."""
    emulators_needed()
    built_bundle("gcp")
    assert_it_came_true(demo("gcp"))


def test_a_machine_without_the_emulators_is_told_what_to_install() -> None:
    """Without Java, or the whole SDK, the demo says so in one sentence, and ends with exit code 2."""
    done = demo("gcp", "/nonexistent")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("The Google ")
    assert "install" in done.stdout
