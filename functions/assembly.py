"""Assembles the parts of the core from the adapters of a cloud; the wiring of every cloud ends here.

GitHub and the notification channels are imported only where the configuration uses them: they cost a cold start.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.machine import new_id, now
from shared.config.environment import Environment
from shared.config.parameters import ParameterCheck, accept_any
from shared.config.targets import GitHubTarget, Target
from shared.decision.state import Decided
from shared.errors import UnknownModelError
from shared.frozen import dataclass
from shared.http.parts import EmitterParts
from shared.ports import DeadLetters, EventBus, Launcher, Ledger, Notifier
from shared.training.parts import ReceiverParts

if TYPE_CHECKING:
    from functions.github.token import ReadSecret
    from functions.github.wiring import GitHubParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The parts that emitting and receiving share.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`.
        environment: the environment and the configuration.
        ledger: the cloud's ledger.
        observe: counts a decision of a model.
        check: checks parameters against more than the configuration.

    """

    cloud: str
    environment: Environment
    ledger: Ledger
    observe: Callable[[str, Decided], None]
    check: ParameterCheck = accept_any


def emitter_parts(deployment: Deployment, bus: EventBus) -> EmitterParts:
    """Return the parts for emitting triggers to *bus*."""
    return EmitterParts(
        cloud=deployment.cloud,
        config=deployment.environment.config,
        ledger=deployment.ledger,
        bus=bus,
        clock=now,
        new_id=new_id,
        observe=deployment.observe,
        check=deployment.check,
    )


def receiver_parts(
    deployment: Deployment,
    *,
    launcher: Callable[[Target], Launcher | None],
    dead_letters: DeadLetters | None,
    read_secret: "ReadSecret | None" = None,
    sns: Callable[[str], Notifier] | None = None,
) -> ReceiverParts:
    """Return the parts for deciding and launching.

    Args:
        deployment: the cloud, its environment and its ledger.
        launcher: makes the launcher of a target; none for a kind of target that this cloud does not have. Targets on
            GitHub are not its concern: every cloud has those.
        dead_letters: where rejected events go; see `ReceiverParts`.
        read_secret: reads the secret of that name from the cloud's own store; none where the cloud has no store.
        sns: makes the notifier of an SNS topic by its ARN; none on a cloud that has no boto3.

    Raises:
        ConfigError: a notification channel or the environment of GitHub is wrong.

    """
    cloud, environment = deployment.cloud, deployment.environment
    github = _github(cloud, environment, read_secret)

    def launcher_of(target: Target) -> Launcher:
        if isinstance(target, GitHubTarget) and github is not None:
            return github.launcher(target)
        found = launcher(target)
        if found is None:
            raise UnknownModelError(f"target.{cloud}.kind: {target.kind!r} cannot be launched by this bundle")
        return found

    return ReceiverParts(
        cloud=cloud,
        source=environment.source,
        config=environment.config,
        ledger=deployment.ledger,
        launcher=launcher_of,
        dead_letters=dead_letters,
        clock=now,
        new_id=new_id,
        observe=deployment.observe,
        check=deployment.check,
        environment=environment.name,
        notifier=_notifier(environment, sns),
        dispatcher=github.dispatcher if github else None,
    )


def _github(cloud: str, environment: Environment, read_secret: "ReadSecret | None") -> "GitHubParts | None":
    """Return what GitHub needs; none where the configuration permits no repository."""
    if not environment.config.repositories:
        return None
    from functions.github.token import SecretStore
    from functions.github.wiring import github_parts

    stores = {SecretStore[cloud.upper()]: read_secret} if read_secret else {}
    return github_parts(environment, cloud=cloud, stores=stores)


def _notifier(environment: Environment, sns: Callable[[str], Notifier] | None) -> Callable[[str], Notifier] | None:
    channels = environment.config.channel_places()
    if not channels:
        return None
    from functions.notify.wiring import channel_notifiers

    return channel_notifiers(channels, sns=sns)
