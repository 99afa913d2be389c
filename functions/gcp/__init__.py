"""Google Cloud: Pub/Sub in, Vertex AI out."""
