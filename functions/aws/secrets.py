"""Secrets Manager: reads a secret that the environment names."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from functions.aws.errors import translated
from shared.errors import UnavailableError


class SecretsClient(Protocol):
    """What is used of botocore's client of `secretsmanager`."""

    def get_secret_value(self, **arguments: object) -> Mapping[str, Any]:
        """Read a secret."""


def read_secret(client: Callable[[], SecretsClient], arn: str) -> str:
    """Return the text of the secret.

    Args:
        client: makes the client of `secretsmanager`, in the secret's region.
        arn: the secret.

    Raises:
        UnavailableError: the service is away, or the secret or the right is missing: an operator's matter.

    """
    with translated("Secrets Manager", f"give the secret {arn}"):
        value = client().get_secret_value(SecretId=arn)
    if "SecretString" not in value:
        raise UnavailableError("Secrets Manager", f"give the secret {arn}", "it is no text")
    return str(value["SecretString"])
