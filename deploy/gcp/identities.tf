# One service account for each thing that acts, with no more than it needs.

resource "google_service_account" "build" {
  account_id   = "retrain-build-${var.environment}"
  display_name = "Builds the functions (${var.environment})"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "emit" {
  account_id   = "retrain-emit-${var.environment}"
  display_name = "Emits triggers (${var.environment})"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "receive" {
  account_id   = "retrain-receive-${var.environment}"
  display_name = "Decides on triggers and launches trainings (${var.environment})"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "push" {
  account_id   = "retrain-push-${var.environment}"
  display_name = "Delivers triggers to the receiver (${var.environment})"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "schedule" {
  account_id   = "retrain-schedule-${var.environment}"
  display_name = "Sends the ticks (${var.environment})"
  depends_on   = [google_project_service.used]
}

# The default account, which would build otherwise, has no rights in a new organisation. Not narrower than the project:
# the buckets and the repository that it works on are made by Cloud Run functions, on the first build.
resource "google_project_iam_member" "build" {
  for_each = toset(["artifactregistry.writer", "logging.logWriter", "storage.objectViewer"])
  project  = var.project
  role     = "roles/${each.value}"
  member   = google_service_account.build.member
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

locals {
  training_projects = length(var.training_projects) > 0 ? var.training_projects : toset([var.project])
}

# Starting, cancelling and looking at pipeline jobs, and nothing else of Vertex AI. The name says who is granted it: a project may train
# for several.
resource "google_project_iam_custom_role" "launcher" {
  for_each    = local.training_projects
  project     = each.value
  role_id     = "retrainLauncher_${replace(var.project, "-", "_")}_${var.environment}"
  title       = "Retrain launcher (${var.project}, ${var.environment})"
  description = "Starts pipeline jobs, looks at them and cancels them."
  permissions = ["aiplatform.pipelineJobs.cancel", "aiplatform.pipelineJobs.create", "aiplatform.pipelineJobs.get"]
  depends_on  = [google_project_service.used]
}

resource "google_project_iam_member" "launcher" {
  for_each = local.training_projects
  project  = each.value
  role     = google_project_iam_custom_role.launcher[each.key].name
  member   = google_service_account.receive.member
}

resource "google_service_account_iam_member" "trainer" {
  for_each = var.trainers
  # IAM finds the project by the address.
  service_account_id = "projects/-/serviceAccounts/${each.value}"
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
  for_each = merge({ for member in var.callers : member => member }, { schedule = google_service_account.schedule.member })
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

resource "google_cloud_run_service_iam_member" "sweep" {
  location = google_cloudfunctions2_function.receive.location
  service  = google_cloudfunctions2_function.receive.name
  role     = "roles/run.invoker"
  member   = google_service_account.schedule.member
}
