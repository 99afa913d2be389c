"""The HTTP API: requests and responses as values, the routes, and what they show."""
