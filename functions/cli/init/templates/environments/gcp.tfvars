environment = "@environment@"
project     = "acme-@environment@"
region      = "europe-west4"
trainers    = ["trainer@acme-@environment@.iam.gserviceaccount.com"]
callers     = ["group:ml-engineers@acme.example"]
# An environment may have one of its own: retrain.@environment@.toml.
configuration = "retrain.toml"
@prod@alert_emails  = ["ml-on-call@acme.example"]
