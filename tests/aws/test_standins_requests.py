"""The SageMaker stand-in checks requests, and finds and lists executions, as the service does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulators.aws_client import client
from emulators.sagemaker import Pipeline, SageMakerStandIn
from tests.aws.calls import PIPELINES, TOKEN, code, start


@pytest.mark.parametrize(
    ("arguments", "expected", "word"),
    [
        ({"PipelineName": "absent"}, "ResourceNotFound", "absent"),
        ({"PipelineName": "arn:aws:sagemaker:eu-west-3:999999999999:pipeline/other"}, "ResourceNotFound", "9999"),
        ({"ClientRequestToken": "short"}, "ValidationException", "greater than or equal to 32"),
        ({"ClientRequestToken": "x" * 129}, "ValidationException", "less than or equal to 128"),
        ({"ClientRequestToken": None}, "ValidationException", "'clientRequestToken'"),
        ({"PipelineExecutionDisplayName": "has spaces"}, "ValidationException", "regular expression"),
        ({"PipelineExecutionDisplayName": "x" * 83}, "ValidationException", "less than or equal to 82"),
        ({"PipelineExecutionDescription": "x" * 3073}, "ValidationException", "less than or equal to 3072"),
        ({"PipelineExecutionDescription": "two\nlines"}, "ValidationException", "regular expression"),
        ({"PipelineParameters": [{"Name": "epochs", "Value": "1"}] * 201}, "ValidationException", "equal to 200"),
        ({"PipelineParameters": [{"Name": "e p", "Value": "1"}]}, "ValidationException", "regular expression"),
        ({"PipelineParameters": [{"Name": "epochs", "Value": "x" * 1025}]}, "ValidationException", "equal to 1024"),
        ({"PipelineParameters": [{"Name": "epochs", "Value": 8}]}, "SerializationException", "value"),
        ({"PipelineParameters": [{"Name": "epochs"}]}, "ValidationException", "'pipelineParameters.1.member.value'"),
        ({"PipelineParameters": [{"Name": "secret", "Value": "1"}]}, "ValidationException", "secret"),
        ({"PipelineParameters": [{"Name": "epochs", "Value": ""}]}, "ValidationException", "too short"),
    ],
)
def test_an_invalid_start_is_refused(
    sagemaker: SageMakerStandIn, boto: Any, arguments: dict[str, Any], expected: str, word: str
) -> None:
    """Every limit of the service model holds: HTTP 400, a message that names the problem, and nothing started."""
    with pytest.raises(ClientError) as caught:
        boto.start_pipeline_execution(**{"PipelineName": "churn-training", "ClientRequestToken": TOKEN} | arguments)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] == expected
    assert word in caught.value.response["Error"]["Message"]
    assert sagemaker.executions() == []


def test_the_limits_themselves_are_accepted(boto: Any) -> None:
    """A request with every field at its limit starts an execution, by ARN as by name, and is shown as it was sent."""
    labels = {"PipelineExecutionDisplayName": "x" * 82, "PipelineExecutionDescription": "d" * 3072}
    parameters = [{"Name": "epochs", "Value": "v" * 1024}]
    pipeline = "arn:aws:sagemaker:eu-west-3:123456789012:pipeline/churn-training"
    arn = start(boto, "t" * 128, PipelineName=pipeline, PipelineParameters=parameters, **labels)
    shown = boto.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert labels.items() <= shown.items()
    assert (shown["PipelineArn"], shown["PipelineExecutionStatus"]) == (pipeline, "Executing")
    assert abs(shown["CreationTime"] - datetime.now(UTC)) < timedelta(seconds=5)
    listed = boto.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert listed["PipelineParameters"] == parameters


def test_a_parameter_without_a_default_must_be_given() -> None:
    """A start without a required parameter of the pipeline is refused."""
    pipeline = Pipeline(parameters=("epochs",), required=("epochs",))
    with SageMakerStandIn(pipelines={"churn-training": pipeline}) as sagemaker:
        assert code(lambda: start(client("sagemaker", sagemaker.url))) == ("ValidationException", 400)


def test_pipelines_are_found() -> None:
    """DescribePipeline and ListPipelines show the pipelines that exist, and no other."""
    with SageMakerStandIn(pipelines=PIPELINES, region="us-east-1") as sagemaker:
        boto = client("sagemaker", sagemaker.url)
        shown = boto.describe_pipeline(PipelineName="other")
        assert shown["PipelineArn"] == "arn:aws:sagemaker:us-east-1:123456789012:pipeline/other"
        assert code(lambda: boto.describe_pipeline(PipelineName="absent")) == ("ResourceNotFound", 400)
        listed = boto.list_pipelines(PipelineNamePrefix="ch")["PipelineSummaries"]
        assert [pipeline["PipelineName"] for pipeline in listed] == ["churn-training"]


def test_executions_are_listed_by_time_in_pages() -> None:
    """The list has one pipeline's executions, newest first, filtered by time; new executions do not shift its pages."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(30)]
    ticks = iter(clock)
    with SageMakerStandIn(pipelines=PIPELINES, clock=lambda: next(ticks)) as sagemaker:
        boto = client("sagemaker", sagemaker.url)
        arns = [start(boto, f"{number:032}") for number in range(12)]
        start(boto, PipelineName="other")

        def listed(**arguments: Any) -> list[str]:
            pages = boto.get_paginator("list_pipeline_executions").paginate(PipelineName="churn-training", **arguments)
            return [entry["PipelineExecutionArn"] for page in pages for entry in page["PipelineExecutionSummaries"]]

        assert listed() == arns[::-1]
        assert listed(SortOrder="Ascending", MaxResults=5) == arns
        assert listed(SortBy="PipelineExecutionArn", SortOrder="Ascending") == sorted(arns)
        # The stand-in's own start took the first tick.
        assert listed(CreatedAfter=clock[3], CreatedBefore=clock[7]) == arns[3:6][::-1]
        first = boto.list_pipeline_executions(PipelineName="churn-training")
        assert len(first["PipelineExecutionSummaries"]) == 10
        start(boto, "n" * 32)
        rest = boto.list_pipeline_executions(PipelineName="churn-training", NextToken=first["NextToken"])
        assert [entry["PipelineExecutionArn"] for entry in rest["PipelineExecutionSummaries"]] == arns[1::-1]
        assert code(lambda: listed(NextToken="made-up"))[0] == "ValidationException"
        unchecked = client("sagemaker", sagemaker.url, parameter_validation=False)
        assert code(lambda: unchecked.list_pipeline_executions(PipelineName="other", MaxResults=101)) == (
            "ValidationException",
            400,
        )
