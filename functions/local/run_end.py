"""How a training on this machine ended: the value in its run folder and the event on the bus."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from shared.fields import format_time, parse_time
from shared.frozen import dataclass
from shared.ports import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a command ended.

    Attributes:
        result: succeeded (exit code 0), failed, or stopped by a person.
        exit_code: as the system tells it, negative for a signal; none where nobody was there to see it.
        ended_at: when, UTC.
        timed_out: it was ended because it ran longer than it may.

    """

    result: RunResult
    exit_code: int | None
    ended_at: datetime
    timed_out: bool = False

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            result=RunResult(content["result"]),
            exit_code=content["exit_code"],
            ended_at=parse_time(content["ended_at"]),
            timed_out=content["timed_out"],
        )

    def to_json(self) -> dict[str, object]:
        """Return the content of `result.json`."""
        return {
            "result": self.result.value,
            "exit_code": self.exit_code,
            "ended_at": format_time(self.ended_at),
            "timed_out": self.timed_out,
        }
