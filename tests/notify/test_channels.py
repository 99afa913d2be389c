"""Each channel of the configuration gets its own notifier; a wrong one is named when the function starts."""

import pytest

from functions.notify.apprise_channel import AppriseChannel
from functions.notify.wiring import channel_notifiers
from shared.errors import ConfigError
from shared.notice import Notice
from shared.ports import Notifier
from tests.notify.given import notice

TOPIC = "arn:aws:sns:eu-west-3:123456789012:retraining"
SECRET = "T0PS3CRET"
SLACK = f"slack://{SECRET}/B/C"


def placed(*channels: str) -> dict[str, str]:
    """Return *channels* with their places in `[notify]`."""
    return {channel: f"notify.channels[{number}]" for number, channel in enumerate(channels)}


class Topic:
    """A notifier that knows its topic and sends nothing."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def send(self, notice: Notice) -> None:
        """Send nothing."""


def test_a_topic_is_sns_and_all_else_is_apprise() -> None:
    """Each notifier is made once."""
    made: list[str] = []

    def topic(arn: str) -> Notifier:
        made.append(arn)
        return Topic(arn)

    notifiers = channel_notifiers(placed(TOPIC, f"{TOPIC}.fifo", SLACK), sns=topic)
    assert notifiers is not None
    assert made == []
    assert isinstance(notifiers(TOPIC), Topic)
    assert isinstance(notifiers(f"{TOPIC}.fifo"), Topic)
    assert isinstance(notifiers(SLACK), AppriseChannel)
    assert notifiers(TOPIC) is notifiers(TOPIC)
    assert notifiers(SLACK) is notifiers(SLACK)
    assert made == [TOPIC, f"{TOPIC}.fifo"]


def test_without_channels_no_one_is_notified() -> None:
    """There is nothing to make then."""
    assert channel_notifiers({}) is None


def test_a_topic_is_left_to_aws(caplog: pytest.LogCaptureFixture) -> None:
    """One configuration serves several clouds: without boto3 the topic is passed over, and the log says so."""
    notifiers = channel_notifiers(placed(SLACK, TOPIC))
    assert notifiers is not None
    with caplog.at_level("INFO", logger="retrain"):
        notifiers(TOPIC).send(notice())
    (record,) = caplog.records
    assert (record.message, vars(record)["channel"]) == ("retrain.channel_elsewhere", "notify.channels[1] (sns)")


@pytest.mark.parametrize(
    ("channel", "reported"),
    [
        ("", "notify.channels[1]: must be the ARN of an SNS topic or an address of Apprise, such as mailto://..."),
        (SECRET, "notify.channels[1]: must be the ARN of an SNS topic or an address"),
        (f"mailto:{SECRET}", "notify.channels[1] (mailto): must be the ARN of an SNS topic or an address"),
        (f"{SECRET} x://y", "notify.channels[1]: must be the ARN of an SNS topic or an address"),
        (f"arn:aws:sqs:eu-west-3:123456789012:{SECRET}", "notify.channels[1] (arn): must be the ARN of an SNS topic"),
    ],
)
def test_a_wrong_channel_is_named_without_its_secrets(channel: str, reported: str) -> None:
    """By its place and its scheme."""
    with pytest.raises(ConfigError) as caught:
        channel_notifiers(placed(SLACK, channel), sns=Topic)
    (problem,) = caught.value.problems
    assert problem.startswith(reported)
    assert SECRET not in problem
