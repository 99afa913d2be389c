"""A client works in the role of another account as long as it is needed, or the operator learns why not."""

from datetime import UTC, datetime, timedelta

import pytest
from moto.sts.models import sts_backends

from emulators.eventbridge import EventBridgeStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from functions.aws.bus import EventBridgeBus
from functions.aws.clients import AssumedRole, Clients
from functions.aws.ledger import DynamoLedger
from shared.errors import UnavailableError
from tests.aws.adapters import BUS, IMPATIENT, ONCE, SOURCE
from tests.contracts.adapters import TRIGGER, Answering

ROLE = AssumedRole(arn="arn:aws:iam::222222222222:role/emitter", external_id="x-1")


def assumed(access_key: str, expires: datetime) -> bytes:
    """Return STS's answer to AssumeRole."""
    return f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
        <SessionToken>t</SessionToken><Expiration>{expires.strftime("%Y-%m-%dT%H:%M:%SZ")}</Expiration></Credentials>
        <AssumedRoleUser><AssumedRoleId>i:n</AssumedRoleId><Arn>{ROLE.arn}</Arn></AssumedRoleUser>
        </AssumeRoleResult></AssumeRoleResponse>""".encode()


def test_the_role_of_another_account_is_assumed_with_its_external_id(
    environment: pytest.MonkeyPatch, events: EventBridgeStandIn, moto: str
) -> None:
    """STS gets one request, with the external id, and the events are signed by the role, not by our own identity."""
    environment.setenv("AWS_ENDPOINT_URL_STS", moto)
    bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), BUS, SOURCE)
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
        bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), BUS, SOURCE)
        for _ in range(3):
            bus.publish([TRIGGER])
    assert all(b"ExternalId=x-1" in body for body in asked)
    assert events.access_keys == [f"AKIA{number}" for number in range(1, len(asked) + 1)]
    assert len(asked) == 4


@pytest.mark.usefixtures("events")
def test_a_role_that_may_not_be_assumed_is_for_the_operator(
    environment: pytest.MonkeyPatch, answering: Answering
) -> None:
    """A wrong external id or trust policy is reported as such."""
    refusal = b"""<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
        <Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"""
    environment.setenv("AWS_ENDPOINT_URL_STS", answering(403, refusal, Content_Type="text/xml"))
    bus = EventBridgeBus(Clients(role=ROLE, limits=ONCE).factory("events"), BUS, SOURCE)
    with pytest.raises(UnavailableError, match="AccessDenied: not authorized to perform: sts:AssumeRole") as raised:
        bus.publish([TRIGGER])
    assert "x-1" not in f"{raised.value} {ROLE!r}"


@pytest.mark.parametrize("role", [None, ROLE])
def test_missing_credentials_are_for_the_operator(environment: pytest.MonkeyPatch, role: AssumedRole | None) -> None:
    """Without credentials nothing is lost: the event comes again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    ledger = DynamoLedger(Clients(role=role, limits=IMPATIENT).factory("dynamodb"), "states")
    with pytest.raises(UnavailableError, match="NoCredentialsError: sign in with "):
        ledger.load("churn")
