# Metrics of the logs, alerts on trainings and schedules, and a dashboard.

locals {
  services = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.emit.name}\" OR \"${google_cloudfunctions2_function.receive.name}\")"
}

resource "google_logging_metric" "decisions" {
  name   = "retrain-${var.environment}/decisions"
  filter = "${local.services} AND jsonPayload.message=\"retrain.decided\""
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

resource "google_logging_metric" "ended" {
  name   = "retrain-${var.environment}/ended"
  filter = "${local.services} AND jsonPayload.message=\"retrain.ended\""
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
  name   = "retrain-${var.environment}/evaluated"
  filter = "${local.services} AND jsonPayload.message=\"retrain.schedules_evaluated\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "seconds" {
  name            = "retrain-${var.environment}/training_seconds"
  filter          = "${local.services} AND jsonPayload.message=\"retrain.ended\" AND jsonPayload.seconds>=0"
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
    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.ended.name}\" AND metric.labels.result = one_of(\"failed\", \"gone\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
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
    condition_absent {
      filter   = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.evaluated.name}\""
      duration = "1800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
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
          "Decisions"             = { metric = google_logging_metric.decisions.name, aligner = "ALIGN_DELTA", label = "reason" }
          "Ended trainings"       = { metric = google_logging_metric.ended.name, aligner = "ALIGN_DELTA", label = "result" }
          "Duration of trainings" = { metric = google_logging_metric.seconds.name, aligner = "ALIGN_PERCENTILE_50", label = "result" }
          } : {
          title = title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = "metric.type=\"logging.googleapis.com/user/${chart.metric}\" resource.type=\"cloud_run_revision\""
                  aggregation = {
                    alignmentPeriod    = "3600s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX"
                    groupByFields      = ["metric.label.${chart.label}"]
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
