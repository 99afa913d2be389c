"""Why a deployment does not go on."""

from collections.abc import Sequence

from shared.errors import RetrainError


class DeploymentError(RetrainError):
    """A deployment was refused, or the cloud did not carry it out; the message says what to do."""


class SettingsError(DeploymentError):
    """The settings of an environment are wrong.

    Attributes:
        problems: every problem, each with its place.

    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        """List all *problems* found in *source*."""
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))
        self.problems = tuple(problems)
