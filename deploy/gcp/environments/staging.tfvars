environment = "staging"
project     = "acme-staging"
region      = "europe-west4"
trainers    = ["trainer@acme-staging.iam.gserviceaccount.com"]
callers     = ["group:ml-engineers@acme.example"]
# An environment may have one of its own: retrain.staging.toml.
configuration = "retrain.toml"
