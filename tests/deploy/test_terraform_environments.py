"""Differences between the environments on Google Cloud: variables, each with a rule where one is needed."""

from tests.deploy.terraform import of_kind, variables


def test_somebody_hears_of_dead_letters_in_prod() -> None:
    """The alerts go to the addresses and channels that are given, and prod cannot do without one."""
    (rule,) = of_kind("google_monitoring_alert_policy")["letters"]["lifecycle"][0]["precondition"]
    for name in ("alert_emails", "notification_channels"):
        assert f"var.{name}" in rule["condition"]
    channels = of_kind("google_monitoring_alert_policy")["letters"]["notification_channels"]
    for source in ("var.notification_channels", "google_monitoring_notification_channel.emails"):
        assert source in channels


def test_environments_may_share_a_project() -> None:
    """Everything with a name of its own carries the environment in it."""
    named = {
        f"{kind}.{name}": str(content.get(key))
        for kind, key in (
            ("google_pubsub_topic", "name"),
            ("google_pubsub_subscription", "name"),
            ("google_cloudfunctions2_function", "name"),
            ("google_cloud_scheduler_job", "name"),
            ("google_firestore_database", "name"),
            ("google_storage_bucket", "name"),
            ("google_service_account", "account_id"),
            ("google_logging_project_sink", "name"),
        )
        for name, content in of_kind(kind).items()
    }
    assert len(named) >= 12
    assert {address for address, name in named.items() if "var.environment" not in name} == set()
    assert "environment" in variables()
