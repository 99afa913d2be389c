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
_OF_POSITIVES: Final = ("precision", "recall", "f1")
# Predictions may be of classes that the labels do not have yet, but most of them are not.
_MOST_UNKNOWN: Final = 0.5
# As texts, since predictions or labels may be CSV, without the fraction that pandas adds to whole numbers among nulls.
_KEY: Final = r"regexp_replace(trim(c0::VARCHAR), '^([-+]?\d+)\.0+$', '\1')"


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
            return replace(known, unknown=current.without_rows, identity=current.identity)
        least = check.least_rows(samples[0].taken)
        read = read_values(engine, *samples, named=_COLUMNS)
        frames = [_frame(engine, quality, sample) for sample in read]
    if len(frames[1]) < least:
        why = f"{len(frames[1]):,} rows have target and prediction, and {least:,} are needed (min_rows)"
        return replace(known, unknown=why, identity=current.identity)
    # The import of Evidently warns, too.
    with quiet():
        judge = _judge(quality, frames if known_before else frames[1:])
        why = judge.why_undefined(frames[1])
        if why:
            return replace(known, unknown=f"in the current data {why}", identity=current.identity)
        if known_before and (why := judge.why_undefined(frames[0])):
            raise UnusableDataError(f"{reference.described()}: {quality.metric} is not defined: {why}")
        value = judge.value(frames[1])
        base = judge.value(frames[0]) if known_before else None
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
        without_rows: what is missing if the query has no rows, for people.

    """

    query: str
    identity: str
    without_rows: str = "no row has both target and prediction"


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
    engine.run(
        f"CREATE TABLE truths AS SELECT DISTINCT {_KEY} AS key, c1 AS target FROM ({truths}) "  # noqa: S608 - our own
        "WHERE key <> '' AND c1 IS NOT NULL"
    )
    (repeated,) = engine.row("SELECT count(*) - count(DISTINCT key) FROM truths")
    if repeated:
        raise UnusableDataError(
            f"{labels.described()}: {repeated:,} values of the key {quality.key!r} occur again with another "
            f"{check.target!r}; keep one row for each"
        )
    query = (
        f"SELECT target AS c0, predictions.c1 AS c1 FROM ({predictions}) predictions "  # noqa: S608 - our own
        f"JOIN truths ON {_KEY} = key"
    )
    identity = f"{data.identity}\n{labels.identity}"
    return _Current(query=query, identity=identity, without_rows="none of the labels has the key of a prediction")


def _has_predictions(check: DriftCheck, reference: DataSet) -> bool:
    return all(reference.columns.get(name) == "" for name in (check.target, check.prediction))


def _frame(engine: Engine, quality: QualityCheck, sample: ReadSample) -> Frame:
    columns = [f"{_expression(quality, sample, place)} AS {name}" for place, name in enumerate(_COLUMNS)]
    query = f"SELECT {', '.join(columns)} FROM {sample.table} WHERE c0 IS NOT NULL AND c1 IS NOT NULL"  # noqa: S608 - our own
    frame = engine.frame(query)
    if quality.metric in REGRESSION:
        # Evidently leaves out rows with infinite numbers, too.
        frame = frame[frame.abs().max(axis=1) < math.inf]
    return frame


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """A way to measure the quality.

    Attributes:
        value: returns the value of the metric for target and prediction.
        why_undefined: returns why the metric means nothing for them, or an empty text.

    """

    value: Callable[[Frame], float]
    why_undefined: Callable[[Frame], str]


def _judge(quality: QualityCheck, frames: Sequence[Frame]) -> _Judge:
    if quality.metric in REGRESSION:
        constant = quality.metric == "r2"
        return _Judge(
            value=lambda frame: _measure(quality, frame, "regression", _regression()),
            why_undefined=lambda frame: "all true values are equal" if constant and _is_constant(frame) else "",
        )
    classes = sorted({name for frame in frames for name in frame[TARGET].unique()})
    _check_predictions(quality, frames, classes)
    several = len(classes) > _TWO
    if several and quality.metric in OF_PROBABILITIES and not quality.positive:
        raise UnusableDataError(
            f"the target has {len(classes)} classes, and {quality.metric} is of two: name one of them in `positive`"
        )
    if several and (quality.metric == "accuracy" or not quality.positive):
        return _Judge(value=lambda frame: _of_several(quality, frame), why_undefined=lambda _frame: "")
    positive = _positive(quality, classes)
    return _Judge(
        value=lambda frame: _of_two(quality, frame, positive),
        why_undefined=lambda frame: _why_not_of_two(quality, frame, positive),
    )


def _check_predictions(quality: QualityCheck, frames: Sequence[Frame], classes: Sequence[str]) -> None:
    if quality.metric in OF_PROBABILITIES:
        return
    for side, frame in zip(("reference", "current")[-len(frames) :], frames, strict=True):
        if not frame[PREDICTION].isin(classes).mean() > 1 - _MOST_UNKNOWN:
            raise UnusableDataError(
                f"prediction: at least half of the values in the {side} data are not classes of the target; "
                f"{quality.metric} needs predicted classes in the same spelling ({', '.join(OF_PROBABILITIES)}: "
                "probabilities)"
            )


def _is_constant(frame: Frame) -> bool:
    return bool(frame[TARGET].nunique() == 1)


def _why_not_of_two(quality: QualityCheck, frame: Frame, positive: str) -> str:
    found = (frame[TARGET] == positive).mean()
    if quality.metric in _OF_POSITIVES and not found:
        return f"no row is of the class {positive!r}"
    if quality.metric == "roc_auc" and found in (0, 1):
        return "all rows are of one class"
    return ""


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


def _of_two(quality: QualityCheck, frame: Frame, positive: str) -> float:
    return _measure(quality, _as_flags(quality, frame, positive), "classification", _binary(quality))


def _of_several(quality: QualityCheck, frame: Frame) -> float:
    found = sorted({*frame[TARGET].unique(), *frame[PREDICTION].unique()})
    if len(found) > _TWO:
        return _measure(quality, frame, "classification", _multiclass())
    # Evidently takes them for two classes of which one is called 1; the mean over the classes is what it has for more.
    return sum(_of_two(quality, frame, name) for name in found) / len(found)


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
