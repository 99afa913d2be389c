"""The HTTP API, the same on every cloud: messages, routes, checks and JSON bodies."""
