output "http_api" {
  description = "The HTTP API; callers need run.invoker and send an identity token."
  value       = google_cloudfunctions2_function.emit.service_config[0].uri
}

output "topic" {
  description = "Where others may publish triggers."
  value       = google_pubsub_topic.triggers.id
}

output "ledger" {
  description = "The state of the models."
  value       = local.ledger
}

output "rejected" {
  description = "The subscription with the events that were rejected."
  value       = google_pubsub_subscription.letters["rejected"].id
}

output "undelivered" {
  description = "The subscription with the events that kept failing."
  value       = google_pubsub_subscription.letters["undelivered"].id
}

output "variables" {
  description = "The RETRAIN_ variables of the deployment, for `doctor` and the command line."
  value = {
    RETRAIN_CONFIG       = var.configuration
    RETRAIN_ENVIRONMENT  = var.environment
    RETRAIN_BUS          = google_pubsub_topic.triggers.id
    RETRAIN_LEDGER       = local.ledger
    RETRAIN_DEAD_LETTERS = google_pubsub_topic.letters["rejected"].id
    RETRAIN_UNDELIVERED  = google_pubsub_subscription.letters["undelivered"].id
    RETRAIN_SOURCE       = var.source_prefix
    RETRAIN_GITHUB_TOKEN = var.github_token_secret == "" ? "" : "projects/${var.project}/secrets/${var.github_token_secret}/versions/latest"
    GOOGLE_CLOUD_PROJECT = var.project
  }
}
