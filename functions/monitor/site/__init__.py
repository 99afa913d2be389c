"""The pages that the drift monitor publishes."""
