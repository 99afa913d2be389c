locals {
  collection = "retrain"
  ledger     = "${google_firestore_database.ledger.id}/documents/${local.collection}"
}

resource "google_firestore_database" "ledger" {
  name        = "retrain-${var.environment}"
  location_id = var.region
  type        = "FIRESTORE_NATIVE"
  # Writers never wait for one another: they compare and swap.
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  # Without it the cooldowns, what waits and what was decided are forgotten, and a repeated trigger trains again.
  delete_protection_state = "DELETE_PROTECTION_ENABLED"
  deletion_policy         = "ABANDON"
  depends_on              = [google_project_service.used]
}

# The database outlives `terraform destroy`. The next apply of the same environment takes it over instead of failing with
# 409 because its name is taken.
import {
  for_each = toset(var.ledger_exists ? ["ledger"] : [])
  to       = google_firestore_database.ledger
  id       = "projects/${var.project}/databases/retrain-${var.environment}"
}

# The state is read by the model's name only: no index of its text, which would cost writes and has a size limit.
resource "google_firestore_field" "document" {
  database   = google_firestore_database.ledger.name
  collection = local.collection
  field      = "document"
  index_config {}
}
