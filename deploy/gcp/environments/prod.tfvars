environment = "prod"
project     = "acme-prod"
region      = "europe-west4"
trainers    = ["trainer@acme-prod.iam.gserviceaccount.com"]
callers     = ["group:ml-engineers@acme.example"]
