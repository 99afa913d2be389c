resource "google_cloud_scheduler_job" "tick" {
  name             = "retrain-tick-${var.environment}"
  region           = var.region
  description      = "Requests the models with `schedule = true`."
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "90s"
  retry_config {
    retry_count          = 5
    min_backoff_duration = "10s"
    max_backoff_duration = "600s"
  }
  # By HTTP: only there does a tick carry its scheduled time, so that one that is delivered twice is one trigger.
  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.emit.service_config[0].uri}/tick"
    oidc_token {
      service_account_email = google_service_account.schedule.email
      audience              = google_cloudfunctions2_function.emit.service_config[0].uri
    }
  }
}

resource "google_cloud_scheduler_job" "schedules" {
  name             = "retrain-schedules-${var.environment}"
  region           = var.region
  description      = "Evaluates the models' own schedules."
  schedule         = "*/5 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "90s"
  # The next evaluation does the same.
  retry_config {
    retry_count = 3
  }
  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.emit.service_config[0].uri}/schedules"
    oidc_token {
      service_account_email = google_service_account.schedule.email
      audience              = google_cloudfunctions2_function.emit.service_config[0].uri
    }
  }
}

resource "google_cloud_scheduler_job" "sweep" {
  name             = "retrain-sweep-${var.environment}"
  region           = var.region
  description      = "Picks up unfinished work."
  schedule         = var.sweep_schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "90s"
  retry_config {
    retry_count = 3
  }
  # By HTTP, not over the topic: the next sweep replaces one that failed, so it must not be redelivered.
  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.receive.service_config[0].uri
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode({ message = { attributes = { event_type = "retrain_sweep" } } }))
    oidc_token {
      service_account_email = google_service_account.schedule.email
      audience              = google_cloudfunctions2_function.receive.service_config[0].uri
    }
  }
}
