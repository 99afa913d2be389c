"""The user's own credentials for the HTTP API of a deployment: one module a cloud."""
