"""Runs checks one after the other, and tells what came out."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TextIO

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from shared.errors import RetrainError

OK: Final = "ok"
FAILED: Final = "FAILED"
SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came out of a check.

    Attributes:
        name: that of the check.
        status: `OK`, `FAILED` or `SKIPPED`.
        detail: what holds, what is wrong and what to do about it, or why it was not checked.

    """

    name: str
    status: str
    detail: str


def examine(check: Check) -> Finding:
    """Run one check, whatever happens in it."""
    try:
        check.run()
    except CheckSkippedError as skipped:
        return Finding(name=check.name, status=SKIPPED, detail=str(skipped))
    except (CheckFailedError, RetrainError) as failure:
        return Finding(name=check.name, status=FAILED, detail=_line(str(failure)))
    except Exception as error:  # noqa: BLE001 - a check that breaks must not keep the others from being run
        # Not its text: nobody knows what it quotes.
        detail = f"the check itself broke ({type(error).__name__}); nothing is known about this"
        return Finding(name=check.name, status=FAILED, detail=detail)
    return Finding(name=check.name, status=OK, detail=check.about)


def report(checks: Iterable[Check], out: TextIO) -> bool:
    """Write a line for each check as soon as it has run, and return whether none failed."""
    findings = []
    for check in checks:
        findings.append(examine(check))
        finding = findings[-1]
        out.write(f"{finding.status:<8} {finding.name}: {finding.detail}\n")
        # Checks take their time; whoever waits wants to see how far they are.
        out.flush()
    out.write(f"{_count(findings)}\n")
    return _is_fine(findings)


def report_json(checks: Iterable[Check], cloud: str, out: TextIO) -> bool:
    """Write one JSON object when all checks have run, and return whether none failed."""
    findings = [examine(check) for check in checks]
    content = {"cloud": cloud, "ok": _is_fine(findings), "checks": [asdict(finding) for finding in findings]}
    out.write(f"{json.dumps(content, indent=2)}\n")
    return _is_fine(findings)


def _is_fine(findings: Sequence[Finding]) -> bool:
    return all(finding.status != FAILED for finding in findings)


def _count(findings: Sequence[Finding]) -> str:
    counts = {status: sum(finding.status == status for finding in findings) for status in (OK, FAILED, SKIPPED)}
    return f"{counts[OK]} ok, {counts[FAILED]} failed, {counts[SKIPPED]} skipped"


def _line(text: str) -> str:
    """Return a text of several lines, such as the list of a configuration's problems, as one."""
    first, *others = (line.strip() for line in text.splitlines() if line.strip())
    return f"{first}: {'; '.join(others)}" if others else first
