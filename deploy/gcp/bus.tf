data "google_project" "this" {
  project_id = var.project
}

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  # A topic without a subscription forgets at once what is published to it.
  letters = {
    rejected    = "Events that were rejected: to be read by a person."
    undelivered = "Events that kept failing: to be published again once the cause is gone."
  }
}

resource "google_pubsub_topic" "triggers" {
  name = "retrain-triggers-${var.environment}"
  # What was published can be delivered again for so long, whatever became of the subscription.
  message_retention_duration = "604800s"
}

resource "google_pubsub_topic" "letters" {
  for_each = local.letters
  name     = "retrain-${each.key}-${var.environment}"
}

resource "google_pubsub_subscription" "letters" {
  for_each                   = local.letters
  name                       = "retrain-${each.key}-${var.environment}"
  topic                      = google_pubsub_topic.letters[each.key].id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 60
  expiration_policy {
    ttl = "" # never: the default drops a subscription that nobody reads for a month
  }
}

# An own subscription instead of a function's event trigger: that one has no dead-letter topic, and retries only on demand.
resource "google_pubsub_subscription" "receive" {
  name  = "retrain-receive-${var.environment}"
  topic = google_pubsub_topic.triggers.id
  # Longer than the function may run: otherwise a second copy is delivered while the first one is still worked on.
  ack_deadline_seconds       = 90
  message_retention_duration = "604800s"
  push_config {
    push_endpoint = google_cloudfunctions2_function.receive.service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.receive.service_config[0].uri
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.letters["undelivered"].id
    max_delivery_attempts = 100
  }
  expiration_policy {
    ttl = ""
  }
  depends_on = [google_pubsub_topic_iam_member.dead_lettering]
}

# Pub/Sub itself moves dead letters: it publishes them there and acknowledges them here.
resource "google_pubsub_topic_iam_member" "dead_lettering" {
  topic  = google_pubsub_topic.letters["undelivered"].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_lettering" {
  subscription = google_pubsub_subscription.receive.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Pub/Sub makes the tokens that it delivers with.
resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "emit" {
  for_each = setunion(var.publishers, [google_service_account.emit.member])
  topic    = google_pubsub_topic.triggers.id
  role     = "roles/pubsub.publisher"
  member   = each.value
}

resource "google_pubsub_topic_iam_member" "rejected" {
  topic  = google_pubsub_topic.letters["rejected"].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.receive.member
}

resource "google_monitoring_alert_policy" "letters" {
  for_each              = local.letters
  display_name          = "retrain ${var.environment}: ${each.key} triggers"
  combiner              = "OR"
  notification_channels = var.notification_channels
  documentation {
    content = each.value
  }
  conditions {
    display_name = "there is one"
    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.letters[each.key].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}
