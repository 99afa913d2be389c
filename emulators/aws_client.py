"""Real boto3 clients for stand-ins, with retries off, so that each call is one request."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def _session() -> Any:
    return boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-west-3")  # noqa: S106 - stand-ins check no signature


def client(service: str, url: str, **options: Any) -> Any:
    """Return a client of a service at *url*; *options* are options of botocore's `Config`."""
    settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "max_pool_connections": 32, **options}
    return _session().client(service, endpoint_url=url, config=Config(**settings))
