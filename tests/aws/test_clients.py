"""Clients are made late and once, follow the standard environment, work in an assumed role, and give up in time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from moto.sts.models import sts_backends  # type: ignore[import-untyped]

from functions.aws.bus import EventBridgeBus
from functions.aws.clients import AssumedRole, CallLimits, Clients, region_of
from functions.aws.errors import RefusalError, translated
from functions.aws.ledger import DynamoLedger
from shared.errors import UnavailableError
from shared.trigger import RetrainTrigger
from tests.aws.conftest import IMPATIENT, ONCE, Answering
from tests.emulators.eventbridge import EventBridgeStandIn
from tests.emulators.loopback import Answer, LoopbackServer, Request

ROOT = Path(__file__).parents[2]
ROLE = AssumedRole(arn="arn:aws:iam::222222222222:role/emitter", external_id="x-1")
TRIGGER = RetrainTrigger(
    model_id="churn", trigger_id="t-1", origin="manual", requested_at=datetime(2026, 11, 21, tzinfo=UTC)
)


@pytest.fixture
def events(environment: pytest.MonkeyPatch) -> Iterator[EventBridgeStandIn]:
    """Return a stand-in for EventBridge, to which the environment points."""
    with EventBridgeStandIn() as stand_in:
        environment.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", stand_in.url)
        yield stand_in


def loaded_by(code: str, environment: dict[str, str] | None = None) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after *code*."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in json.loads(run.stdout)}


ADAPTERS = "from functions.aws import bus, clients, dead_letters, errors, launcher, ledger, queue_launcher\n"


def test_importing_the_adapters_loads_no_sdk() -> None:
    """A cold start pays for botocore only when a client is needed."""
    loaded = loaded_by(ADAPTERS)
    assert "functions" in loaded
    assert not loaded & {
        "botocore",
        "boto3",
        "s3transfer",
        "urllib3",
        "pydantic",
        "aws_xray_sdk",
        "aws_lambda_powertools",
    }


def test_a_client_loads_no_more_than_botocore() -> None:
    """Neither boto3 with its s3transfer nor a tracing or validating library comes along."""
    loaded = loaded_by(
        ADAPTERS + "made = clients.Clients(region='eu-west-3')\n"
        "for service in ('dynamodb', 'sagemaker', 'events', 'sqs'): made.factory(service)()"
    )
    assert "botocore" in loaded
    assert not loaded & {"boto3", "s3transfer", "pydantic", "aws_xray_sdk", "requests"}


@pytest.mark.usefixtures("environment")
def test_a_client_is_made_once_for_a_service_and_region() -> None:
    """Whoever asks for the same client shares it; another region is another client."""
    made = Clients(region="eu-west-3")
    first = made.factory("dynamodb")()
    assert made.factory("dynamodb")() is first
    assert made.factory("dynamodb", "eu-west-3")() is first
    elsewhere = made.factory("dynamodb", "us-east-1")()
    assert elsewhere is not first
    assert (first.meta.region_name, elsewhere.meta.region_name) == ("eu-west-3", "us-east-1")


def test_the_standard_environment_leads_elsewhere(environment: pytest.MonkeyPatch) -> None:
    """`AWS_ENDPOINT_URL` is for every service, `AWS_ENDPOINT_URL_<SERVICE>` for one, and wins."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:2")
    made = Clients()
    assert made.factory("dynamodb")().meta.endpoint_url == "http://127.0.0.1:1"
    assert made.factory("sagemaker")().meta.endpoint_url == "http://127.0.0.1:2"


@pytest.mark.usefixtures("environment")
def test_the_limits_reach_the_client() -> None:
    """By default a silent service is given up well inside a function of 60 s, and the number of tries is fixed."""
    config = Clients().factory("dynamodb")().meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.retries["total_max_attempts"] * config.read_timeout < 60 - 20


@pytest.mark.parametrize("role", [None, ROLE])
def test_missing_credentials_are_for_the_operator(environment: pytest.MonkeyPatch, role: AssumedRole | None) -> None:
    """Without credentials nothing is lost: the event comes again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    ledger = DynamoLedger(Clients(role=role, limits=IMPATIENT).factory("dynamodb"), "states")
    with pytest.raises(UnavailableError, match="NoCredentialsError; try again"):
        ledger.load("churn")


def test_a_missing_region_is_for_the_operator(environment: pytest.MonkeyPatch) -> None:
    """Without a region the client cannot even be made, and that is told in the same way."""
    environment.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UnavailableError, match="NoRegionError; try again"):
        DynamoLedger(Clients(limits=IMPATIENT).factory("dynamodb"), "states").load("churn")


def test_the_role_of_another_account_is_assumed_with_its_external_id(
    environment: pytest.MonkeyPatch, events: EventBridgeStandIn, moto: str
) -> None:
    """STS is asked once, with the external id, and the events are signed by the role and not by ourselves."""
    environment.setenv("AWS_ENDPOINT_URL_STS", moto)
    bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), "default", "ml3_platform")
    bus.publish([TRIGGER])
    bus.publish([TRIGGER])
    (assumed,) = [role for role in sts_backends["222222222222"]["aws"].assumed_roles if role.role_arn == ROLE.arn]
    assert assumed.external_id == "x-1"
    assert assumed.session_name == "retrain-trigger"
    assert set(events.access_keys) == {assumed.access_key_id}
    assert len(events.events) == 2


def test_the_roles_credentials_are_renewed(environment: pytest.MonkeyPatch, events: EventBridgeStandIn) -> None:
    """A function that stays warm longer than the credentials live assumes the role anew before they expire."""
    asked: list[bytes] = []

    def assume(request: Request) -> Answer:
        asked.append(request.body)
        # So close to its end botocore renews credentials before each call.
        expires = datetime.now(UTC) + timedelta(minutes=5)
        return Answer(status=200, body=assumed(f"AKIA{len(asked)}", expires), headers={"Content-Type": "text/xml"})

    with LoopbackServer(assume) as sts:
        environment.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), "default", "ml3_platform")
        for _ in range(3):
            bus.publish([TRIGGER])
    assert all(b"ExternalId=x-1" in body for body in asked)
    assert events.access_keys == [f"AKIA{number}" for number in range(1, len(asked) + 1)]
    assert len(asked) == 4


def assumed(access_key: str, expires: datetime) -> bytes:
    """Return STS's answer to AssumeRole."""
    return f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
        <SessionToken>t</SessionToken><Expiration>{expires.strftime("%Y-%m-%dT%H:%M:%SZ")}</Expiration></Credentials>
        <AssumedRoleUser><AssumedRoleId>i:n</AssumedRoleId><Arn>{ROLE.arn}</Arn></AssumedRoleUser>
        </AssumeRoleResult></AssumeRoleResponse>""".encode()


@pytest.mark.usefixtures("events")
def test_a_role_that_may_not_be_assumed_is_for_the_operator(
    environment: pytest.MonkeyPatch, answering: Answering
) -> None:
    """A wrong external id or trust policy is told as what it is."""
    refusal = b"""<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
        <Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"""
    environment.setenv("AWS_ENDPOINT_URL_STS", answering(403, refusal, Content_Type="text/xml"))
    bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), "default", "ml3_platform")
    with pytest.raises(UnavailableError, match="AccessDenied: not authorized to perform: sts:AssumeRole") as raised:
        bus.publish([TRIGGER])
    assert "x-1" not in f"{raised.value} {ROLE!r}"


@pytest.mark.parametrize(
    ("resource", "region"),
    [
        ("arn:aws:events:eu-west-3:123456789012:event-bus/retraining", "eu-west-3"),
        ("arn:aws-cn:sagemaker:cn-north-1:123456789012:pipeline/churn", "cn-north-1"),
        ("arn:aws:iam::123456789012:role/x", None),
        ("retraining", None),
        ("arn:aws:events", None),
        ("", None),
    ],
)
def test_an_arn_tells_its_region(resource: str, region: str | None) -> None:
    """The client of a resource in another region must be of that region; a name is in ours."""
    assert region_of(resource) == region


def test_an_error_tells_no_signed_request(environment: pytest.MonkeyPatch, answering: Answering) -> None:
    """A signature error quotes the request's headers behind its first line: only that one is told, and not too much."""
    message = "The signature does not match.\n\nThe Canonical String was 'x-amz-security-token:secret'"
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(403, {"__type": "InvalidSignature", "message": message}))
    with pytest.raises(UnavailableError, match="InvalidSignature: The signature does not match.; try again$"):
        DynamoLedger(Clients(limits=IMPATIENT).factory("dynamodb"), "states").load("churn")
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(400, {"__type": "Odd", "message": "x" * 9999}))
    with pytest.raises(UnavailableError, match=f"Odd: {'x' * 300}; try again$"):
        DynamoLedger(Clients(limits=IMPATIENT).factory("dynamodb"), "states").load("churn")


@pytest.mark.parametrize("body", [b"", b"<html>502 Bad Gateway</html>", b"{"])
def test_an_answer_that_is_none_of_awss_is_transient(
    environment: pytest.MonkeyPatch, answering: Answering, body: bytes
) -> None:
    """A proxy in between may answer anything."""
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", answering(502, body))
    with pytest.raises(UnavailableError, match=r"DynamoDB could not read .*; try again$"):
        DynamoLedger(Clients(limits=IMPATIENT).factory("dynamodb"), "states").load("churn")


def test_what_botocore_finds_wrong_is_told_without_the_request(clients: Clients) -> None:
    """A request that is not even sent may hold what must not be in a log."""
    with pytest.raises(RefusalError) as raised, translated("SQS", "send", {"ParamValidationError"}):
        clients.factory("sqs")().send_message(QueueUrl="q", MessageBody={"password": "hunter2"})
    assert str(raised.value) == "ParamValidationError"


def test_other_errors_go_through() -> None:
    """A bug is not dressed up as an outage."""
    with pytest.raises(ZeroDivisionError), translated("SQS", "send"):
        _ = 1 / 0


def test_the_limits_may_be_changed_one_by_one() -> None:
    """The other limits keep their defaults."""
    assert CallLimits(read_timeout=1) == CallLimits(connect_timeout=3, read_timeout=1, attempts=3)
