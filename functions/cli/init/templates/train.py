"""An example of a training: how far a car rolls before it stops, from its speed.

It fits the curve a*speed + b*speed^2 by gradient descent, with the standard library only, and stores the model if it
beats the mean. Replace it by your own program; the exit code 0 means success.
"""

import json
import os
from pathlib import Path

# Speed in mph, distance in ft (M. Ezekiel, Methods of Correlation Analysis, 1930; the data set `cars` of R).
SPEEDS = """4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17 17 18 18 18 18 19 19 19
20 20 20 20 20 22 23 24 24 24 24 25"""
DISTANCES = """2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32 40 50 42 56 76 84 36
46 68 32 48 52 56 64 66 54 70 92 93 120 85"""


def predict(weights: list[float], speed: float) -> float:
    """Return the distance in ft at *speed* in mph."""
    return weights[0] * speed / 25 + weights[1] * (speed / 25) ** 2


def fit(rows: list[tuple[float, float]], epochs: int, learning_rate: float) -> list[float]:
    """Return the weights after *epochs* steps of gradient descent."""
    weights = [0.0, 0.0]
    for _ in range(epochs):
        errors = [(predict(weights, speed) - distance, speed / 25) for speed, distance in rows]
        weights[0] -= learning_rate * sum(error * scaled for error, scaled in errors) / len(rows)
        weights[1] -= learning_rate * sum(error * scaled**2 for error, scaled in errors) / len(rows)
    return weights


def mean_error(distances: list[float], predictions: list[float]) -> float:
    """Return the mean absolute error in ft."""
    return sum(abs(a - b) for a, b in zip(distances, predictions, strict=True)) / len(distances)


def main() -> None:
    """Train with the parameters of the trigger and store the model in the folder of this run."""
    epochs = int(os.environ.get("RETRAIN_PARAM_EPOCHS", "2000"))
    learning_rate = float(os.environ.get("RETRAIN_PARAM_LEARNING_RATE", "0.5"))
    rows = list(zip(map(float, SPEEDS.split()), map(float, DISTANCES.split()), strict=True))
    # Every fourth car is for the test.
    training, test = [row for i, row in enumerate(rows) if i % 4], rows[::4]
    weights = fit(training, epochs, learning_rate)
    distances = [distance for _, distance in test]
    mean = sum(distance for _, distance in training) / len(training)
    error = mean_error(distances, [predict(weights, speed) for speed, _ in test])
    baseline = mean_error(distances, [mean] * len(test))
    print(f"{epochs} epochs on {len(training)} cars: mean error {error:.1f} ft, of the mean {baseline:.1f} ft")
    if error >= baseline:
        raise SystemExit("the model is worse than the mean, so it is not stored")
    folder = Path(os.environ.get("RETRAIN_RUN_DIR", "."))
    (folder / "model.json").write_text(json.dumps({"weights": weights, "mean_error_ft": round(error, 2)}))


if __name__ == "__main__":
    main()
