"""The result of one training, as metrics for machines and as a line for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rentals import FEATURES, Day
from settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """The average errors of a model.

    Attributes:
        mae: Mean absolute error, in rentals a day.
        mape: Mean absolute percentage error, in percent.
    """

    mae: float
    mape: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The model that was in production when the training began.

    Attributes:
        run_id: The run that trained it, or None.
        last_day: The last day on which it was trained.
        errors: Its errors on the window of this training.
    """

    run_id: str | None
    last_day: date
    errors: Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A training and its evaluation.

    Attributes:
        settings: The settings of the training.
        training: The days on which the new model was trained.
        window: The later days on which both models were measured.
        previous: The model that was in production, or None.
        errors: The errors of the new model on the window.
    """

    settings: Settings
    training: Sequence[Day]
    window: Sequence[Day]
    previous: Previous | None
    errors: Errors

    @property
    def promoted(self) -> bool:
        """Whether the new model goes into production: there was none, or its absolute error is not larger."""
        # The percentage error does not decide: in it, one hurricane day with 22 rentals outweighs a whole month.
        return self.previous is None or self.errors.mae <= self.previous.errors.mae

    @property
    def reason(self) -> str:
        """Why the new model was promoted or not."""
        if self.previous is None:
            return "no model was in production"
        return f"{'not worse' if self.promoted else 'worse'} than the model in production"

    def card(self) -> dict[str, object]:
        """Return a description of the new model, as plain JSON."""
        return {**_origin(self.settings), "training": _span(self.training), "features": list(FEATURES)}

    def metrics(self) -> dict[str, object]:
        """Return the result of the training, as plain JSON; the same inputs give the same metrics."""
        before = self.previous.errors if self.previous else None
        return {
            **_origin(self.settings),
            "training": _span(self.training),
            "window": _span(self.window),
            "production_before": self._production_before(),
            "mae_before": round(before.mae, 2) if before else None,
            "mae_after": round(self.errors.mae, 2),
            "mape_before": round(before.mape, 2) if before else None,
            "mape_after": round(self.errors.mape, 2),
            "promoted": self.promoted,
            "reason": self.reason,
        }

    def line(self) -> str:
        """Return the result in one line, for people."""
        measured = ([self.previous.errors] if self.previous else []) + [self.errors]
        rentals = " -> ".join(f"{errors.mae:.0f}" for errors in measured)
        percent = " -> ".join(f"{errors.mape:.0f} %" for errors in measured)
        return (
            f"trained on {len(self.training)} days to {self.training[-1].date}; "
            f"mean error from {self.window[0].date} to {self.window[-1].date}: {rentals} rentals a day ({percent}); "
            f"{'promoted' if self.promoted else 'not promoted'}: {self.reason}"
        )

    def _production_before(self) -> dict[str, object] | None:
        if self.previous is None:
            return None
        last_day = self.previous.last_day
        return {
            "run_id": self.previous.run_id,
            "last_training_day": last_day.isoformat(),
            "window_days_seen": sum(day.date <= last_day for day in self.window),
        }


def _origin(settings: Settings) -> Mapping[str, object]:
    return {
        "model_id": settings.model_id,
        "trigger_id": settings.trigger_id,
        "run_id": settings.run_id,
        "parameters": {
            "until": settings.until.isoformat(),
            "recent_days": settings.recent_days,
            "max_iter": settings.max_iter,
            "learning_rate": settings.learning_rate,
        },
    }


def _span(days: Sequence[Day]) -> Mapping[str, object]:
    return {"rows": len(days), "first_day": days[0].date.isoformat(), "last_day": days[-1].date.isoformat()}
