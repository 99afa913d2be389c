"""Secrets Manager: reads a secret that the environment names."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from functions.aws.errors import translated
from shared.errors import UnavailableError


class SecretsClient(Protocol):
    """The operations of botocore's `secretsmanager` client that are used."""

    def get_secret_value(self, **arguments: object) -> Mapping[str, Any]:
        """Read a secret."""


def read_secret(client: Callable[[], SecretsClient], arn: str) -> str:
    """Return the secret, which must be a string.

    Args:
        client: returns the `secretsmanager` client of the secret's region.
        arn: the ARN of the secret.

    Raises:
        UnavailableError: the service is not available, or the secret or the permission is missing.

    """
    with translated("Secrets Manager", f"give the secret {arn}"):
        value = client().get_secret_value(SecretId=arn)
    if "SecretString" not in value:
        raise UnavailableError("Secrets Manager", f"give the secret {arn}", "it is not a string")
    return str(value["SecretString"])
