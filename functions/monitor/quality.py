"""Quality: how good the predictions are, by Evidently's metrics, on the current data and on the reference."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from functions.monitor.data.dataset import DataSet, most_rows, take_sample
from functions.monitor.data.engine import Engine
from functions.monitor.data.readings import FLAG, NUMBER, ReadSample, read_values
from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.evidently_report import FAILURES, named, quiet
from functions.monitor.untyped import Frame
from shared.config.drift import DriftCheck
from shared.config.quality import OF_PROBABILITIES, REGRESSION, QualityCheck

TARGET: Final = "target"
PREDICTION: Final = "prediction"
_COLUMNS: Final = (TARGET, PREDICTION)
_TWO: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The performance of a model.

    Attributes:
        metric: as in the configuration.
        reference: its value on the reference; none where that has no predictions, and a limit counts.
        current: its value on the current data; none where it is not known yet.
        limit: the value that is allowed at worst, where it is configured.
        max_drop: the loss that is allowed, as a share of the reference's value, where it is configured.
        drop: the loss; below 0: a gain.
        worse: whether it is more than is allowed.
        severity: how much, if the model has steps for it.
        rows: how many predictions were judged.
        unknown: why it is not known, or an empty text.
        identity: changes when the labels do; empty where they are beside the predictions.

    """

    metric: str
    reference: float | None = None
    current: float | None = None
    limit: float | None = None
    max_drop: float | None = None
    drop: float = 0.0
    worse: bool = False
    severity: str | None = None
    rows: int = 0
    unknown: str = ""
    identity: str = ""

    def summary(self) -> str:
        """Return one line for people."""
        if self.current is None:
            return f"{self.metric} is not known: {self.unknown}"
        if self.limit is not None:
            before = "" if self.reference is None else f"; {self.reference:.4g} on the reference"
            return f"{self.metric} is {self.current:.4g} (limit {self.limit:.4g}{before})"
        direction = f"{abs(self.drop):.0%} {'worse' if self.drop > 0 else 'better'}"
        allowed = f"{self.max_drop or 0:.0%} worse is allowed"
        return f"{self.metric} is {self.current:.4g}, on the reference {self.reference:.4g} ({direction}, {allowed})"

    def document(self) -> dict[str, object]:
        """Return it as plain JSON."""
        known = {
            "reference": self.reference,
            "current": self.current,
            "limit": self.limit,
            "max_drop": self.max_drop,
            "drop": self.drop if math.isfinite(self.drop) else None,
            "severity": self.severity,
            "unknown": self.unknown,
        }
        status = "unknown" if self.current is None else "worse" if self.worse else "as_before"
        shown = {name: value for name, value in known.items() if value not in (None, "")}
        return {"metric": self.metric, "status": status, **shown, "rows": self.rows}


def check_quality(check: DriftCheck, quality: QualityCheck, day: date, storage: Storage) -> Quality:
    """Judge the predictions of a model.

    Where the current data, or their labels, are not there yet the quality is unknown, and no error: labels come late.

    Args:
        check: says where the data are, and which columns hold target and prediction.
        quality: how they are judged.
        day: the day of the check, UTC.
        storage: reads the data.

    Raises:
        UnusableDataError: the data are damaged, or the reference lacks what is needed.
        UnavailableError: a storage is away.

    """
    known = Quality(metric=quality.metric, limit=quality.limit, max_drop=quality.max_drop)
    with closing(Engine(storage)) as engine:
        try:
            current = _current(check, quality, day, storage, engine)
        except _NotYetError as error:
            return replace(known, unknown=str(error))
        reference = DataSet.at(check.reference, "reference", storage, engine)
        known_before = _has_predictions(check, reference)
        if not known_before and quality.limit is None:
            names = f"{check.target!r} and {check.prediction!r}"
            raise UnusableDataError(f"{reference.described()} need the columns {names}; or set a limit of quality")
        first = reference.selection((check.target, check.prediction)) if known_before else current.query
        queries = first, current.query
        limit = most_rows(check.max_rows, len(_COLUMNS))
        samples = [
            take_sample(engine, side, _COLUMNS, query, limit)
            for side, query in zip(("reference", "current"), queries, strict=True)
        ]
        if not (samples[0].taken and samples[1].taken):
            return replace(known, unknown="no row has both target and prediction", identity=current.identity)
        least = check.least_rows(samples[0].taken)
        read = read_values(engine, *samples)
        frames = [_frame(engine, quality, sample) for sample in read]
    if len(frames[1]) < least:
        why = f"{len(frames[1]):,} rows have target and prediction, and {least:,} are needed (min_rows)"
        return replace(known, unknown=why, identity=current.identity)
    # The import of Evidently warns, too.
    with quiet():
        judge = _judge(quality, frames[0])
        value = judge(frames[1])
        base = judge(frames[0]) if known_before else None
    drop = quality.drop(base, value)
    worse = quality.is_loss(drop)
    return replace(
        known,
        reference=base,
        current=value,
        drop=drop,
        worse=worse,
        severity=quality.severity_of(drop) if worse else None,
        rows=len(frames[1]),
        identity=current.identity,
    )


class _NotYetError(Exception):
    """The labels are not there yet; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Current:
    """The current predictions beside their labels.

    Attributes:
        query: target and prediction, as SQL.
        identity: changes when the data do, if they are not the data of the drift check.

    """

    query: str
    identity: str


def _current(check: DriftCheck, quality: QualityCheck, day: date, storage: Storage, engine: Engine) -> _Current:
    address = check.current_on(quality.data_day(day))
    data = DataSet.at(address, "current", storage, engine)
    if not quality.labels:
        missing = [name for name in (check.target, check.prediction) if data.columns.get(name) != ""]
        if missing:
            raise _NotYetError(f"{data.described()} have no column {missing[0]!r}")
        identity = data.identity if quality.delay else ""
        return _Current(query=data.selection((check.target, check.prediction)), identity=identity)
    try:
        labels = DataSet.at(quality.labels_on(day), "labels", storage, engine)
    except UnusableDataError as error:
        raise _NotYetError(str(error)) from error
    for side, columns in ((data, (quality.key, check.prediction)), (labels, (quality.key, check.target))):
        lacking = [name for name in columns if side.columns.get(name) != ""]
        if lacking:
            raise UnusableDataError(f"{side.described()} have no column {lacking[0]!r}, which quality needs")
    predictions, truths = data.selection((quality.key, check.prediction)), labels.selection((quality.key, check.target))
    # As texts, since one of the two may be CSV.
    query = (
        f"SELECT truths.c1 AS c0, predictions.c1 AS c1 FROM ({predictions}) predictions "  # noqa: S608 - our own
        f"JOIN ({truths}) truths ON trim(predictions.c0::VARCHAR) = trim(truths.c0::VARCHAR)"
    )
    return _Current(query=query, identity=f"{data.identity}\n{labels.identity}")


def _has_predictions(check: DriftCheck, reference: DataSet) -> bool:
    return all(reference.columns.get(name) == "" for name in (check.target, check.prediction))


def _frame(engine: Engine, quality: QualityCheck, sample: ReadSample) -> Frame:
    columns = [f"{_expression(quality, sample, place)} AS {name}" for place, name in enumerate(_COLUMNS)]
    query = f"SELECT {', '.join(columns)} FROM {sample.table} WHERE c0 IS NOT NULL AND c1 IS NOT NULL"  # noqa: S608 - our own
    return engine.frame(query)


def _expression(quality: QualityCheck, sample: ReadSample, place: int) -> str:
    name, column = _COLUMNS[place], f"c{place}"
    kind = sample.values[name].kind
    if quality.metric in REGRESSION or (quality.metric in OF_PROBABILITIES and name == PREDICTION):
        if kind not in (NUMBER, ""):
            raise UnusableDataError(f"{name}: does not hold numbers, which {quality.metric} needs")
        return f"{column}::DOUBLE"
    # Classes are compared as texts. 1, 1.0 and true are the same one, however a file spells it.
    if kind == FLAG:
        return f"{column}::INTEGER::VARCHAR"
    if kind == NUMBER:
        return f"CASE WHEN {column} = floor({column}) THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
    return f"{column}::VARCHAR"


def _judge(quality: QualityCheck, reference: Frame) -> Callable[[Frame], float]:
    if quality.metric in REGRESSION:
        return lambda frame: _measure(quality, frame, "regression", _regression())
    classes = sorted(set(reference[TARGET]))
    if len(classes) > _TWO and quality.metric not in OF_PROBABILITIES:
        return lambda frame: _measure(quality, frame, "classification", _multiclass())
    positive = _positive(quality, classes)
    return lambda frame: _measure(quality, _as_flags(quality, frame, positive), "classification", _binary(quality))


def _positive(quality: QualityCheck, classes: Sequence[str]) -> str:
    wanted = {quality.positive, "1"} if quality.positive.lower() == "true" else {quality.positive}
    if quality.positive:
        found = next((name for name in classes if name in wanted), None)
        if found is None:
            raise UnusableDataError(
                f"positive: {quality.positive!r} is not among the values of the target: {classes[:10]}"
            )
        return found
    return next((name for name in classes if name == "1"), classes[-1])


def _measure(quality: QualityCheck, frame: Frame, task: str, definition: Any) -> float:  # noqa: ANN401 - Evidently's own
    # Not at the top: the import takes seconds.
    from evidently import DataDefinition, Dataset, Report, metrics

    kind = {
        "mae": metrics.MAE,
        "rmse": metrics.RMSE,
        "mape": metrics.MAPE,
        "r2": metrics.R2Score,
        "accuracy": metrics.Accuracy,
        "precision": metrics.Precision,
        "recall": metrics.Recall,
        "f1": metrics.F1Score,
        "roc_auc": metrics.RocAuc,
        "log_loss": metrics.LogLoss,
    }[quality.metric]
    try:
        data = Dataset.from_pandas(frame, data_definition=DataDefinition(**{task: [definition]}))
        found: Mapping[str, Any] = Report([kind()]).run(data, None).dict()
    except FAILURES as error:
        raise UnusableDataError(f"Evidently cannot compute {quality.metric}: {named(error)}") from error
    value = found["metrics"][0]["value"]
    number = float(value["mean"] if isinstance(value, Mapping) else value)
    if not math.isfinite(number):
        raise UnusableDataError(f"Evidently finds no value of {quality.metric} for these data")
    return number


def _regression() -> Any:  # noqa: ANN401 - Evidently's own
    from evidently import Regression

    return Regression(target=TARGET, prediction=PREDICTION)


def _binary(quality: QualityCheck) -> Any:  # noqa: ANN401 - Evidently's own
    from evidently import BinaryClassification

    if quality.metric in OF_PROBABILITIES:
        return BinaryClassification(target=TARGET, prediction_probas=PREDICTION, pos_label=1)
    return BinaryClassification(target=TARGET, prediction_labels=PREDICTION, pos_label=1)


def _multiclass() -> Any:  # noqa: ANN401 - Evidently's own
    from evidently import MulticlassClassification

    return MulticlassClassification(target=TARGET, prediction_labels=PREDICTION)


def _as_flags(quality: QualityCheck, frame: Frame, positive: str) -> Frame:
    flags = frame.copy()
    for column in (TARGET,) if quality.metric in OF_PROBABILITIES else _COLUMNS:
        flags[column] = (frame[column] == positive).astype(int)
    return flags
