locals {
  # The framework works on four requests a processor by default; Cloud Run would send the others, too,
  # and their time would pass while they wait.
  concurrency = 16
}

resource "google_storage_bucket" "bundles" {
  name                        = "${var.project}-retrain-bundles-${var.environment}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Terraform replaces the object with each new bundle, and deletes the bucket with all that is in it: what a bundle holds
  # is in the repository.
  force_destroy = true
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }
  depends_on = [google_project_service.used]
}

# The name has the digest of the content: the functions are built anew when, and only when, the bundle is another one.
resource "google_storage_bucket_object" "bundle" {
  name   = "retrain-${filesha256(var.bundle)}.zip"
  bucket = google_storage_bucket.bundles.name
  source = var.bundle
}

resource "google_cloudfunctions2_function" "emit" {
  name        = "retrain-emit-${var.environment}"
  location    = var.region
  description = "Emits triggers: HTTP API and schedule."
  build_config {
    runtime         = "python313"
    entry_point     = "emit"
    service_account = google_service_account.build.id
    source {
      storage_source {
        bucket = google_storage_bucket.bundles.name
        object = google_storage_bucket_object.bundle.name
      }
    }
  }
  service_config {
    service_account_email            = google_service_account.emit.email
    timeout_seconds                  = 60
    available_memory                 = "512Mi"
    available_cpu                    = "1"
    max_instance_count               = var.max_instances
    max_instance_request_concurrency = local.concurrency
    # Reached over the internet, by callers with a token only: see identities.tf.
    ingress_settings = "ALLOW_ALL"
    environment_variables = {
      RETRAIN_CONFIG      = var.configuration
      RETRAIN_ENVIRONMENT = var.environment
      RETRAIN_BUS         = google_pubsub_topic.triggers.id
      RETRAIN_LEDGER      = local.ledger
      RETRAIN_SOURCE      = var.source_prefix
      THREADS             = local.concurrency
    }
  }
  depends_on = [google_project_iam_member.build]
}

resource "google_cloudfunctions2_function" "receive" {
  name        = "retrain-receive-${var.environment}"
  location    = var.region
  description = "Decides on triggers, starts trainings, records their end, picks up unfinished work."
  build_config {
    runtime         = "python313"
    entry_point     = "receive"
    service_account = google_service_account.build.id
    source {
      storage_source {
        bucket = google_storage_bucket.bundles.name
        object = google_storage_bucket_object.bundle.name
      }
    }
  }
  service_config {
    service_account_email = google_service_account.receive.email
    # A claim that is older than 60 seconds counts as abandoned: no function may still work on one by then.
    timeout_seconds                  = 60
    available_memory                 = "512Mi"
    available_cpu                    = "1"
    max_instance_count               = var.max_instances
    max_instance_request_concurrency = local.concurrency
    # Pub/Sub of this project counts as internal.
    ingress_settings = "ALLOW_INTERNAL_ONLY"
    environment_variables = merge(
      {
        RETRAIN_CONFIG       = var.configuration
        RETRAIN_ENVIRONMENT  = var.environment
        RETRAIN_LEDGER       = local.ledger
        RETRAIN_DEAD_LETTERS = google_pubsub_topic.letters["rejected"].id
        RETRAIN_SOURCE       = var.source_prefix
        THREADS              = local.concurrency
      },
      # The name of the secret; the token itself is nowhere in the state.
      var.github_token_secret == "" ? {} : {
        RETRAIN_GITHUB_TOKEN = "projects/${var.project}/secrets/${var.github_token_secret}/versions/latest"
      }
    )
  }
  depends_on = [google_project_iam_member.build]
}
