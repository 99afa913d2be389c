"""The checks of a deployment of which only the address of its HTTP API is known."""

from functions.cli.api import Api, ApiError
from functions.cli.command import Context
from functions.cli.doctor.check import Check, CheckFailedError


def api_checks(context: Context, cloud: str) -> list[Check]:
    """Return the checks of the API at the address in *context*."""
    api = Api(context, cloud)

    def answers(path: str) -> None:
        try:
            api.get(path)
        except ApiError as error:
            raise CheckFailedError(str(error)) from error

    return [
        Check(name="address", about="the HTTP API answers, and you may call it", run=lambda: answers("/health")),
        Check(name="ledger", about="the deployment can read its ledger", run=lambda: answers("/models")),
    ]
