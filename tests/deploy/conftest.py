"""The template as it would be deployed, for all tests of it."""

import pytest

from tests.deploy.template import Template, read_template

PIPELINES = (
    "arn:aws:sagemaker:eu-west-3:123456789012:pipeline/demand-training",
    "arn:aws:sagemaker:eu-west-3:123456789012:pipeline/churn-*",
)


@pytest.fixture(scope="session")
def pipelines() -> tuple[str, ...]:
    """Return the ARNs of the pipelines that the template is given."""
    return PIPELINES


@pytest.fixture(scope="session")
def template() -> Template:
    """Return the template for two pipelines, with all else as it is by default."""
    return read_template({"PipelineArns": ",".join(PIPELINES)})
