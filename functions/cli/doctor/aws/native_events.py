"""Checks that events of AWS services (trainings that ended, signals) reach a function from the default event bus."""

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

# AWS services publish their events to this bus only.
BUS: Final = "default"
# The characters that make a name an fnmatch pattern.
_WILD: Final = frozenset("*?[")
_NO_TRAINING: Final = "it triggers no training"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requirement:
    """An event that some rule must match.

    Attributes:
        sample: the event.
        description: the event in words.
        consequence: what happens if no rule matches it.
        remedy: what to do then.
        name: the name in it that may be a pattern; empty if there is none.

    """

    sample: Sample
    description: str
    consequence: str
    remedy: str
    name: str = ""


def native_checks(rules: EventRules, models: Sequence[Model]) -> list[Check]:
    """Return the checks of the default bus that the models with a target on AWS need.

    Args:
        rules: the rules of the default bus.
        models: the models of the configuration.

    """
    here = [model for model in models if "aws" in model.targets]
    checks = []
    if any(isinstance(model.targets["aws"], SageMakerTarget) for model in here):
        about = "a rule of the default event bus delivers ended executions to a function"
        checks.append(
            Check(name="ended executions", about=about, run=partial(_check_all, rules, list(map(_ended, ENDS))))
        )
    for kind, read in ((ALARM, _alarm), (S3_OBJECT, _object)):
        named = dict.fromkeys(entry for model in here for entry in model.signals if entry.startswith(f"{kind}:"))
        if named:
            about = "a rule of the default event bus delivers these signals to a function"
            checks.append(
                Check(name=f"{kind} signals", about=about, run=partial(_check_all, rules, list(map(read, named))))
            )
    return checks


def _check_all(rules: EventRules, requirements: Sequence[_Requirement]) -> None:
    for requirement in requirements:
        _check(rules, requirement)


def _check(rules: EventRules, requirement: _Requirement) -> None:
    matching = []
    for rule in rules.matching(requirement.sample):
        if is_enabled(rule) and rules.targets(rule, FUNCTION):
            return
        matching.append(rule)
    enabled = [rule for rule in matching if is_enabled(rule)]
    queues = [rule for rule in enabled if rules.targets(rule, QUEUE)]
    if queues:
        raise only_queues(queues)
    if enabled:
        found = f"the rule {names_of(enabled)} has no function as target"
        raise CheckFailedError(f"{found}, so {requirement.consequence}; add the function `receive`")
    if matching:
        raise CheckFailedError(f"the rule {names_of(matching)} is disabled, so {requirement.consequence}; enable it")
    if _WILD & set(requirement.name) and rules.naming(requirement.sample.source):
        raise CheckSkippedError(
            f"not checked: {requirement.description} is a pattern, and the rules match certain names only"
        )
    raise CheckFailedError(
        f"no rule of the event bus {rules.bus} matches {requirement.description}, so {requirement.consequence};"
        f" {requirement.remedy}"
    )


def _ended(status: str) -> _Requirement:
    source, kind = STATUS_CHANGE
    return _Requirement(
        sample=Sample(source=source, kind=kind, detail={"currentPipelineExecutionStatus": status}),
        description=f"pipeline executions that are {status}",
        consequence="the end of a training is noticed by the sweep only",
        remedy=f"deploy the stack, or create a rule with source {source}, detail-type {kind} and this status",
    )


def _alarm(entry: str) -> _Requirement:
    source, kind = ALARM_CHANGE
    name = entry.partition(":")[2]
    detail = {"alarmName": name, "state": {"value": "ALARM"}, "previousState": {"value": "OK"}}
    return _Requirement(
        sample=Sample(source=source, kind=kind, detail=detail),
        description=f"the signal {entry}",
        consequence=_NO_TRAINING,
        remedy="deploy the stack with SignalAlarms=yes",
        name=name,
    )


def _object(entry: str) -> _Requirement:
    source, kind = OBJECT_CREATED
    bucket, _, key = entry.partition(":")[2].partition("/")
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"}
    return _Requirement(
        sample=Sample(source=source, kind=kind, detail=detail, resources=(f"arn:aws:s3:::{bucket}",)),
        description=f"the signal {entry}",
        consequence=_NO_TRAINING,
        remedy=f"deploy the stack with {bucket} among SignalBuckets",
        name=bucket,
    )
