"""Parsing of `retrain.toml` and of the environment variables."""
