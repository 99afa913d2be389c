# The drift monitor: a Cloud Run job and its schedule.

locals {
  monitors = toset(var.monitor_image == "" ? [] : ["monitor"])
}

resource "google_service_account" "monitor" {
  for_each     = local.monitors
  account_id   = "retrain-monitor-${var.environment}"
  display_name = "Compares data and emits triggers (${var.environment})"
  depends_on   = [google_project_service.used]
}

resource "google_cloud_run_v2_job" "monitor" {
  for_each = local.monitors
  name     = "retrain-monitor-${var.environment}"
  location = var.region
  # It keeps nothing: the pages are in the bucket.
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.monitor[each.key].email
      timeout         = "900s"
      max_retries     = 2
      containers {
        image = var.monitor_image
        resources {
          limits = { cpu = "1", memory = "2Gi" }
        }
        env {
          name  = "RETRAIN_CONFIG"
          value = var.configuration
        }
        env {
          name  = "RETRAIN_ENVIRONMENT"
          value = var.environment
        }
        env {
          name  = "RETRAIN_BUS"
          value = google_pubsub_topic.triggers.id
        }
        env {
          name  = "RETRAIN_LEDGER"
          value = local.ledger
        }
        env {
          name  = "RETRAIN_SOURCE"
          value = var.source_prefix
        }
      }
    }
  }
  lifecycle {
    precondition {
      condition     = var.monitor_site_bucket != ""
      error_message = "monitor_image needs a monitor_site_bucket for the pages."
    }
  }
  # The first run must be able to read, write and publish.
  depends_on = [
    google_pubsub_topic_iam_member.monitor,
    google_storage_bucket_iam_member.monitor_data,
    google_storage_bucket_iam_member.monitor_site,
  ]
}

resource "google_pubsub_topic_iam_member" "monitor" {
  for_each = local.monitors
  topic    = google_pubsub_topic.triggers.id
  role     = "roles/pubsub.publisher"
  member   = google_service_account.monitor[each.key].member
}

resource "google_storage_bucket_iam_member" "monitor_data" {
  for_each = var.monitor_image == "" ? toset([]) : var.monitor_data_buckets
  bucket   = each.value
  role     = "roles/storage.objectViewer"
  member   = google_service_account.monitor["monitor"].member
}

# Not made here: Terraform could not delete it with the pages in it, and they are to be kept.
resource "google_storage_bucket_iam_member" "monitor_site" {
  for_each = local.monitors
  bucket   = var.monitor_site_bucket
  role     = "roles/storage.objectUser"
  member   = google_service_account.monitor[each.key].member
}

resource "google_cloud_run_v2_job_iam_member" "monitor" {
  for_each = local.monitors
  name     = google_cloud_run_v2_job.monitor[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.schedule.member
}

resource "google_cloud_scheduler_job" "monitor" {
  for_each         = local.monitors
  name             = "retrain-monitor-${var.environment}"
  region           = var.region
  description      = "Starts the drift monitor."
  schedule         = var.monitor_schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "90s"
  retry_config {
    retry_count = 3
  }
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.monitor[each.key].id}:run"
    # An API of Google takes access tokens, not identity tokens.
    oauth_token {
      service_account_email = google_service_account.schedule.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
  depends_on = [google_cloud_run_v2_job_iam_member.monitor]
}
