# The services that are used here; in a new project almost all of them are disabled.

locals {
  services = toset(concat(
    [
      "artifactregistry", "cloudbuild", "cloudfunctions", "cloudscheduler", "firestore", "iam", "logging", "monitoring",
      "pubsub", "run", "storage",
    ],
    contains(local.training_projects, var.project) ? ["aiplatform"] : [],
    var.github_token_secret == "" ? [] : ["secretmanager"],
  ))
}

resource "google_project_service" "used" {
  for_each = local.services
  service  = "${each.value}.googleapis.com"
  # Others in the project may use it, too, and what it holds would be gone with it.
  disable_on_destroy = false
}
