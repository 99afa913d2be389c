"""The output of the demo."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table

WIDTH = 34


class Report:
    """Prints the story, and records whether every claim is true."""

    def __init__(self, console: Console) -> None:
        """Print to *console*."""
        self._console = console
        self.came_true = True

    def act(self, title: str) -> None:
        """Begin a chapter."""
        self._console.print(Rule(f"[bold]{title}", align="left"))

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text)

    def claim(self, text: str, *, true: bool) -> None:
        """Print a claim, and whether it is true."""
        self.came_true = self.came_true and true
        mark = "[bold green]yes[/]" if true else "[bold red]NO [/]"
        self._console.print(f"  {mark}  {text}")

    def decisions(self, title: str, model: Mapping[str, Any]) -> None:
        """Show a model's history, oldest first."""
        table = Table(title=title, title_justify="left")
        for column in ("at", "trigger", "decision", "reason", "detail"):
            table.add_column(column, overflow="fold")
        for decided in reversed(model["decisions"]):
            shown = decided["trigger_id"]
            short = shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 3]}..."
            table.add_row(decided["at"][11:19], short, decided["decision"], decided["reason"], decided["detail"])
        self._console.print(table)

    def trainings(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        """Show every training, with the errors of the model before it and of the new one."""
        table = Table(
            title="Trainings (mean absolute error on the last 28 days, in rentals per day)", title_justify="left"
        )
        for column in ("trigger", "data until", "error before", "error after", "promoted"):
            table.add_column(column, overflow="fold")
        for training in metrics:
            before, after = training["mae_before"], training["mae_after"]
            promoted = "yes" if training["promoted"] else f"no: {training['reason']}"
            row = (
                str(training["trigger_id"]),
                training["parameters"]["until"],
                f"{before:.0f}",
                f"{after:.0f}",
                promoted,
            )
            table.add_row(*row)
        self._console.print(table)
