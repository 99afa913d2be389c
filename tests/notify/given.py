"""The notices that the tests of notifiers send."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from shared.notice import Notice

NOTICE = Notice(
    event="failed",
    cloud="aws",
    at=datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
    model_id="churn",
    trigger_id="t-1",
    reason="Qualität fällt",
    run_id="run-1",
    url="https://console.example/run-1",
    result="failed",
    evidence={"report_url": "https://a.example/report"},
)


def notice(**fields: Any) -> Notice:
    """Return news with other *fields*."""
    return dataclasses.replace(NOTICE, **fields)
