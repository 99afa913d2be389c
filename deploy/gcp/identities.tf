# One service account for each thing that acts, with no more than it needs.

resource "google_service_account" "emit" {
  account_id   = "retrain-emit-${var.environment}"
  display_name = "Asks for trainings"
}

resource "google_service_account" "receive" {
  account_id   = "retrain-receive-${var.environment}"
  display_name = "Decides on triggers and launches trainings"
}

resource "google_service_account" "push" {
  account_id   = "retrain-push-${var.environment}"
  display_name = "Delivers triggers to the receiver"
}

resource "google_service_account" "schedule" {
  account_id   = "retrain-schedule-${var.environment}"
  display_name = "Sends the ticks"
}

# The ledger: both read and write documents, of this database only.
resource "google_project_iam_member" "ledger" {
  for_each = {
    emit    = google_service_account.emit.member
    receive = google_service_account.receive.member
  }
  project = var.project
  role    = "roles/datastore.user"
  member  = each.value
  condition {
    title      = "the ledger of ${var.environment}"
    expression = "resource.name == 'projects/${var.project}/databases/${google_firestore_database.ledger.name}'"
  }
}

# Starting and looking at pipeline jobs, and nothing else of Vertex AI.
resource "google_project_iam_custom_role" "launcher" {
  role_id     = "retrainLauncher_${var.environment}"
  title       = "Retrain launcher (${var.environment})"
  description = "Starts pipeline jobs and looks at them."
  permissions = ["aiplatform.pipelineJobs.create", "aiplatform.pipelineJobs.get"]
}

resource "google_project_iam_member" "launcher" {
  project = var.project
  role    = google_project_iam_custom_role.launcher.name
  member  = google_service_account.receive.member
}

resource "google_service_account_iam_member" "trainer" {
  for_each           = var.trainers
  service_account_id = "projects/${var.project}/serviceAccounts/${each.value}"
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.receive.member
}

resource "google_secret_manager_secret_iam_member" "github" {
  count     = var.github_token_secret == "" ? 0 : 1
  secret_id = var.github_token_secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.receive.member
}

# Who may call the functions. A function of the second generation is a Cloud Run service of the same name.
resource "google_cloud_run_service_iam_member" "callers" {
  for_each = setunion(var.callers, [google_service_account.schedule.member])
  location = google_cloudfunctions2_function.emit.location
  service  = google_cloudfunctions2_function.emit.name
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_service_iam_member" "push" {
  location = google_cloudfunctions2_function.receive.location
  service  = google_cloudfunctions2_function.receive.name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}
