"""Notifies people of models whose last success is older than `max_age`; the sweep calls this."""

import hashlib
import json
import logging
from typing import Final

from shared.config.tables import format_duration
from shared.decision.stale import looked_after, notice_at
from shared.decision.terms import rules_of
from shared.fields import format_time
from shared.ledger import snapshots
from shared.ledger.index import OWN
from shared.ledger.snapshots import Snapshot
from shared.notice import Notice
from shared.training.channels import described
from shared.training.notices import send_notice
from shared.training.parts import ReceiverParts

# The ledger's document of the models whose first sight is recorded: without it, each sweep would read all of them.
KEY: Final = f"{OWN}watched"
# Of a sweep's time only a part may be spent on models that it sees for the first time.
MOST_NEW: Final = 100
_DIGEST: Final = 12

log = logging.getLogger("retrain")


def watch_new_models(receiver: ReceiverParts) -> None:
    """Record the first sight of the configured models with `max_age`, also of those that were never requested.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    aged = {_digest(model.name): model.name for model in receiver.config.aged(receiver.cloud)}
    if not aged:
        return
    stored = receiver.ledger.load(KEY)
    known = _read(stored.document) & aged.keys()
    new = [digest for digest in aged if digest not in known][:MOST_NEW]
    for digest in new:
        try:
            notify_if_stale(receiver, aged[digest])
            known.add(digest)
        except Exception as error:  # noqa: BLE001 - no failure of one model may affect the others
            log.warning("retrain.sweep_failed", extra={"model_id": aged[digest], "error": described(error)})
    if known != _read(stored.document):
        # If another sweep was faster, it has seen the same models.
        receiver.ledger.save(KEY, json.dumps({"known": "".join(sorted(known))}), stored.version)


def notify_if_stale(receiver: ReceiverParts, model_id: str, snapshot: Snapshot | None = None) -> None:
    """Record that the sweep has seen *model_id*, and notify people once a day while it is stale.

    Raises:
        ContentionError: another writer was faster every time.
        DamagedStateError: the document of the model cannot be read.
        UnavailableError: the ledger is unavailable.

    """
    rules, now = rules_of(receiver.config, receiver.cloud, model_id), receiver.clock()
    if rules is None or rules.model.max_age is None:
        return
    if snapshot is not None:
        at = notice_at(snapshot.state, rules.model)
        if at is None or at > now:
            return
    changed = snapshots.change(receiver, model_id, lambda state: looked_after(state, rules.model, now), snapshot)
    # First the record, then the notice: a notice that is lost comes again after a day.
    if changed.before is None or changed.before.stale_notice == changed.state.stale_notice:
        return
    state, age = changed.state, format_duration(rules.model.max_age)
    last = f"the last success was at {format_time(state.last_success)}" if state.last_success else "none ever has"
    reason = f"No training has succeeded within max_age = {age}; {last}."
    send_notice(receiver, Notice(event="stale", cloud=receiver.cloud, at=now, model_id=model_id, reason=reason))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]


def _read(document: str | None) -> set[str]:
    """Return the digests in *document*; none if it cannot be read: then all models are seen anew, which is harmless."""
    try:
        known = json.loads(document or "{}").get("known", "")
        return {known[start : start + _DIGEST] for start in range(0, len(known), _DIGEST)}
    except (ValueError, TypeError, AttributeError):
        return set()
