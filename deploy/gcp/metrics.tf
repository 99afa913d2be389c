# Metrics of the logs, alerts on trainings and schedules, and a dashboard.

locals {
  # In PromQL every special character of a metric's name is an underscore.
  evaluated     = replace(google_logging_metric.evaluated.name, "/[^A-Za-z0-9]/", "_")
  function_logs = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.emit.name}\" OR \"${google_cloudfunctions2_function.receive.name}\")"
}

resource "google_logging_metric" "decisions" {
  name   = "retrain-${var.environment}/decisions"
  filter = "${local.function_logs} AND jsonPayload.message=\"retrain.decided\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key        = "decision"
      value_type = "STRING"
    }
    labels {
      key        = "reason"
      value_type = "STRING"
    }
  }
  label_extractors = {
    decision = "EXTRACT(jsonPayload.decision)"
    reason   = "EXTRACT(jsonPayload.reason)"
  }
  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "trainings" {
  name   = "retrain-${var.environment}/trainings"
  filter = "${local.function_logs} AND jsonPayload.message=\"retrain.ended\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key        = "result"
      value_type = "STRING"
    }
  }
  label_extractors = {
    result = "EXTRACT(jsonPayload.result)"
  }
  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "evaluated" {
  name   = "retrain-${var.environment}/schedules_evaluated"
  filter = "${local.function_logs} AND jsonPayload.message=\"retrain.schedules_evaluated\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "seconds" {
  name            = "retrain-${var.environment}/training_seconds"
  filter          = "${local.function_logs} AND jsonPayload.message=\"retrain.ended\" AND jsonPayload.seconds>=0"
  value_extractor = "EXTRACT(jsonPayload.seconds)"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
    labels {
      key        = "result"
      value_type = "STRING"
    }
  }
  label_extractors = { result = "EXTRACT(jsonPayload.result)" }
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 24
      growth_factor      = 2
      scale              = 1
    }
  }
  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "oldest_queued" {
  name            = "retrain-${var.environment}/oldest_queued_seconds"
  filter          = "${local.function_logs} AND jsonPayload.message=\"retrain.queue_age\""
  value_extractor = "EXTRACT(jsonPayload.seconds)"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }
  # A percentile is exact to a quarter, up to eighteen days.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 64
      growth_factor      = 1.25
      scale              = 1
    }
  }
  depends_on = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "failed" {
  count                 = var.training_alerts ? 1 : 0
  display_name          = "retrain ${var.environment}: a training failed"
  combiner              = "OR"
  notification_channels = concat(var.notification_channels, [for channel in google_monitoring_notification_channel.emails : channel.name])
  documentation {
    content = "A training failed, or did not end in time."
  }
  conditions {
    display_name = "there is one"
    # The log itself is matched: an alert on a metric is refused for up to ten minutes after the metric is made
    # (terraform-provider-google, issue 11102), so that the first deployment would fail.
    condition_matched_log {
      filter = "${local.function_logs} AND jsonPayload.message=\"retrain.ended\" AND jsonPayload.result=(\"failed\" OR \"gone\")"
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "300s"
    }
  }
}

resource "google_monitoring_alert_policy" "silent" {
  count                 = var.training_alerts ? 1 : 0
  display_name          = "retrain ${var.environment}: schedules are not evaluated"
  combiner              = "OR"
  notification_channels = concat(var.notification_channels, [for channel in google_monitoring_notification_channel.emails : channel.name])
  documentation {
    content = "The models' own schedules have not been evaluated for half an hour."
  }
  conditions {
    display_name = "there is no evaluation"
    # Twenty minutes without one, for ten minutes: also where there was never any.
    condition_prometheus_query_language {
      query               = "(sum(increase(logging_googleapis_com:user_${local.evaluated}{monitored_resource=\"cloud_run_revision\",project_id=\"${var.project}\"}[20m])) or vector(0)) < 1"
      duration            = "600s"
      evaluation_interval = "300s"
      # It is refused for up to ten minutes after the metric is made, too.
      disable_metric_validation = true
    }
  }
}

resource "google_monitoring_dashboard" "retrain" {
  dashboard_json = jsonencode({
    displayName = "retrain ${var.environment}"
    gridLayout = {
      columns = "2"
      widgets = [
        for title, chart in {
          "Decisions"                        = { metric = google_logging_metric.decisions.name, aligner = "ALIGN_DELTA", label = "reason" }
          "Trainings"                        = { metric = google_logging_metric.trainings.name, aligner = "ALIGN_DELTA", label = "result" }
          "Duration of trainings"            = { metric = google_logging_metric.seconds.name, aligner = "ALIGN_PERCENTILE_50", label = "result" }
          "Evaluations of schedules"         = { metric = google_logging_metric.evaluated.name, aligner = "ALIGN_DELTA", label = "" }
          "Age of the oldest queued trigger" = { metric = google_logging_metric.oldest_queued.name, aligner = "ALIGN_PERCENTILE_99", label = "" }
          } : {
          title = title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = "metric.type=\"logging.googleapis.com/user/${chart.metric}\" resource.type=\"cloud_run_revision\" resource.labels.project_id=\"${var.project}\""
                  aggregation = {
                    alignmentPeriod    = "3600s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX"
                    groupByFields      = chart.label == "" ? [] : ["metric.label.${chart.label}"]
                  }
                }
              }
            }]
          }
        }
      ]
    }
  })
  depends_on = [google_project_service.used]
}
