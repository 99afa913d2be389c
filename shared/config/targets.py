"""The kinds of training targets, and which of them each cloud supports.

`honours_tokens` of a target: whether a second start with the same idempotency token returns the run of the first one.
Otherwise a second start is a second training. `hands_over` of a target: whether the end of a training is never
reported, so that it cannot be cancelled either.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Final

from shared.config.tables import Table
from shared.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerTarget:
    """A SageMaker pipeline, by name or ARN."""

    kind: ClassVar[str] = "sagemaker"
    honours_tokens: ClassVar[bool] = True
    hands_over: ClassVar[bool] = False
    pipeline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsTarget:
    """An SQS queue that a consumer outside this project reads."""

    kind: ClassVar[str] = "sqs"
    hands_over: ClassVar[bool] = True
    queue_url: str

    @property
    def honours_tokens(self) -> bool:
        """Whether the queue drops repeated messages, as only FIFO queues do."""
        return self.queue_url.endswith(".fifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexTarget:
    """A Vertex AI pipeline: a compiled specification, or a URL in a template registry."""

    kind: ClassVar[str] = "vertex"
    honours_tokens: ClassVar[bool] = True
    hands_over: ClassVar[bool] = False
    pipeline: str
    project: str
    location: str
    root: str
    service_account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureMlTarget:
    """An Azure Machine Learning component that runs as a job."""

    kind: ClassVar[str] = "azureml"
    honours_tokens: ClassVar[bool] = True
    hands_over: ClassVar[bool] = False
    workspace: str
    component: str
    compute: str = ""
    experiment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubTarget:
    """A GitHub workflow, started by a repository dispatch."""

    kind: ClassVar[str] = "github"
    honours_tokens: ClassVar[bool] = False
    hands_over: ClassVar[bool] = True
    repository: str
    event_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTarget:
    """A command on this machine."""

    kind: ClassVar[str] = "command"
    honours_tokens: ClassVar[bool] = True
    hands_over: ClassVar[bool] = False
    command: tuple[str, ...]


Target = SageMakerTarget | SqsTarget | VertexTarget | AzureMlTarget | GitHubTarget | CommandTarget

# The kinds of targets that each cloud can start.
KINDS_OF_CLOUD: Final[dict[str, tuple[type[Target], ...]]] = {
    "aws": (SageMakerTarget, SqsTarget, GitHubTarget),
    "gcp": (VertexTarget, GitHubTarget),
    "azure": (AzureMlTarget, GitHubTarget),
    "local": (CommandTarget, GitHubTarget),
}
CLOUDS: Final = tuple(KINDS_OF_CLOUD)


def write_target(target: Target) -> dict[str, object]:
    """Return *target* as JSON, with its kind."""
    return {"kind": target.kind, **dataclasses.asdict(target)}


def parse_target(content: Mapping[str, object]) -> Target:
    """Parse the result of `write_target`; fields that this version does not know are ignored.

    Raises:
        KeyError: the kind is unknown.
        TypeError: a field is missing.

    """
    kind = _KINDS[str(content["kind"])]
    known = {field.name: content[field.name] for field in dataclasses.fields(kind) if field.name in content}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return kind(**values)  # type: ignore[arg-type]  # the values were written by `write_target`


def trains_on(cloud: str, target: Target) -> bool:
    """Return whether *cloud* supports the kind of *target*."""
    return isinstance(target, KINDS_OF_CLOUD[cloud])


_KINDS: Final[Mapping[str, type[Target]]] = {kind.kind: kind for kinds in KINDS_OF_CLOUD.values() for kind in kinds}


def read_targets(table: Table) -> dict[str, Target]:
    """Parse the table `target.<cloud>` of every cloud; problems are added to the table's list."""
    targets: dict[str, Target] = {}
    table.expect(*CLOUDS)
    for cloud, kinds in KINDS_OF_CLOUD.items():
        if cloud in table:
            target = _read_target(table.table(cloud), {kind.kind: kind for kind in kinds})
            if target is not None:
                targets[cloud] = target
    table.done()
    if not list(table):
        table.problem("", f"needs a table for at least one of {', '.join(CLOUDS)}")
    return targets


def _read_target(table: Table, kinds: dict[str, type[Target]]) -> Target | None:
    if "kind" not in table:
        table.problem("kind", f"is missing; one of {', '.join(kinds)}")
        return None
    kind = kinds.get(table.choice("kind", tuple(kinds), ""))
    if kind is None:
        return None
    settings = {field.name: _read_field(table, field) for field in dataclasses.fields(kind)}
    table.done()
    return kind(**settings)  # type: ignore[arg-type]  # the fields were read by their own types


def _read_field(table: Table, field: "dataclasses.Field[object]") -> str | tuple[str, ...]:
    if field.default is not dataclasses.MISSING:
        return table.text(field.name)
    if field.type != tuple[str, ...]:
        return table.required(field.name)
    if field.name not in table:
        table.problem(field.name, "is missing")
    elif table.raw(field.name) == []:
        table.problem(field.name, "must not be empty")
    return table.texts(field.name)
