"""Draws dist/bench.json as docs/images/benchmarks.svg; runs in the environment that has Matplotlib."""

import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

ROOT: Final = Path(__file__).parents[1]
OURS, OTHERS, LINE = "#0b7285", "#ced4da", "#495057"
# The functions that are shown together, and what each chart is called.
GROUPS: Final = {
    "AWS receive": ("AWS receive", "boto3 receive"),
    "AWS emit": ("AWS emit", "boto3 emit"),
    "Google Cloud": ("Google receive", "bare functions-framework", "google-cloud-aiplatform"),
    "Azure": ("Azure receive", "bare Azure function", "azure-ai-ml"),
}


def cold_starts(figures: dict[str, Any]) -> Figure:
    """Return the chart of the cold starts."""
    drawing = Figure(figsize=(8, 4.6), layout="constrained")
    axes = drawing.subplots(len(GROUPS), 1, height_ratios=[len(names) for names in GROUPS.values()])
    for axis, (title, names) in zip(axes, GROUPS.items(), strict=True):
        values = [figures[name]["cpu"] * 1e3 for name in names]
        bars = axis.barh(names, values, color=[OURS, *[OTHERS] * (len(names) - 1)], height=0.7)
        axis.bar_label(bars, [f"{value:.0f} ms" for value in values], padding=3, color=LINE, fontsize=8)
        axis.invert_yaxis()
        axis.set_xlim(0, max(values) * 1.15)
        axis.set_title(title, loc="left", fontsize=9, color=LINE)
        axis.tick_params(axis="y", length=0, labelsize=8, labelcolor=LINE)
        axis.set_xticks([])
        axis.spines[["top", "right", "bottom", "left"]].set_visible(False)
    return drawing


def write() -> None:
    """Write the chart."""
    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif"})
    result = json.loads((ROOT / "dist" / "bench.json").read_text(encoding="utf-8"))
    target = ROOT / "docs" / "images" / "cold-starts.svg"
    target.parent.mkdir(exist_ok=True)
    drawing = cold_starts(result["functions"])
    drawing.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    write()
