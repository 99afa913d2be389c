variable "project" {
  description = "The project that everything is made in."
  type        = string
}

variable "region" {
  description = "The region of the functions."
  type        = string
}

variable "environment" {
  description = "dev, staging or prod; part of every name."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment must be dev, staging or prod."
  }
}

variable "bundle" {
  description = "The zip that `make build-gcp` makes."
  type        = string
  default     = "../../dist/gcp.zip"
}

variable "configuration" {
  description = "The configuration in the bundle: each retrain*.toml is in it, so an environment may have its own, such as retrain.prod.toml."
  type        = string
  default     = "retrain.toml"
}

variable "source_prefix" {
  description = "The source of triggers that are emitted, and the prefix of the sources that are accepted."
  type        = string
  default     = "ml3_platform"
}

variable "schedule" {
  description = "When models with `schedule = true` are requested, in UTC. Five fields: Cloud Scheduler has no seconds."
  type        = string
  default     = "30 9 * * 1"
  validation {
    condition     = length(split(" ", var.schedule)) == 5
    error_message = "A schedule of Cloud Scheduler has five fields."
  }
}

variable "training_alerts" {
  description = "Whether people are alerted when a training fails, and when the models' schedules are not evaluated."
  type        = bool
  default     = true
}

variable "sweep_schedule" {
  description = "How often unfinished work is picked up."
  type        = string
  default     = "*/5 * * * *"
  validation {
    condition     = length(split(" ", var.sweep_schedule)) == 5
    error_message = "A schedule of Cloud Scheduler has five fields."
  }
}

variable "trainers" {
  description = "The service accounts that the pipelines run as, of whatever project: e-mail addresses. The receiver may start jobs as these and no others."
  type        = set(string)
}

variable "training_projects" {
  description = "The projects that the targets name, if it is not, or not only, the one that everything is made in: ids. Vertex AI must be enabled in the others already."
  type        = set(string)
  default     = []
}

variable "callers" {
  description = "Who may call the HTTP API, as members: user:..., group:..., serviceAccount:... No one else can."
  type        = set(string)
  default     = []
  validation {
    condition     = length(setintersection(var.callers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "The HTTP API starts trainings: it must not be open to everybody."
  }
}

variable "publishers" {
  description = "Who else may publish triggers, as members, such as the service account of ML cube Platform's credentials."
  type        = set(string)
  default     = []
  validation {
    condition     = length(setintersection(var.publishers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "The topic starts trainings: it must not be open to everybody."
  }
}

variable "signal_buckets" {
  description = "The buckets that models have as signals (`gcs-object:`)."
  type        = set(string)
  default     = []
}

variable "monitoring_signals" {
  description = "Whether anomalies that Vertex model monitoring logs in the training projects are sent to the receiver (`vertex-monitoring:`)."
  type        = bool
  default     = false
}

variable "github_token_secret" {
  description = "The secret that holds the token for GitHub, by its short name; none: nothing is dispatched."
  type        = string
  default     = ""
}

variable "alert_emails" {
  description = "The e-mail addresses that receive alerts on dead letters."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "The Cloud Monitoring channels that receive these alerts, too, by full name."
  type        = list(string)
  default     = []
}

variable "max_instances" {
  description = "The maximum number of copies of each function."
  type        = number
  default     = 10
}

variable "ledger_exists" {
  description = "Whether the database of this environment was left behind by `terraform destroy` and is taken over again."
  type        = bool
  default     = false
}

variable "monitor_image" {
  description = "The image of the drift monitor in Artifact Registry, best by its digest; none: there is no monitor."
  type        = string
  default     = ""
  validation {
    condition     = var.monitor_image == "" || can(regex("^[a-z0-9.-]+/.+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.monitor_image))
    error_message = "monitor_image must be an image with a tag or a digest."
  }
}

variable "monitor_schedule" {
  description = "When the monitor compares, in UTC. Five fields: Cloud Scheduler has no seconds."
  type        = string
  default     = "30 9 * * 1"
  validation {
    condition     = length(split(" ", var.monitor_schedule)) == 5
    error_message = "A schedule of Cloud Scheduler has five fields."
  }
}

variable "monitor_data_buckets" {
  description = "The buckets with the data that the monitor compares."
  type        = set(string)
  default     = []
}

variable "monitor_site_bucket" {
  description = "The bucket for the monitor's pages, which must be there; required with monitor_image. `site` in the configuration names it."
  type        = string
  default     = ""
}
