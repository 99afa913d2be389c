environment = "dev"
project     = "acme-dev"
region      = "europe-west4"
trainers    = ["trainer@acme-dev.iam.gserviceaccount.com"]
callers     = ["group:ml-engineers@acme.example"]
# An environment may have one of its own: retrain.dev.toml.
configuration = "retrain.toml"
