"""docs/faults.md has the fault matrix of `make faults`, with every scenario and no fault of ours."""

from pathlib import Path

from tests.contracts.fault_report import SITES, results, table
from tests.contracts.fault_scenarios import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def test_the_page_has_every_scenario() -> None:
    """The rows are the scenarios with their right number, the columns the clouds and the usual functions."""
    text = PAGE.read_text(encoding="utf-8")
    matrix = text.partition("<!-- begin: make faults -->\n")[2].partition("<!-- end")[0]
    head, _, *rows = [line.strip("| ").split(" | ") for line in matrix.splitlines()]
    assert head == ["what happens", "right", *SITES.values()]
    assert [(name, right) for name, right, *_ in rows] == [(each.name, str(each.right)) for each in SCENARIOS]
    assert not any("**" in cell for row in rows for cell in row[2:6])


def test_a_wrong_number_is_bold() -> None:
    """The table marks trainings that are too many, and triggers that are lost."""
    report = '<testsuites><property name="fault" value="aws|0|3|3|1|2"/></testsuites>'
    row = table(results(report)).splitlines()[2]
    assert row.startswith("| an event is delivered three times | 1 | **3** (3 ack, **1 lost**, 2 kept) | - |")
