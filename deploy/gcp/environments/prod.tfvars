environment = "prod"
project     = "acme-prod"
region      = "europe-west4"
trainers    = ["trainer@acme-prod.iam.gserviceaccount.com"]
callers     = ["group:ml-engineers@acme.example"]
# An environment may have one of its own: retrain.prod.toml.
configuration = "retrain.toml"
alert_emails  = ["ml-on-call@acme.example"]
