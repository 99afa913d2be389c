"""The jobs of one workspace: which there are, how they change, and which requests are valid."""

import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from emulators.arm.checks import check
from emulators.arm.problems import ArmError, Json, user_error

CANCEL_REQUESTED: Final = "CancelRequested"
FINAL: Final = frozenset({"Completed", "Failed", "Canceled"})
# Specification of the resource provider, parameter `id` of Jobs_CreateOrUpdate.
NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
# Error text of the service: "Only description, tags, displayName, properties, and isArchived can be updated."
MUTABLE: Final = frozenset({"description", "tags", "displayName", "properties", "isArchived"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A registered pipeline component, and how its jobs end.

    Attributes:
        inputs: the names of the inputs that it declares; None: any input is valid.
        command: run as a subprocess for each job, inputs in `RETRAIN_PARAM_<NAME>`; its exit code decides between
            Completed and Failed. Without a command, a job lasts until `ArmStandIn.end` is called.

    """

    inputs: Collection[str] | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job at one moment.

    Attributes:
        name: unique in the workspace, case-sensitive.
        properties: the properties in the request that created it, updated by later requests.
        status: the status as the service names it.
        started: when it was created.
        modified: when its status last changed.
        puts: the number of PUT requests for it, including those whose answer was lost.
        error: why it failed.

    """

    name: str
    properties: Mapping[str, Any]
    status: str
    started: datetime
    modified: datetime
    puts: int = 1
    error: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags, as last updated."""
        return dict(self.properties.get("tags") or {})

    @property
    def inputs(self) -> dict[str, str]:
        """The values of the literal inputs by name, and the addresses of the others."""
        given = self.properties.get("inputs") or {}
        return {name: each.get("value", each.get("uri", "")) for name, each in given.items()}

    @property
    def force_rerun(self) -> bool:
        """Whether outputs of an equal run must not be reused."""
        return (self.properties.get("settings") or {}).get("force_rerun") is True


class Jobs:
    """All jobs of one workspace. Safe to use from several threads.

    Args:
        components: by resource id.
        clock: returns the time, aware.
        taken: the status of the answer to a request that reuses the name of another job.

    """

    def __init__(self, components: Mapping[str, Component], clock: Callable[[], datetime], taken: int = 400) -> None:
        self._components = {identifier.lower(): component for identifier, component in components.items()}
        self._clock = clock
        self._taken = taken
        self._lock = threading.Lock()
        self._by_name: dict[str, Job] = {}

    def component(self, properties: Mapping[str, Any]) -> Component:
        """Return the component that a job's properties name.

        Raises:
            ArmError: there is no such component; 404.

        """
        identifier = str(properties["componentId"])
        # Resource ids are compared without regard to case.
        component = self._components.get(identifier.lower())
        if component is None:
            raise user_error(404, f"The component {identifier} was not found.", "NotFound", "ResourceNotFound")
        return component

    def put(self, name: str, properties: Json) -> tuple[Job, bool]:
        """Create a job, or update the mutable properties of the job with this name.

        Returns:
            The job, and whether it is new.

        Raises:
            ArmError: the request is invalid, or changes properties of the job that cannot be changed.

        """
        if not NAME.fullmatch(name):
            raise user_error(400, f"The job name {name!r} must match {NAME.pattern}.", "BadArgument")
        check(properties, self.component(properties).inputs)
        with self._lock:
            old = self._by_name.get(name)
            now = self._clock()
            if old is None:
                job = Job(name=name, properties=properties, status="Running", started=now, modified=now)
            else:
                _unchanged(old.properties, properties, self._taken)
                job = replace(old, properties=dict(old.properties) | properties, puts=old.puts + 1)
            self._by_name[name] = job
            return job, old is None

    def would_reuse(self, job: Job) -> bool:
        """Whether a job reuses the outputs of an earlier job with the same component and inputs, instead of running."""

        def work_of(each: Job) -> object:
            return each.properties["componentId"], each.properties.get("inputs")

        return not job.force_rerun and any(
            each.name != job.name and each.status == "Completed" and work_of(each) == work_of(job)
            for each in self.all()
        )

    def get(self, name: str) -> Job:
        """Return one job.

        Raises:
            ArmError: there is no such job; 404.

        """
        with self._lock:
            if name not in self._by_name:
                raise user_error(404, f"Job {name} not found.", "NotFound", "JobNotFound")
            return self._by_name[name]

    def change(self, name: str, status: str, error: str = "") -> Job | None:
        """Set the status of a job and return the job; None if it had ended before."""
        with self._lock:
            old = self._by_name[name]
            if old.status in FINAL:
                return None
            self._by_name[name] = replace(old, status=status, error=error, modified=self._clock())
            return self._by_name[name]

    def all(self) -> list[Job]:
        """Return every job, oldest first."""
        with self._lock:
            return list(self._by_name.values())


def _unchanged(old: Mapping[str, Any], new: Mapping[str, Any], status: int) -> None:
    changed = sorted(
        name for name in old.keys() | new.keys() - MUTABLE if name not in MUTABLE and old.get(name) != new.get(name)
    )
    if changed:
        named = ", ".join(f" {name[0].upper()}{name[1:]}" for name in changed)
        message = (
            "A job with this name already exists. If you are trying to create a new job, use a different name. If you "
            f"are trying to update an existing job, the existing job's{named} cannot be changed. Only description, "
            "tags, displayName, properties, and isArchived can be updated."
        )
        code = "Conflict" if status == 409 else "UserError"
        raise ArmError(status, code, message, ("Immutable", "JobPropertyImmutable"))
