"""Parsing of `retrain.toml`; one error lists every problem."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from shared.config.compiled import LazyModels, ReadModel, load_compiled, write_compiled
from shared.config.follow_ups import Notify, check_event_type, read_follow_ups, read_notify, read_repositories
from shared.config.model import MAX_STARTS, Budget, Configuration, Model, Policy
from shared.config.schedule import read_schedule
from shared.config.tables import Table, parse_duration
from shared.config.targets import CLOUDS, GitHubTarget, read_targets
from shared.errors import ConfigError, InvalidTriggerError
from shared.fields import INT64, Parameter, read_model_id
from shared.frozen import dataclass
from shared.trigger import FIELDS, SEVERITIES

if TYPE_CHECKING:
    from shared.config.drift import DriftCheck
    from shared.config.quality import QualityCheck

SIGNALS: Final = (
    "cloudwatch-alarm",
    "s3-object",
    "vertex-monitoring",
    "gcs-object",
    "azureml-monitor",
    "blob",
)
# A host of letters, digits, points and hyphens, or an IPv6 address, and an optional port: an origin that browsers send.
_URL: Final = r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[!$-;=@-Z_a-z~]*)?"
MAX_RETRIES: Final = 10
MAX_CONSECUTIVE: Final = 100
_NUMBER: Final = r"[0-9]{1,6}"
_BUDGET: Final = f'a number from 1 to {MAX_STARTS} and a duration over zero, such as "3/7d"'


def load_deployed(path: Path) -> Configuration:
    """Read the configuration file at *path* as fast as possible: in its compiled form, if that is up to date.

    Raises:
        ConfigError: as in `load_configuration`.

    """
    try:
        content = path.read_bytes()
    except OSError:
        return load_configuration(path)

    def prepare(tables: Mapping[str, Any], models: Callable[[ReadModel], LazyModels]) -> Configuration:
        problems: list[str] = []
        shared = _read_shared(Table(tables, "", problems))

        def read(name: str, table: Mapping[str, Any]) -> Model:
            return _read_model(name, Table(table, f'models."{name}"', problems), shared.repositories, shared.notify)

        return shared.configuration(models(read), path.resolve().parent)

    return load_compiled(path, content, prepare) or load_configuration(path)


def compile_configuration(path: Path) -> bool:
    """Write the compiled form of the configuration at *path*, and return whether it has one.

    Raises:
        ConfigError: as in `load_configuration`.

    """
    import tomllib

    outline = load_configuration(path).outline
    return write_compiled(path, tomllib.loads(path.read_text(encoding="utf-8-sig")), outline)


def load_configuration(path: Path) -> Configuration:
    """Read the configuration file at *path*.

    Raises:
        ConfigError: the file cannot be read, is not valid TOML, or has mistakes; it lists all of them.

    """
    try:
        # Editors on Windows begin a file with a byte order mark, which TOML does not allow.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        from shared.config.unreadable import reading_problem

        raise ConfigError(str(path), [reading_problem(path, error)]) from error
    return parse_configuration(text, source=path.name, folder=path.resolve().parent)


def parse_configuration(text: str, *, source: str, folder: Path) -> Configuration:
    """Parse the TOML *text* of a configuration; errors name *source*.

    Raises:
        ConfigError: the text is not valid TOML or has mistakes; it lists all of them.

    """
    # Not at the top, because a function reads the compiled form.
    import tomllib

    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        from shared.config.unreadable import syntax_problem

        raise ConfigError(source, [syntax_problem(error)]) from error
    problems: list[str] = []
    file = Table(content, "", problems)
    shared = _read_shared(file)
    named = file.table("models")
    models = tuple(
        _read_model(name, table, shared.repositories, shared.notify) for name, table in named.quoted_tables()
    )
    file.done()
    if content.get("models", {}) == {}:
        named.problem("", "is empty; configure at least one model with a target")
    problems += _problems_between(models)
    if problems:
        raise ConfigError(source, problems)
    return shared.configuration(models, folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """The tables that concern all models."""

    repositories: tuple[str, ...]
    notify: Notify
    console_url: str

    def configuration(self, models: Sequence[Model], folder: Path) -> Configuration:
        return Configuration(
            models=models,
            channels=self.notify.channels,
            notify_on=self.notify.on,
            repositories=self.repositories,
            folder=folder,
            console_url=self.console_url,
        )


def _read_shared(file: Table) -> _Shared:
    return _Shared(
        repositories=read_repositories(file.table("github")),
        notify=read_notify(file.table("notify", secret=True)),
        console_url=_read_console(file.table("console")),
    )


def _read_console(table: Table) -> str:
    url = table.text("url").rstrip("/")
    table.done()
    if url and not re.fullmatch(_URL, url):
        wanted = 'an http or https URL without user, query or fragment, such as "https://retrain.example"'
        table.problem("url", f"must be {wanted}, not {url!r}")
    return url


def _read_model(name: str, table: Table, repositories: tuple[str, ...], notify: Notify) -> Model:
    try:
        read_model_id(name)
    except InvalidTriggerError as error:
        table.problem("", f"the name {error.problem}")
    if "target" not in table:
        table.problem("target", f"is missing; add a table for each cloud the model trains on ({', '.join(CLOUDS)})")
    targets = read_targets(table.table("target")) if "target" in table else {}
    for cloud, target in targets.items():
        if isinstance(target, GitHubTarget):
            _check_github(table, cloud, target, repositories)
    schedule, own_schedule = read_schedule(table)
    model = Model(
        name=name,
        default=table.flag("default"),
        schedule=schedule,
        own_schedule=own_schedule,
        max_age=table.lasting("max_age"),
        signals=_read_signals(table),
        policy=_read_policy(table),
        parameters=_read_parameters(table.table("parameters")),
        targets=targets,
        after=read_follow_ups(table.table("after"), repositories),
        drift=(drift := _read_drift(table)),
        quality=_read_quality(table, drift),
        notify=read_notify(table.table("notify", secret=True), notify) if "notify" in table else None,
    )
    table.expect("notify")
    table.done()
    if model.is_pattern:
        for key in ("default", "schedule", "signals", "drift", "quality"):
            if getattr(model, key) or (key == "schedule" and own_schedule):
                table.problem(key, "needs the name of a model, not a pattern")
    return model


def _read_drift(table: Table) -> "DriftCheck | None":
    table.expect("drift")
    if "drift" not in table:
        return None
    # Imported here, because only the monitor's function uses it, and every other would pay for it at its cold start.
    from shared.config.drift import read_drift

    return read_drift(table.table("drift"))


def _read_quality(table: Table, drift: "DriftCheck | None") -> "QualityCheck | None":
    table.expect("quality")
    if "quality" not in table:
        return None
    from shared.config.quality import read_quality

    return read_quality(table.table("quality"), drift)


def _check_github(table: Table, cloud: str, target: GitHubTarget, repositories: tuple[str, ...]) -> None:
    if target.repository and target.repository not in repositories:
        table.problem(f"target.{cloud}.repository", f"{target.repository!r} is not in github.repositories")
    check_event_type(table, f"target.{cloud}.event_type", target.event_type)


def _read_policy(table: Table) -> Policy:
    standard = Policy()
    return Policy(
        cooldown=table.duration("cooldown", standard.cooldown),
        cooldown_after=table.choice("cooldown_after", ("start", "success"), standard.cooldown_after),
        on_cooldown=table.choice("on_cooldown", ("skip", "queue"), standard.on_cooldown),
        on_busy=table.choice("on_busy", ("skip", "queue"), standard.on_busy),
        max_trainings=table.value("max_trainings", None, _read_budget, _BUDGET),
        retries=table.count("retries", standard.retries, least=0, most=MAX_RETRIES),
        retry_delay=table.duration("retry_delay", standard.retry_delay),
        max_run=table.duration("max_run", standard.max_run),
        min_severity=table.choice("min_severity", SEVERITIES, "") or None,
        consecutive=table.count("consecutive", standard.consecutive, most=MAX_CONSECUTIVE),
        window=table.duration("window", standard.window),
        approval=table.flag("approval"),
    )


def _read_budget(value: object) -> Budget | None:
    number, separator, period = value.partition("/") if isinstance(value, str) else ("", "", "")
    duration = parse_duration(period)
    if not separator or not duration or not re.fullmatch(_NUMBER, number):
        return None
    return Budget(number=int(number), period=duration) if 1 <= int(number) <= MAX_STARTS else None


def _read_signals(table: Table) -> tuple[str, ...]:
    signals = table.texts("signals")
    for signal in signals:
        kind, _, what = signal.partition(":")
        if kind not in SIGNALS or not what:
            table.problem("signals", f"{signal!r} must be KIND:NAME, where KIND is one of {', '.join(SIGNALS)}")
    return signals


def _read_parameters(table: Table) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for name in table:
        value = table.raw(name)
        if not _is_parameter(value):
            table.problem(name, f"must be a string, a number of at most 64 bits or a boolean, not {value!r}")
        elif isinstance(value, str) and value.startswith("$") and value[1:] not in FIELDS and value[1:2] != "$":
            known = ", ".join(f"${field}" for field in FIELDS)
            table.problem(name, f"{value!r} is not a field of a trigger; use one of {known} (write $$ for a leading $)")
        else:
            parameters[name] = value
    return parameters


def _is_parameter(value: object) -> TypeGuard[Parameter]:
    if isinstance(value, float):
        return isfinite(value)
    return value in INT64 if isinstance(value, int) else isinstance(value, str)


def _problems_between(models: tuple[Model, ...]) -> list[str]:
    problems = []
    defaults = [model.name for model in models if model.default]
    if len(defaults) > 1:
        problems.append(f"models: only one may have default = true, not {', '.join(defaults)}")
    if checks := {model.name: model.drift for model in models if model.drift}:
        # Imported here for the same reason as above.
        from shared.config.drift import site_problems

        problems += site_problems(checks)
    return problems


def main(arguments: Sequence[str]) -> int:
    """Check the configuration file at the path in *arguments*, print every problem, and return the exit code."""
    try:
        load_configuration(Path(arguments[0]))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
