"""The checks that every cloud has: configuration, channels, GitHub token and schedule."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from functions.cli.clouds import module_of, use_region
from functions.cli.command import Context
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError, Setting
from functions.cli.doctor.letters import letter_checks
from functions.cli.doctor.schedules import check_schedule, default_schedule
from functions.github.address import read_address
from functions.github.token import VARIABLE, GitHubToken, ReadSecret, SecretStore
from functions.github.wiring import uses_github
from functions.notify.apprise_channel import AppriseChannel
from functions.notify.wiring import channel_notifiers
from shared.config.environment import SOURCE
from shared.config.file import load_configuration
from shared.config.model import Configuration
from shared.errors import ConfigError, PermanentError

# The folder of the templates.
ROOT: Final = Path(__file__).parents[3]


def all_checks(cloud: str, context: Context, schedule: str | None, opened: ExitStack) -> list[Check]:
    """Return every check for *cloud*.

    Args:
        cloud: `aws`, `gcp`, `azure` or `local`.
        context: the environment variables and the configuration file.
        schedule: the schedule to check; None: the default of the deployment.
        opened: closes the clients that the checks open.

    """
    path = context.config_file
    # So that checks read the letters beside this configuration, not beside the installed package.
    variables = {**context.variables, "RETRAIN_CONFIG": str(path)}
    config = _loaded(path)
    source = variables.get("RETRAIN_SOURCE") or SOURCE
    setting = Setting(variables=variables, config=config, source=source, opened=opened)
    return [
        Check(name="configuration", about=f"{path.name} is valid", run=lambda: load_configuration(path)),
        Check(name="targets", about=f"every model trains on {cloud}", run=lambda: _targets(setting, cloud)),
        *_checks_of(cloud, setting),
        *([Check(name="starting", about="starting trainings is permitted", run=_starting)] if cloud != "local" else ()),
        Check(name="GitHub token", about="the token for GitHub is available", run=lambda: _token(setting, cloud)),
        *_channels(config),
        *letter_checks(setting, cloud),
        Check(
            name="schedule",
            about=_schedule_about(cloud),
            run=lambda: _schedule(cloud, schedule, variables),
        ),
    ]


def _checks_of(cloud: str, setting: Setting) -> list[Check]:
    """Return the checks of `doctor` for *cloud*.

    Raises:
        UsageError: the packages for *cloud* are not installed.

    """
    use_region(cloud, setting.variables)
    checks: list[Check] = module_of(f"functions.cli.doctor.{cloud}.checks", cloud).checks(setting)
    return checks


def _secret_stores_of(cloud: str, setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return the secret stores of *cloud*; this machine has none."""
    if cloud == "local":
        return {}
    stores: Mapping[SecretStore, ReadSecret]
    stores = module_of(f"functions.cli.doctor.{cloud}.checks", cloud).secret_stores(setting)
    return stores


def _loaded(path: Path) -> Configuration | None:
    try:
        return load_configuration(path)
    except ConfigError:
        return None


def _configuration(setting: Setting) -> Configuration:
    if setting.config is None:
        raise CheckSkippedError("not checked: the configuration is not valid")
    return setting.config


def _targets(setting: Setting, cloud: str) -> None:
    config = _configuration(setting)
    without = [f'models."{model.name}"' for model in config.models if cloud not in model.targets]
    if without:
        raise CheckFailedError(
            f"{', '.join(without)} has no target.{cloud}, so its triggers are rejected here; add one"
        )


def _starting() -> None:
    raise CheckSkippedError("not checked: this permission cannot be checked without starting a training")


def _token(setting: Setting, cloud: str) -> None:
    config, value = _configuration(setting), setting.variables.get(VARIABLE, "")
    if not uses_github(config, cloud):
        raise CheckSkippedError("not needed: the configuration does not dispatch to GitHub")
    address = read_address(setting.variables.get("RETRAIN_GITHUB_API", ""))
    token = GitHubToken(value, _secret_stores_of(cloud, setting))
    if not value.strip() and not address.is_loopback:
        raise CheckFailedError(f"{VARIABLE} is not set, but the configuration dispatches to GitHub; set it")
    token.current()


def _channels(config: Configuration | None) -> list[Check]:
    channels = config.channel_places() if config else {}
    if not channels:
        return []
    about = "every channel is supported on this cloud"
    forms = Check(name="channels", about=about, run=lambda: channel_notifiers(channels))
    return [forms, *(_channel(place, each) for each, place in channels.items() if not each.startswith("arn:"))]


def _channel(name: str, address: str) -> Check:

    def run() -> None:
        try:
            AppriseChannel(address, name).open()
        except PermanentError as error:
            raise CheckFailedError(
                f"{name} is not an address that Apprise supports (it is not shown); correct it"
            ) from error

    return Check(name=name, about="Apprise supports this address; nothing was sent", run=run)


def _schedule_about(cloud: str) -> str:
    if cloud == "local":
        return "the schedule is valid"
    return "the schedule is valid by the syntax that the cloud documents; the cloud was not contacted"


def _schedule(cloud: str, given: str | None, variables: Mapping[str, str]) -> None:
    check_schedule(cloud, given if given is not None else default_schedule(cloud, variables, ROOT))
