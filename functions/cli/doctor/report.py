"""Runs checks one after another and reports their results."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TextIO

from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError, CheckWarnedError
from shared.errors import RetrainError

OK: Final = "ok"
FAILED: Final = "FAILED"
SKIPPED: Final = "skipped"
WARNING: Final = "warning"

_COLOURS: Final = {OK: "\x1b[32m", FAILED: "\x1b[31m", SKIPPED: "\x1b[33m", WARNING: "\x1b[33m"}
_RESET: Final = "\x1b[0m"
# Below the name of the check that they belong to.
_INDENT: Final = " " * 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a check.

    Attributes:
        name: the name of the check.
        status: `OK`, `FAILED`, `WARNING` or `SKIPPED`.
        detail: the statement that is true, the problem and what to do about it, or why the check was skipped. Several
            problems are a summary and a line each.

    """

    name: str
    status: str
    detail: str


def examine(check: Check) -> Finding:
    """Run one check; no exception passes."""
    try:
        check.run()
    except CheckSkippedError as skipped:
        return Finding(name=check.name, status=SKIPPED, detail=str(skipped))
    except CheckWarnedError as warning:
        return Finding(name=check.name, status=WARNING, detail=str(warning))
    except (CheckFailedError, RetrainError) as failure:
        return Finding(name=check.name, status=FAILED, detail=_lines(str(failure)))
    except Exception as error:  # noqa: BLE001 - one broken check must not stop the others
        # The text of an unknown error may quote a secret.
        detail = f"the check itself failed unexpectedly ({type(error).__name__}); its precondition is unknown"
        return Finding(name=check.name, status=FAILED, detail=detail)
    return Finding(name=check.name, status=OK, detail=check.about)


def report(checks: Iterable[Check], out: TextIO) -> bool:
    """Write the result of each check as soon as it is known, and return whether none failed."""
    findings = []
    for check in checks:
        finding = examine(check)
        findings.append(finding)
        detail = finding.detail.replace("\n", f"\n{_INDENT}")
        status = f"{finding.status:<8}"
        out.write(f"{_COLOURS[finding.status]}{status}{_RESET}" if out.isatty() else status)
        out.write(f" {finding.name}: {detail}\n")
        # Checks take time: show the progress.
        out.flush()
    out.write(f"{_count(findings)}\n")
    return _is_fine(findings)


def report_json(checks: Iterable[Check], cloud: str, out: TextIO) -> bool:
    """Write one JSON object after all checks have run, and return whether none failed."""
    findings = [examine(check) for check in checks]
    content = {"cloud": cloud, "ok": _is_fine(findings), "checks": [asdict(finding) for finding in findings]}
    out.write(f"{json.dumps(content, indent=2)}\n")
    return _is_fine(findings)


def _is_fine(findings: Sequence[Finding]) -> bool:
    return all(finding.status != FAILED for finding in findings)


def _count(findings: Sequence[Finding]) -> str:
    kinds = (OK, FAILED, SKIPPED, WARNING)
    counts = {status: sum(finding.status == status for finding in findings) for status in kinds}
    warned = f", {counts[WARNING]} with a warning" if counts[WARNING] else ""
    return f"{counts[OK]} ok, {counts[FAILED]} failed, {counts[SKIPPED]} skipped{warned}"


def _lines(text: str) -> str:
    """Return a text with a summary and several problems as one line each; a single problem joins the summary."""
    first, *others = (line.strip() for line in text.splitlines() if line.strip())
    return f"{first}: {others[0]}" if len(others) == 1 else "\n".join([first, *others])
