"""What the Terraform files rely on in functions-framework."""

import pytest
from functions_framework._http.gunicorn import GunicornApplication


def test_it_has_as_many_threads_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable beats the number of processors, which is one there."""
    monkeypatch.setenv("THREADS", "16")
    assert GunicornApplication(None, "127.0.0.1", 0, debug=False).cfg.threads == 16
