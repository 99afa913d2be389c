"""Every claim of the demo is true on this machine, on AWS and on Azure; Google Cloud has a file of its own."""

import pytest

from tests.contracts.azure_account import need_azurite
from tests.contracts.bundles import built_bundle
from tests.examples.demos import assert_every_claim_is_true, demo


@pytest.mark.demo
def test_every_claim_is_true_on_this_machine() -> None:
    """The story runs from an event to the workflow after a training, in real processes."""
    assert_every_claim_is_true(demo("local"))


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-aws")
def test_every_claim_is_true_on_aws() -> None:
    """The story runs through the bundle for Lambda, with an event of the S3 emulator and a message sent by SNS."""
    built_bundle("aws")
    assert_every_claim_is_true(demo("aws"))


@pytest.mark.demo
@pytest.mark.xdist_group("contracts-azure")
def test_every_claim_is_true_on_azure() -> None:
    """The story runs through the function app, which contains Apprise, as it does with such a configuration."""
    need_azurite()
    built_bundle("azure")
    assert_every_claim_is_true(demo("azure"))


def test_an_unknown_cloud_is_refused_with_the_names_of_the_others() -> None:
    """A misspelt cloud ends the demo with exit code 2 and the names of the valid ones."""
    done = demo("aws ")
    assert done.returncode == 2
    assert "local, aws, gcp, azure" in done.stdout
