# What the platform tells by itself goes over the same topic, so that it has the same retries and dead letters.

locals {
  sinks = merge(
    {
      # The end of a training: frees the model, starts what waits.
      runs = "resource.type=\"aiplatform.googleapis.com/PipelineJob\" AND log_id(\"aiplatform.googleapis.com/pipeline_job_events\") AND resource.labels.pipeline_job_id:\"retrain-\""
    },
    var.monitoring_signals ? {
      monitoring = "resource.type=\"aiplatform.googleapis.com/ModelDeploymentMonitoringJob\" AND jsonPayload.\"@type\"=\"type.googleapis.com/google.cloud.aiplatform.logging.ModelMonitoringAnomaliesLogEntry\""
    } : {}
  )
}

resource "google_logging_project_sink" "signals" {
  for_each               = local.sinks
  name                   = "retrain-${each.key}-${var.environment}"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.triggers.id}"
  filter                 = each.value
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sinks" {
  for_each = google_logging_project_sink.signals
  topic    = google_pubsub_topic.triggers.id
  role     = "roles/pubsub.publisher"
  member   = each.value.writer_identity
}

data "google_storage_project_service_account" "storage" {}

resource "google_pubsub_topic_iam_member" "storage" {
  count  = length(var.signal_buckets) > 0 ? 1 : 0
  topic  = google_pubsub_topic.triggers.id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.storage.member
}

resource "google_storage_notification" "objects" {
  for_each       = var.signal_buckets
  bucket         = each.value
  topic          = google_pubsub_topic.triggers.id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]
  depends_on     = [google_pubsub_topic_iam_member.storage]
}
