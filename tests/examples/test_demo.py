"""The demo tells its whole story on this machine, on AWS and on Azure; Google Cloud has a file of its own."""

import pytest

from tests.contracts.azure_account import need_azurite
from tests.contracts.bundles import built_bundle
from tests.examples.demos import assert_it_came_true, demo


@pytest.mark.demo
def test_the_story_comes_true_on_this_machine() -> None:
    """From an event to a workflow that follows a training, in real processes of this machine."""
    assert_it_came_true(demo("local"))


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-aws")
def test_the_story_comes_true_on_aws() -> None:
    """The same through the bundle for Lambda, a real event of S3's emulator and a message by SNS among it."""
    built_bundle("aws")
    assert_it_came_true(demo("aws"))


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-azure")
def test_the_story_comes_true_on_azure() -> None:
    """The same through the function app, which carries Apprise, as it would with that configuration."""
    need_azurite()
    built_bundle("azure")
    assert_it_came_true(demo("azure"))


def test_a_cloud_that_nobody_knows_is_told_which_there_are() -> None:
    """A misspelt cloud ends with exit code 2 and the names of those that there are."""
    done = demo("aws ")
    assert done.returncode == 2
    assert "local, aws, gcp, azure" in done.stdout
