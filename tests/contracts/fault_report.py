"""`make faults`: writes the results of the fault matrix, a JUnit report, into docs/faults.md."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.contracts.fault_scenarios import SCENARIOS, Scenario

PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- begin: make faults -->\n", "<!-- end: make faults -->\n"
SITES: Final = {
    "aws": "AWS",
    "gcp": "Google",
    "azure": "Azure",
    "local": "this machine",
    "naive": "usual function",
    "token": "usual function with a token",
}
# Trainings, acknowledged deliveries, triggers that are lost, dead letters.
Result = tuple[int, int, int, int]


def results(report: str) -> dict[tuple[str, int], Result]:
    """Return the results in a JUnit *report*, by site and number of the scenario."""
    found = {}
    for property_ in ET.fromstring(report).iter("property"):  # noqa: S314 - pytest has written it
        if property_.get("name") == "fault":
            site, scenario, trainings, acknowledged, lost, letters = property_.get("value", "").split("|")
            found[site, int(scenario)] = (int(trainings), int(acknowledged), int(lost), int(letters))
    return found


def table(found: Mapping[tuple[str, int], Result]) -> str:
    """Return the matrix in Markdown; what is wrong is bold."""
    lines = [
        f"| what happens | right | {' | '.join(SITES.values())} |",
        f"| --- | --- |{' --- |' * len(SITES)}",
    ]
    for number, scenario in enumerate(SCENARIOS):
        cells = [_cell(scenario, found.get((site, number))) for site in SITES]
        lines.append(f"| {scenario.name} | {scenario.right} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(scenario: Scenario, result: Result | None) -> str:
    if result is None:
        return "-"
    trainings, acknowledged, lost, letters = result
    shown = str(trainings) if trainings == scenario.right else f"**{trainings}**"
    notes = [f"{acknowledged} ack"]
    if lost:
        notes.append(f"**{lost} lost**")
    if letters:
        notes.append(f"{letters} kept")
    return f"{shown} ({', '.join(notes)})"


def main(arguments: Sequence[str]) -> int:
    """Read the report that *arguments* name, print the matrix, and write it to the page."""
    text = table(results(Path(arguments[0]).read_text(encoding="utf-8")))
    sys.stdout.write(text)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
