"""Differences between the environments on Google Cloud: variables, each with a rule where one is needed."""

from tests.deploy.terraform import local_values, of_kind, texts, variables


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
        f"{kind}.{name}.{key}": str(content.get(key))
        for kind, key in (
            ("google_pubsub_topic", "name"),
            ("google_pubsub_subscription", "name"),
            ("google_cloudfunctions2_function", "name"),
            ("google_cloud_scheduler_job", "name"),
            ("google_firestore_database", "name"),
            ("google_storage_bucket", "name"),
            ("google_service_account", "account_id"),
            ("google_service_account", "display_name"),
            ("google_logging_project_sink", "name"),
            ("google_logging_metric", "name"),
            ("google_monitoring_alert_policy", "display_name"),
            ("google_monitoring_notification_channel", "display_name"),
            ("google_monitoring_dashboard", "dashboard_json"),
            ("google_project_iam_custom_role", "role_id"),
            ("google_cloud_run_v2_job", "name"),
        )
        for name, content in of_kind(kind).items()
    }
    assert len(named) >= 24
    assert {address for address, name in named.items() if "var.environment" not in name} == set()
    assert "environment" in variables()


def test_alerts_and_charts_are_about_one_environment() -> None:
    """Each looks at what has the environment in its name, in this project: it may be where several are watched."""
    policies = of_kind("google_monitoring_alert_policy")
    looked_at = [
        text
        for content in (*policies.values(), *of_kind("google_monitoring_dashboard").values())
        for text in texts(content)
        if "resource.type" in text or "monitored_resource" in text or "local.function_logs" in text
    ]
    assert len(looked_at) == len(policies) + 1
    own = (
        "google_pubsub_subscription.letters[each.key].name",
        "local.function_logs",
        "local.evaluated",
        "google_logging_metric.",
    )
    assert [text for text in looked_at if not any(name in text for name in own)] == []
    # The log that an alert matches is that of its project; metrics may be those of all that are watched from here.
    assert [text for text in looked_at if "local.function_logs" not in text and "var.project" not in text] == []
    functions = local_values()["function_logs"]
    assert all(f"google_cloudfunctions2_function.{name}.name" in functions for name in ("emit", "receive"))
