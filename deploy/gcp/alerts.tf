# Alerts on dead letters.

resource "google_monitoring_notification_channel" "emails" {
  for_each     = var.alert_emails
  display_name = "retrain ${var.environment}: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  depends_on   = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "letters" {
  for_each              = local.letters
  display_name          = "retrain ${var.environment}: ${each.key} triggers"
  combiner              = "OR"
  notification_channels = concat(var.notification_channels, [for channel in google_monitoring_notification_channel.emails : channel.name])
  documentation {
    content = each.value
  }
  conditions {
    display_name = "there is one"
    condition_threshold {
      # The project, too: it may be where several projects are watched, which have subscriptions of the same name.
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.project_id = \"${var.project}\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.letters[each.key].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
  lifecycle {
    precondition {
      condition     = var.environment != "prod" || length(var.alert_emails) + length(var.notification_channels) > 0
      error_message = "prod needs alert_emails or notification_channels, or dead letters go unnoticed."
    }
  }
}
