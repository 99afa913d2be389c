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
        asked = settings.read(environment, days[0].date, days[-1].date)
    except settings.ParameterError as exc:
        return _fail(exc, 2)
    # Only now, because importing scikit-learn takes longer than telling that a parameter is wrong.
    from registry import ProductionError

    try:
        outcome = retrain(asked, days, run, production)
    except ProductionError as exc:
        return _fail(exc, 1)
    print(outcome.line())
    return 0


def retrain(asked: settings.Settings, days: Sequence[rentals.Day], run: Path, production: Path) -> Outcome:
    """Train on the days before the recent window, judge the old and the new model on it, and keep the results.

    The model that is judged is the very one that is promoted. It is not trained once more on the window: then
    nobody would have measured it, and the next run could not judge it on days that it has not seen.

    Raises:
        ProductionError: The model in production cannot be compared with.
    """
    import forecaster
    import registry

    training = rentals.between(days, days[0].date, asked.window_start)
    window = rentals.between(days, asked.window_start, asked.until)
    old = registry.in_production(production)
    previous = None
    if old is not None:
        before = forecaster.measure(old.estimator, window)
        previous = Previous(run_id=old.run_id, last_day=old.last_day, errors=before)
    new = forecaster.fit(training, max_iter=asked.max_iter, learning_rate=asked.learning_rate)
    errors = forecaster.measure(new, window)
    outcome = Outcome(asked=asked, training=training, window=window, previous=previous, errors=errors)
    registry.save_model(run, new, outcome.card())
    if outcome.promoted:
        registry.promote(run, outcome.card(), production)
    # Last, so that metrics exist only for a run that did all they say.
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
