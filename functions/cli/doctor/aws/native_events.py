"""What AWS itself tells on the default event bus, trainings that end and signals, and whether a rule hands it over."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from functions.cli.doctor.aws.event_rules import FUNCTION, QUEUE, EventRules, Sample, is_enabled, names_of, only_queues
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from shared.config.model import Model
from shared.config.targets import SageMakerTarget
from shared.wire.eventbridge import ENDS, STATUS_CHANGE
from shared.wire.signals import ALARM, S3_OBJECT
from shared.wire.signals_aws import ALARM_CHANGE, OBJECT_CREATED

# Events of AWS services come over no other one.
BUS: Final = "default"
# What makes a pattern of fnmatch of a name.
_WILD: Final = frozenset("*?[")
_UNHEARD: Final = "it asks for no training"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    """What some rule must take.

    Attributes:
        sample: an event of that kind.
        what: the same for people.
        otherwise: what happens where none does.
        cure: what to do about it.
        name: the name in it that may be a pattern; empty if none is.

    """

    sample: Sample
    what: str
    otherwise: str
    cure: str
    name: str = ""


def native_checks(rules: EventRules, models: Sequence[Model]) -> list[Check]:
    """Return the checks of what the models that train here need of the default bus.

    Args:
        rules: those of the default bus.
        models: the models of the configuration.

    """
    here = [model for model in models if "aws" in model.targets]
    checks = []
    if any(isinstance(model.targets["aws"], SageMakerTarget) for model in here):
        about = "a rule of the default event bus hands executions that are over to a function"
        checks.append(Check(name="ended executions", about=about, run=partial(_look, rules, list(map(_ended, ENDS)))))
    for kind, read in ((ALARM, _alarm), (S3_OBJECT, _object)):
        named = dict.fromkeys(entry for model in here for entry in model.signals if entry.startswith(f"{kind}:"))
        if named:
            about = "a rule of the default event bus hands these signals to a function"
            checks.append(Check(name=f"{kind} signals", about=about, run=partial(_look, rules, list(map(read, named)))))
    return checks


def _look(rules: EventRules, needed: Sequence[_Needed]) -> None:
    for one in needed:
        _look_for(rules, one)


def _look_for(rules: EventRules, needed: _Needed) -> None:
    matching = []
    for rule in rules.matching(needed.sample):
        if is_enabled(rule) and rules.targets(rule, FUNCTION):
            return
        matching.append(rule)
    enabled = [rule for rule in matching if is_enabled(rule)]
    queues = [rule for rule in enabled if rules.targets(rule, QUEUE)]
    if queues:
        raise only_queues(queues)
    if enabled:
        found = f"the rule {names_of(enabled)} has no function as target"
        raise CheckFailedError(f"{found}, so {needed.otherwise}: add the function `receive`")
    if matching:
        raise CheckFailedError(f"the rule {names_of(matching)} is disabled, so {needed.otherwise}: enable it")
    if _WILD & set(needed.name) and rules.naming(needed.sample.source):
        raise CheckSkippedError(f"not checked: {needed.what} is a pattern, and the rules take some names only")
    raise CheckFailedError(
        f"no rule of the event bus {rules.bus} takes {needed.what}, so {needed.otherwise}: {needed.cure}"
    )


def _ended(status: str) -> _Needed:
    source, kind = STATUS_CHANGE
    return _Needed(
        sample=Sample(source=source, kind=kind, detail={"currentPipelineExecutionStatus": status}),
        what=f"pipeline executions that are {status}",
        otherwise="only the sweep learns that a training is over",
        cure=f"deploy the stack, or make a rule with source {source}, detail-type {kind} and this status",
    )


def _alarm(entry: str) -> _Needed:
    source, kind = ALARM_CHANGE
    name = entry.partition(":")[2]
    detail = {"alarmName": name, "state": {"value": "ALARM"}, "previousState": {"value": "OK"}}
    return _Needed(
        sample=Sample(source=source, kind=kind, detail=detail),
        what=f"the signal {entry}",
        otherwise=_UNHEARD,
        cure="deploy the stack with SignalAlarms=yes",
        name=name,
    )


def _object(entry: str) -> _Needed:
    source, kind = OBJECT_CREATED
    bucket, _, key = entry.partition(":")[2].partition("/")
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"}
    return _Needed(
        sample=Sample(source=source, kind=kind, detail=detail, resources=(f"arn:aws:s3:::{bucket}",)),
        what=f"the signal {entry}",
        otherwise=_UNHEARD,
        cure=f"deploy the stack with {bucket} among SignalBuckets",
        name=bucket,
    )
