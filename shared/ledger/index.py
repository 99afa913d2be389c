"""The index of a ledger: two facts about each model, so that neither a sweep nor an end of a training reads all models.

Documents that were written by a version without an index are not in it. Until a pass through all documents has indexed
them, which `IndexRecord` remembers, the index is incomplete: what is not in it may exist.
"""

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakSet

from shared.decision.attention import attention_at
from shared.decision.state import ModelState
from shared.decision.terms import Rules
from shared.fields import format_time, parse_time
from shared.frozen import dataclass
from shared.ports import IndexEntry, Ledger
from shared.trigger import run_name, token_of

# Increase this number when the entries change their meaning: then all models are indexed anew.
FORM: Final = 1
# The ledger also keeps documents of its own. No id of a model has a control character.
OWN: Final = "\x1f"
_KEY: Final = f"{OWN}index"
# A late report of an end must find its model. If a later training has also ended since, the report changes nothing.
_RUNS: Final = 3
# A process of the version without an index may still save a document after a pass has begun, but not for longer.
OVERLAP: Final = timedelta(minutes=2)
# A roll-back to the version without an index leaves documents that are not in it, so passes are repeated.
PASS_EVERY: Final = timedelta(days=1)


def is_own(key: str) -> bool:
    """Return whether *key* is of a document of the ledger's own, and not the id of a model."""
    return key.startswith(OWN)


def entry_of(rules: Rules | None, model_id: str, state: ModelState) -> IndexEntry:
    """Return the entry of a model with this *state*; *rules* are None if it is not configured."""
    tokens = [token_of(model_id, run.trigger_id) for run in state.runs[:_RUNS]]
    if state.training is not None:
        tokens.insert(0, state.training.trigger.token)
    return IndexEntry(attention=attention_at(state, rules), runs=tuple(dict.fromkeys(map(run_name, tokens))))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecord:
    """The state of the index and of the passes through all documents.

    Attributes:
        since: when the first pass for this form of the index began.
        began_at: when the current or the last pass began.
        after: the last model that the current pass has reached; None if it is at its beginning.
        running: whether a pass is under way.
        failed: whether the current pass could not index a model.
        complete: whether all documents are indexed.

    """

    since: datetime
    began_at: datetime
    after: str | None = None
    running: bool = True
    failed: bool = False
    complete: bool = False

    def is_pass_due(self, now: datetime) -> bool:
        """Return whether a pass is under way or must begin."""
        return self.running or not self.complete or now - self.began_at >= PASS_EVERY

    def begun(self, now: datetime) -> "IndexRecord":
        """Return the record with a pass under way."""
        return self if self.running else dataclasses.replace(self, began_at=now, after=None, running=True, failed=False)

    def ended(self) -> "IndexRecord":
        """Return the record after a pass that has reached the last model."""
        whole = not self.failed and self.began_at - self.since >= OVERLAP
        return dataclasses.replace(self, after=None, running=False, complete=self.complete or whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """The record as it is stored.

    Attributes:
        record: the record; None if there is none for this form of the index.
        version: for `Ledger.save`.

    """

    record: IndexRecord | None
    version: object

    @property
    def is_complete(self) -> bool:
        """Whether all documents are indexed."""
        return self.record is not None and self.record.complete


# Of this process. An index that is complete stays so.
_complete: Final[WeakSet[Ledger]] = WeakSet()


def is_complete(ledger: Ledger) -> bool:
    """Return whether all models are in the index of *ledger*; once it is complete, no further call is made.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    if ledger not in _complete and load_record(ledger).is_complete:
        _complete.add(ledger)
    return ledger in _complete


def load_record(ledger: Ledger) -> StoredRecord:
    """Load the record of *ledger*; one that cannot be read counts as missing.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    stored = ledger.load(_KEY)
    try:
        content: dict[str, Any] = json.loads(stored.document or "{}")
        if content.get("form") != FORM:
            return StoredRecord(record=None, version=stored.version)
        times: dict[str, Any] = {name: parse_time(content[name]) for name in ("since", "began_at")}
        others = {name: content[name] for name in ("after", "running", "failed", "complete")}
        record = IndexRecord(**times, **others)
    except (ValueError, LookupError, TypeError, AttributeError):
        record = None
    return StoredRecord(record=record, version=stored.version)


def save_record(ledger: Ledger, record: IndexRecord, version: object) -> StoredRecord | None:
    """Replace the record; None if another sweep was faster.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    content = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    times = {"since": format_time(record.since), "began_at": format_time(record.began_at)}
    stored = ledger.save(_KEY, json.dumps({"form": FORM, **content, **times}), version)
    return None if stored is None else StoredRecord(record=record, version=stored.version)
