terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source = "hashicorp/google"
      # Since 6.13 the name of a service account is known before it is made, so that a plan can tell what is granted to it.
      version = ">= 6.13.0, < 8.0.0"
    }
  }
  # Where the state is kept is given at `terraform init -backend-config=bucket=...`, one bucket or prefix an environment.
  backend "gcs" {}
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = { application = "retrain", environment = var.environment }
}
