"""Writes days with what the model in production predicts for them, as a service that logs its predictions does."""

import argparse
import csv
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import rentals

PREDICTION = "predicted"


def main(arguments: Sequence[str]) -> int:
    """Write the file as *arguments* say and return the exit code: 0 done, 1 production is unusable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--production", type=Path, required=True, help="folder of the model in production")
    parser.add_argument("--first", type=date.fromisoformat, required=True, help="the first day")
    parser.add_argument("--until", type=date.fromisoformat, required=True, help="the day after the last one")
    parser.add_argument("--output", type=Path, required=True, help="the CSV file to write")
    given = parser.parse_args(arguments)
    import forecaster
    import registry

    try:
        model = registry.in_production(given.production)
    except registry.ProductionError as exc:
        print(f"score.py: {exc}", file=sys.stderr)
        return 1
    if model is None:
        print(f"score.py: no model is in {given.production}", file=sys.stderr)
        return 1
    days = rentals.between(rentals.load(), given.first, given.until)
    predictions = dict(zip((day.date for day in days), forecaster.predict(model.estimator, days), strict=True))
    _write(given.output, predictions)
    return 0


def _write(path: Path, predictions: dict[date, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        rentals.DATA.open(encoding="utf-8", newline="") as source,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        reader = csv.DictReader(source)
        writer = csv.DictWriter(file, [*(reader.fieldnames or []), PREDICTION])
        writer.writeheader()
        for row in reader:
            day = date.fromisoformat(row["dteday"])
            if day in predictions:
                writer.writerow({**row, PREDICTION: round(predictions[day], 1)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
