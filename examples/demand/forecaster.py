"""Trains the demand model, and measures demand models on given days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from outcome import Errors
from rentals import Day
from sklearn.ensemble import HistGradientBoostingRegressor

# Any fixed number works: two trainings on the same days must give the same model.
SEED = 0


def fit(days: Sequence[Day], *, max_iter: int, learning_rate: float) -> HistGradientBoostingRegressor:
    """Return a model trained on *days*: boosted trees, which learn a level but do not extrapolate a trend."""
    model = HistGradientBoostingRegressor(max_iter=max_iter, learning_rate=learning_rate, random_state=SEED)
    return model.fit(_features(days), _counts(days))


def predict(model: HistGradientBoostingRegressor, days: Sequence[Day]) -> list[float]:
    """Return the rentals that *model* predicts for each of *days*."""
    return [float(count) for count in model.predict(_features(days))]


def measure(model: HistGradientBoostingRegressor, days: Sequence[Day]) -> Errors:
    """Return the errors of *model* on *days*."""
    counts = _counts(days)
    misses = np.abs(model.predict(_features(days)) - counts)
    return Errors(mae=float(misses.mean()), mape=float((misses / counts).mean()) * 100)


def _features(days: Sequence[Day]) -> NDArray[np.float64]:
    return np.array([day.features for day in days], dtype=np.float64)


def _counts(days: Sequence[Day]) -> NDArray[np.float64]:
    return np.array([day.count for day in days], dtype=np.float64)
