"""Retrains the demand model on the days so far and promotes it, unless it is worse than the one in production."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import rentals
import settings
from outcome import Outcome, Previous

RUN_BY_HAND = Path(".local", "demand", "by-hand")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one training and return the exit code: 0 done, 1 production is unusable, 2 a parameter is wrong."""
    run, production = _folders(arguments, environment)
    days = rentals.load()
    try:
        given = settings.read(environment, days[0].date, days[-1].date)
    except settings.ParameterError as exc:
        return _fail(exc, 2)
    # Imported only now, so that an invalid parameter is reported before scikit-learn is loaded, which takes a while.
    from registry import ProductionError

    try:
        outcome = retrain(given, days, run, production)
    except ProductionError as exc:
        return _fail(exc, 1)
    print(outcome.line())
    return 0


def retrain(given: settings.Settings, days: Sequence[rentals.Day], run: Path, production: Path) -> Outcome:
    """Train on the days before the recent window, measure the old and the new model on it, and keep the results.

    The model that is measured is the one that is promoted. It is not trained again with the window: that model would
    never have been measured, and the next run could not measure it on days that it has not seen.

    Raises:
        ProductionError: The model in production cannot be loaded or measured.
    """
    import forecaster
    import registry

    training = rentals.between(days, days[0].date, given.window_start)
    window = rentals.between(days, given.window_start, given.until)
    old = registry.in_production(production)
    previous = None
    if old is not None:
        before = forecaster.measure(old.estimator, window)
        previous = Previous(run_id=old.run_id, last_day=old.last_day, errors=before)
    new = forecaster.fit(training, max_iter=given.max_iter, learning_rate=given.learning_rate)
    errors = forecaster.measure(new, window)
    outcome = Outcome(settings=given, training=training, window=window, previous=previous, errors=errors)
    registry.save_model(run, new, outcome.card())
    if outcome.promoted:
        registry.promote(run, outcome.card(), production)
    # Last, so that metrics exist only for a complete run.
    registry.save_metrics(run, outcome.metrics())
    return outcome


def _folders(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Path, Path]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help=f"folder of this run (default: RETRAIN_RUN_DIR, or {RUN_BY_HAND})")
    # An option and not a parameter: a trigger must not choose which file is unpickled.
    parser.add_argument("--production", type=Path, help="folder of the model in production (default: beside the run)")
    given = parser.parse_args(arguments)
    run = (given.run or Path(environment.get("RETRAIN_RUN_DIR") or RUN_BY_HAND)).resolve()
    return run, given.production or run.parent / "production"


def _fail(error: Exception, code: int) -> int:
    print(f"train.py: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
