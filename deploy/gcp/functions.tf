resource "google_storage_bucket" "bundles" {
  name                        = "${var.project}-retrain-bundles-${var.environment}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
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
  description = "Asks for trainings: HTTP API and schedule."
  build_config {
    runtime     = "python313"
    entry_point = "emit"
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
    max_instance_request_concurrency = 16
    # Reached over the internet, by callers with a token only: see identities.tf.
    ingress_settings = "ALLOW_ALL"
    environment_variables = {
      RETRAIN_CONFIG = var.configuration
      RETRAIN_BUS    = google_pubsub_topic.triggers.id
      RETRAIN_LEDGER = local.ledger
      RETRAIN_SOURCE = var.source_prefix
    }
  }
}

resource "google_cloudfunctions2_function" "receive" {
  name        = "retrain-receive-${var.environment}"
  location    = var.region
  description = "Decides on triggers, launches trainings, notes their end, looks after what was left undone."
  build_config {
    runtime     = "python313"
    entry_point = "receive"
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
    max_instance_request_concurrency = 16
    # Pub/Sub of this project counts as internal.
    ingress_settings = "ALLOW_INTERNAL_ONLY"
    environment_variables = merge(
      {
        RETRAIN_CONFIG       = var.configuration
        RETRAIN_LEDGER       = local.ledger
        RETRAIN_DEAD_LETTERS = google_pubsub_topic.letters["rejected"].id
        RETRAIN_SOURCE       = var.source_prefix
      },
      # The name of the secret; the token itself is nowhere in the state.
      var.github_token_secret == "" ? {} : {
        RETRAIN_GITHUB_TOKEN = "projects/${var.project}/secrets/${var.github_token_secret}/versions/latest"
      }
    )
  }
}
