"""A function that does nothing: what the framework itself costs."""

import flask
import functions_framework


@functions_framework.http
def receive(request: flask.Request) -> str:
    """Read the event, and answer."""
    return str(len(request.get_json()))
