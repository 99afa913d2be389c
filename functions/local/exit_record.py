"""How the command of a training exited, as `result.json` in its run folder keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from shared.fields import format_time, parse_time
from shared.frozen import dataclass
from shared.ports import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRecord:
    """How a command exited.

    Attributes:
        result: succeeded (exit code 0), failed, or stopped by a person.
        exit_code: as the system reports it, negative for a signal; none if no process was left to receive it.
        ended_at: when it exited, UTC.
        timed_out: whether it was ended because it exceeded `max_run`.
        error: why it failed, for people; empty if it did not.

    """

    result: RunResult
    exit_code: int | None
    ended_at: datetime
    timed_out: bool = False
    error: str = ""

    @property
    def outcome(self) -> RunResult:
        """How the training ended: one that was ended because of `max_run` is gone, and is not retried."""
        return RunResult.GONE if self.timed_out else self.result

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            result=RunResult(content["result"]),
            exit_code=content["exit_code"],
            ended_at=parse_time(content["ended_at"]),
            timed_out=content["timed_out"],
            error=content.get("error", ""),
        )

    def to_json(self) -> dict[str, object]:
        """Return the content of `result.json`."""
        return {
            "result": self.result.value,
            "exit_code": self.exit_code,
            "ended_at": format_time(self.ended_at),
            "timed_out": self.timed_out,
            "error": self.error,
        }
