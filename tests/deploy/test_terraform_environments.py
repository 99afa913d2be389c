"""What differs between the environments on Google Cloud stands in a file for each, and is complete."""

import re

import pytest

from tests.deploy.terraform import FOLDER, of_kind, settings, variables

ROOT = FOLDER.parents[1]
ENVIRONMENTS = ("dev", "staging", "prod")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_gives_every_variable_that_has_no_default(name: str) -> None:
    """Its file is complete, names nothing that is not declared, and is that environment's own."""
    given = settings(name)
    needed = {variable for variable, declared in variables().items() if "default" not in declared}
    assert needed <= set(given) <= set(variables())
    assert given["environment"] == name


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_names_a_configuration_that_is_there(name: str) -> None:
    """The bundle takes all that are called so."""
    configuration = settings(name)["configuration"]
    assert re.fullmatch(r"retrain.*\.toml", configuration)
    assert (ROOT / configuration).is_file()


def test_somebody_hears_of_dead_letters_in_prod() -> None:
    """The alerts go to the addresses and channels that are given, and prod cannot do without one."""
    (rule,) = of_kind("google_monitoring_alert_policy")["letters"]["lifecycle"][0]["precondition"]
    for name in ("alert_emails", "notification_channels"):
        assert f"var.{name}" in rule["condition"]
    assert settings("prod")["alert_emails"]
    channels = of_kind("google_monitoring_alert_policy")["letters"]["notification_channels"]
    for told in ("var.notification_channels", "google_monitoring_notification_channel.emails"):
        assert told in channels


def test_the_environments_share_nothing() -> None:
    """Each is a project of its own."""
    assert len({settings(name)["project"] for name in ENVIRONMENTS}) == len(ENVIRONMENTS)
