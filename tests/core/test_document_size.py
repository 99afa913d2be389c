"""The document that a ledger keeps stays small, whatever a model has been through."""

import dataclasses
import json
from datetime import timedelta

import pytest

from shared.config.follow_ups import MAX_ACTIONS, MAX_CHANNELS
from shared.config.targets import SageMakerTarget
from shared.decision import pending
from shared.decision.ending import End, ended
from shared.decision.record import MAX_NAME_BYTES, MAX_TEXT_BYTES, Cut, record_of
from shared.decision.seen import MAX_LAUNCHES, MAX_OTHERS
from shared.decision.state import (
    MAX_DECISIONS,
    MAX_REJECTED,
    MAX_RUNS,
    ModelState,
    Parked,
    PastRun,
    Paused,
    Training,
    decided_about,
)
from shared.decision.terms import Terms
from shared.decision.transitions import rejected
from shared.json_text import cut_utf8
from shared.ledger.bounds import MAX_BYTES, MIN_DECISIONS, fitted
from shared.ledger.document import read_state, to_json, write_state
from shared.trigger import RetrainTrigger
from tests.core.samples import HOUR, MINUTE, NOW, trigger

# The whole document: DynamoDB takes 400 KB an item, Firestore and Table storage 1 MB.
MAX_DOCUMENT = 256 * 1024
ROUNDS = 12


def longest_trigger(text: str) -> RetrainTrigger:
    """Return a trigger in which everything is as long as a door lets in, written with the character *text*."""
    escaped = len(json.dumps(text)) - 2
    mapping = {"a": text * ((16 * 1024 - len('{"a": ""}')) // escaped)}
    links = {f"link-{place}": f"https://reports.example/{'l' * 470}{place}" for place in range(5)}
    room = (16 * 1024 - len(json.dumps(links | {"a": ""}))) // escaped
    return trigger(
        model_id=printable(text) * 256,
        trigger_id=text * 128,
        reason=text * 512,
        requested_by=text * 512,
        parameters=mapping,
        evidence=links | {"a": text * room},
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
        tracestate=f"a={'b' * 250},c={'d' * 256}",
    )


def printable(text: str) -> str:
    """Return *text*, or a letter instead of a control character, which a model may not have."""
    return text if text >= " " else "m"


def largest(text: str) -> ModelState:
    """Return a state in which everything is as long as the rules allow."""
    requested = longest_trigger(text)
    target = SageMakerTarget(pipeline="p" * 256)
    terms = Terms(target=target, parameters=requested.parameters, max_run=HOUR, cooldown=HOUR)
    parked = Parked(trigger=requested, since=NOW, approved_by=text * 512, approved_at=NOW)
    training = Training(
        trigger=requested,
        claimed_at=NOW,
        first_claimed_at=NOW,
        holder="h" * 36,
        run_id="r" * 300,
        url="u" * 500,
        started_at=NOW,
        terms=terms,
    )
    run = PastRun(
        run_id="r" * 300,
        trigger_id=text * 128,
        started_at=NOW,
        ended_at=NOW,
        result="handed_over",
        url="u" * 500,
        attempt=10,
        error=text * 150,
        trigger=training.record,
    )
    line = decided_about(requested, at=NOW, decision="launch", reason="awaiting_approval", detail=text * 1000)
    state = ModelState(
        last_start=NOW,
        last_success=NOW,
        last_good_start=NOW,
        starts=(NOW,) * 100,
        paused=Paused(
            since=NOW,
            by=cut_utf8(text * 512, MAX_NAME_BYTES),
            until=NOW,
            reason=cut_utf8(text * 512, MAX_TEXT_BYTES),
        ),
        queued=parked,
        retry=parked,
        waiting=parked,
        streak=(NOW,) * 100,
        decisions=(line,) * MAX_DECISIONS,
        runs=(run,) * MAX_RUNS,
    )
    for number in range(MAX_REJECTED):
        state = rejected(state, text * 128, text * 1000, now=NOW + MINUTE * number)
    for number in range(MAX_LAUNCHES + MAX_OTHERS):
        state = state.remembering(f"t-{number}", launched=number < MAX_LAUNCHES)
    for number in range(ROUNDS):
        end = longest_end(text, number)
        over = pending.displaced(state, end.actions)
        state = dataclasses.replace(state, pending=tuple(entry for entry in state.pending if entry not in over))
        state = ended(
            dataclasses.replace(state, training=dataclasses.replace(training, run_id=end.run_id)), end, now=NOW
        )
    channels = tuple(action for action in longest_end(text, 0).actions if action.startswith("notify:"))
    asked_about = pending.approval_requested(state, parked, channels, now=NOW, holder="h" * 36)
    return dataclasses.replace(asked_about, training=training)


def longest_end(text: str, number: int) -> End:
    """Return an end after which as much is to be done as a configuration may say."""
    actions = [f"github:{'o' * 100}/{'r' * 100}#{printable(text) * 98}{place:02}" for place in range(MAX_ACTIONS)]
    actions += [f"notify:{'s' * 20}-{place:08}" for place in range(MAX_CHANNELS)]
    return End(run_id=f"{number:0300}", result="succeeded", at=NOW, actions=tuple(actions), holder="h" * 36)


def besides_kept_triggers(state: ModelState) -> int:
    """Return the bytes of the document of *state* without the triggers that it keeps, and the terms of its claim."""
    triggers = [to_json(value) for value in (state.training, state.queued, state.retry, state.waiting) if value]
    kept = sum(len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) for value in triggers)
    return len(write_state(state).encode()) - kept


@pytest.mark.parametrize("text", ["x", "\u00e9", "\u6a21", "\U0001f600", '"', "\x01"])
def test_the_largest_state_fits_into_every_ledger(text: str) -> None:
    """Every field at its limit, in any script: 64 KB besides the kept triggers, 256 KB in all."""
    state, document = fitted(largest(text))
    assert besides_kept_triggers(state) <= MAX_BYTES
    assert len(document.encode()) <= MAX_DOCUMENT
    assert len(state.decisions) >= MIN_DECISIONS
    assert read_state(document) == state
    assert fitted(state) == (state, document)


def test_the_newest_entries_of_the_largest_state_are_whole() -> None:
    """The newest decision and the newest run lose nothing; older ones lose details first, then their end."""
    before = largest("x")
    state, _ = fitted(before)
    assert (state.decisions[0], state.runs[0]) == (before.decisions[0], before.runs[0])
    oldest = state.runs[-1].trigger
    assert oldest is not None
    assert isinstance(oldest.parameters, Cut)
    assert (oldest.parameters.text, oldest.requested) == ("", None)


def test_a_usual_history_stays_whole() -> None:
    """Forty decisions and twenty runs with reasons, parameters, evidence and links of a usual length lose nothing."""
    usual = trigger(
        reason="drift share 0.42 of 12 columns in the last 7 days of sales, above 0.3",
        requested_by="drift-monitor@acme.iam.gserviceaccount.com",
        parameters={"epochs": 8, "learning_rate": 0.001, "data": "s3://training-data/churn/2026-11-21/"},
        evidence={"report_url": "https://reports.example/churn/2026-11-21T03:00:00Z", "share": 0.42},
    )
    line = decided_about(usual, at=NOW, decision="skip", reason="cooldown", detail="no training before 2026-11-21")
    run = PastRun(run_id="r" * 90, trigger_id="t" * 36, started_at=NOW, url="u" * 150, trigger=record_of(usual))
    state = ModelState(
        decisions=tuple(dataclasses.replace(line, at=NOW - timedelta(hours=place)) for place in range(MAX_DECISIONS)),
        runs=(run,) * MAX_RUNS,
    )
    for number in range(MAX_LAUNCHES + MAX_OTHERS):
        state = state.remembering(f"t-{number}", launched=number < MAX_LAUNCHES)
    assert fitted(state)[0] is state
