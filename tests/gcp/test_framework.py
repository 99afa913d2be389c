"""Behaviour of functions-framework on which the Terraform files rely."""

import pytest
from functions_framework._http.gunicorn import GunicornApplication


def test_it_has_the_configured_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable takes precedence over the number of processors, which is one there."""
    monkeypatch.setenv("THREADS", "16")
    assert GunicornApplication(None, "127.0.0.1", 0, debug=False).cfg.threads == 16
