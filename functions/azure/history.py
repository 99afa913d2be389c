"""The run history of a workspace, which knows why a job failed; Azure Resource Manager only knows that it did."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

# A job names the service as `azureml://REGION.api.azureml.ms/mlflow/v1.0/subscriptions/.../workspaces/NAME?`. The token
# of Azure Resource Manager is sent there, so it must be Microsoft's own address.
_TRACKING: Final = r"azureml://(?P<host>[\w.:-]+)/mlflow/v[\d.]+(?P<workspace>/subscriptions/[^?#]+)"
_HOSTS: Final = (".api.azureml.ms", ".api.ml.azure.us", ".api.ml.azure.cn")
_LOOPBACK: Final = ("http://127.0.0.1:", "http://localhost:")


def history_address(job: Mapping[str, Any], name: str, endpoint: str) -> str | None:
    """Return the address of the details of a run.

    Args:
        job: the job, as Azure Resource Manager shows it.
        name: its name.
        endpoint: the base URL of Azure Resource Manager; a stand-in on loopback is its own run history.

    Returns:
        The address; None if the job names no run history, or one at an unknown address.

    """
    services = job.get("properties", {}).get("services")
    tracking = services.get("Tracking") if isinstance(services, Mapping) else None
    named = re.match(_TRACKING, str(tracking.get("endpoint", ""))) if isinstance(tracking, Mapping) else None
    if named is None:
        return None
    if endpoint.startswith(_LOOPBACK):
        base = endpoint
    elif named["host"].endswith(_HOSTS):
        base = f"https://{named['host']}"
    else:
        return None
    return f"{base}/history/v1.0{quote(named['workspace'])}/runs/{name}/details"


def error_message(details: Mapping[str, Any]) -> str:
    """Return the message of a failed run: `error.error.message` in its details."""
    outer = details.get("error")
    inner = outer.get("error") if isinstance(outer, Mapping) else None
    message = inner.get("message") if isinstance(inner, Mapping) else None
    return message if isinstance(message, str) else ""
