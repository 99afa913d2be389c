"""Keeps models and metrics on disk, writing each file completely or not at all, and the model in production."""

import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import joblib
from rentals import FEATURES
from sklearn.ensemble import HistGradientBoostingRegressor

MODEL = "model.joblib"
CARD = "model.json"
METRICS = "metrics.json"

# The exception that unpickling a damaged or foreign file raises depends on where the damage is.
UNREADABLE = (
    *(pickle.UnpicklingError, OSError, EOFError, ImportError),
    *(AttributeError, LookupError, TypeError, ValueError),
)


class ProductionError(Exception):
    """The model in production cannot be loaded or measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InProduction:
    """The model in production.

    Attributes:
        estimator: Predicts the rentals of a day from its features.
        run_id: The run that trained it, or None.
        last_day: The last day on which it was trained.
    """

    estimator: HistGradientBoostingRegressor
    run_id: str | None
    last_day: date


def save_model(folder: Path, estimator: HistGradientBoostingRegressor, card: Mapping[str, object]) -> None:
    """Write `model.joblib` into *folder*, which is created if it is missing.

    Estimator and card share one file, so that a crash cannot leave a model with the card of another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {"card": dict(card), "estimator": estimator}
    _write_whole(folder / MODEL, lambda path: joblib.dump(content, path))


def save_metrics(folder: Path, metrics: Mapping[str, object]) -> None:
    """Write `metrics.json` into *folder*."""
    _save_json(folder / METRICS, metrics)


def promote(run: Path, card: Mapping[str, object], production: Path) -> None:
    """Put the model of the folder *run* into production, in one step as seen by programs that load it.

    `model.json` is for people and follows the model; the model itself carries the same card.
    """
    production.mkdir(parents=True, exist_ok=True)
    _write_whole(production / MODEL, lambda path: shutil.copyfile(run / MODEL, path))
    _save_json(production / CARD, card)


def in_production(production: Path) -> InProduction | None:
    """Return the model in the folder *production*, or None before the first one is promoted.

    Unpickling runs code, so the folder must never come from a trigger.

    Raises:
        ProductionError: The model was not written by this script, or cannot be measured by it.
    """
    path = production / MODEL
    if not path.exists():
        return None
    try:
        content = joblib.load(path)
        card = content["card"]
        last_day = date.fromisoformat(card["training"]["last_day"])
        known = InProduction(estimator=content["estimator"], run_id=card["run_id"], last_day=last_day)
        features = card["features"]
    except UNREADABLE as exc:
        raise ProductionError(f"{path} cannot be read as a model; move it away to start without one") from exc
    if features != list(FEATURES):
        raise ProductionError(f"{path} expects other features than this script has; move it away to start without one")
    return known


def _save_json(path: Path, content: Mapping[str, object]) -> None:
    text = json.dumps(content, indent=2) + "\n"
    _write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    # In the same folder, because a rename is atomic only within one file system.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
