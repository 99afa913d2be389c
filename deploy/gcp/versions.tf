terraform {
  # Since 1.7 an import can depend on a variable.
  required_version = ">= 1.7"
  required_providers {
    google = {
      source = "hashicorp/google"
      # The schemas of 7.41 and 8.7 are those that the files are checked with.
      version = ">= 7.41.0, < 9.0.0"
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
