"""The console comes whole out of every cloud's runtime."""

import base64
import hashlib
import re

from tests.contracts.clouds import Cloud
from tests.contracts.messages import HttpRequest


def test_the_console_is_the_same_page_on_every_cloud(cloud: Cloud) -> None:
    """It lists the models, and the policy that arrives with it allows its own script and style by their hashes."""
    reply = cloud.send(HttpRequest(method="GET", path="/"))
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["content-security-policy"]
    for element in ("style", 'script type="module"'):
        (content,) = re.findall(f"<{element}>(.*?)</{element.partition(' ')[0]}>", reply.body, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy
    assert "<bdi>churn</bdi>" in reply.body
