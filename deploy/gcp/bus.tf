data "google_project" "this" {
  project_id = var.project
}

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  # A topic without a subscription drops what is published to it.
  letters = {
    rejected    = "Events that were rejected; a person must read them."
    undelivered = "Events that kept failing; publish them again once the cause is gone."
  }
}

resource "google_pubsub_topic" "triggers" {
  name = "retrain-triggers-${var.environment}"
  # For this long, published messages can be delivered again, whatever happened to the subscription.
  message_retention_duration = "604800s"
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "letters" {
  for_each   = local.letters
  name       = "retrain-${each.key}-${var.environment}"
  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "letters" {
  for_each                   = local.letters
  name                       = "retrain-${each.key}-${var.environment}"
  topic                      = google_pubsub_topic.letters[each.key].id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 60
  expiration_policy {
    ttl = "" # never: the default deletes a subscription that is idle for a month
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
  # Nothing is delivered to who cannot act on it yet, and nothing is given up that could not be kept.
  depends_on = [
    google_cloud_run_service_iam_member.push,
    google_project_iam_member.launcher,
    google_project_iam_member.ledger,
    google_pubsub_topic_iam_member.dead_lettering,
    google_pubsub_topic_iam_member.rejected,
    google_secret_manager_secret_iam_member.github,
    google_service_account_iam_member.push_token,
    google_service_account_iam_member.trainer,
  ]
}

# Pub/Sub itself moves dead letters: it publishes them there and acknowledges them here. Its account comes into being
# when Pub/Sub is first used in a project, and nothing can be granted to it before.
resource "google_pubsub_topic_iam_member" "dead_lettering" {
  topic      = google_pubsub_topic.letters["undelivered"].id
  role       = "roles/pubsub.publisher"
  member     = local.pubsub_agent
  depends_on = [google_pubsub_subscription.letters]
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
  depends_on         = [google_pubsub_subscription.letters]
}

resource "google_pubsub_topic_iam_member" "emit" {
  for_each = merge({ for member in var.publishers : member => member }, { emit = google_service_account.emit.member })
  topic    = google_pubsub_topic.triggers.id
  role     = "roles/pubsub.publisher"
  member   = each.value
}

resource "google_pubsub_topic_iam_member" "rejected" {
  topic  = google_pubsub_topic.letters["rejected"].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.receive.member
}
