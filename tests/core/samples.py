"""Values that the tests of the core share."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.config.file import parse_configuration
from shared.config.model import Configuration
from shared.errors import ConfigError
from shared.trigger import RetrainTrigger

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

# A trigger that has every field.
COMPLETE = RetrainTrigger(
    model_id="churn",
    trigger_id="t-1",
    origin="drift",
    requested_at=NOW,
    reason="Qualität fällt \U0001f4c9",
    severity="high",
    parameters={"epochs": 8, "rate": 0.1, "full": True},
    requested_by="monitor",
    evidence={"report_url": "https://example.com/1"},
    force=True,
)

TARGET = '[models."{name}".target.local]\nkind = "command"\ncommand = ["python", "train.py"]\n'


def trigger(**fields: object) -> RetrainTrigger:
    """Return a trigger for the model `churn`, called `t-1` and requested by hand at `NOW` unless *fields* differ."""
    return RetrainTrigger.parse({"model_id": "churn"} | fields, trigger_id="t-1", origin="manual", requested_at=NOW)


def configured(text: str) -> Configuration:
    """Read the configuration *text*, as that of `retrain.toml` in `/bundle`."""
    return parse_configuration(text, source="retrain.toml", folder=Path("/bundle"))


def model_text(name: str = "churn", settings: str = "", tables: str = "") -> str:
    """Return the configuration of the model *name* that trains here, with more *settings* and *tables*."""
    return f'[models."{name}"]\n{settings}\n{TARGET.format(name=name)}{tables}\n'


def problems_of(text: str) -> tuple[str, ...]:
    """Return the problems of the configuration *text*."""
    with pytest.raises(ConfigError) as caught:
        configured(text)
    return caught.value.problems
