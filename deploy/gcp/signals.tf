# Signals of the platform go over the same topic, so that they have the same retries and dead letters.

locals {
  logged = concat(
    # The end of a training frees the model, and starts what waits. Earlier states are not delivered.
    ["(resource.type=\"aiplatform.googleapis.com/PipelineJob\" AND log_id(\"aiplatform.googleapis.com/pipeline_job_events\") AND resource.labels.pipeline_job_id:\"retrain-\" AND jsonPayload.state=(\"PIPELINE_STATE_SUCCEEDED\" OR \"PIPELINE_STATE_FAILED\" OR \"PIPELINE_STATE_CANCELLED\"))"],
    var.monitoring_signals ? ["(resource.type=\"aiplatform.googleapis.com/ModelDeploymentMonitoringJob\" AND jsonPayload.\"@type\"=\"type.googleapis.com/google.cloud.aiplatform.logging.ModelMonitoringAnomaliesLogEntry\")"] : [],
  )
}

# One a project: the sinks of a project may write as one account, and a grant that two share would end with the first.
resource "google_logging_project_sink" "signals" {
  for_each               = local.training_projects
  project                = each.value
  name                   = "retrain-${var.project}-${var.environment}"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.triggers.id}"
  filter                 = join(" OR ", local.logged)
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sinks" {
  for_each = local.training_projects
  topic    = google_pubsub_topic.triggers.id
  role     = "roles/pubsub.publisher"
  member   = google_logging_project_sink.signals[each.key].writer_identity
}

data "google_storage_project_service_account" "storage" {
  count = length(var.signal_buckets) > 0 ? 1 : 0
}

resource "google_pubsub_topic_iam_member" "storage" {
  count  = length(var.signal_buckets) > 0 ? 1 : 0
  topic  = google_pubsub_topic.triggers.id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.storage[0].member
}

resource "google_storage_notification" "objects" {
  for_each       = var.signal_buckets
  bucket         = each.value
  topic          = google_pubsub_topic.triggers.id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]
  depends_on     = [google_pubsub_topic_iam_member.storage]
}
