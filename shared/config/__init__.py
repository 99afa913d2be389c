"""The configuration `retrain.toml` and the environment, read into values."""
