"""The console: one page at `GET /` that shows the models and lets a person act, over the JSON API."""
