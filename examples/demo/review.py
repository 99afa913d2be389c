"""The second half of the story: a native signal, an approval, and the follow-up of the training."""

from examples.demo.models import CONTAINER, EVENT_TYPE, FILE, REPOSITORY, REVIEWED
from examples.demo.report import Report
from examples.demo.stage import Stage
from examples.demo.waiting import wait

WAITS = f"The training of {REVIEWED} waits for an approval"
ENDED = f"The training of {REVIEWED} has succeeded"


def review(stage: Stage, report: Report) -> str:
    """Play it up to the end of the training, and return the id of the trigger."""
    trigger_id = _new_file(stage, report)
    _approval(stage, report, trigger_id)
    _follow_up(stage, report, trigger_id)
    return trigger_id


def conclude_review(stage: Stage, report: Report, trigger_id: str) -> None:
    """Check that everything happened, and happened once."""
    runs = stage.model(REVIEWED)["runs"]
    once = [run["trigger_id"] for run in runs] == [trigger_id]
    report.claim("a file's event delivered twice, and approved twice: 1 training", true=once)
    results = [
        (sent.repository, sent.event_type, sent.payload["result"], sent.payload["data"]["runId"])
        for sent in stage.dispatched()
    ]
    expected = [(REPOSITORY, EVENT_TYPE, "succeeded", run["run_id"]) for run in runs[:1]]
    report.claim("its end started 1 workflow, with the run and its result", true=results == expected)
    titles = [message.title for message in stage.messages()]
    notices = [titles.count(title) for title in (WAITS, ENDED)]
    report.claim("people were notified once that it waits, and once that it has succeeded", true=notices == [1, 1])


def _new_file(stage: Stage, report: Report) -> str:
    report.act(f"6. A file arrives: {CONTAINER}/{FILE}")
    report.line(f'{REVIEWED} has signals = ["{stage.signal}"] and approval = true. The event is delivered twice.')
    stage.new_file()
    wait(lambda: stage.model(REVIEWED)["state"] == "waiting")
    model = stage.model(REVIEWED)
    trigger_id, reason = model["waiting"]["trigger_id"], model["waiting"]["reason"]
    report.claim(f"it requests a training, which waits for an approval: {reason}", true=not model["runs"])
    wait(lambda: _text(stage, WAITS) != "")
    report.claim(f"people are notified {stage.notified_by}: {WAITS}", true=trigger_id in _text(stage, WAITS))
    return str(trigger_id)


def _approval(stage: Stage, report: Report, trigger_id: str) -> None:
    report.act("7. A person approves the training, twice")
    path = f"/models/{REVIEWED}/approve"
    given = [stage.request("POST", path, {"trigger_id": trigger_id}) for _ in range(2)]
    answers = [(status, answer.get("status")) for status, answer in given]
    report.line(f"POST {path} -> {', '.join(f'{status} {answer}' for status, answer in answers)}")
    wait(lambda: bool(stage.model(REVIEWED)["runs"]))
    decided = stage.model(REVIEWED)["decisions"][0]
    started = decided["reason"] == "launched" and "approved by" in decided["detail"]
    report.claim(f"launched: {decided['detail']}", true=started and answers == [(200, "approved")] * 2)


def _follow_up(stage: Stage, report: Report, trigger_id: str) -> None:
    report.act("8. The training ends: a workflow starts, and people are notified")
    wait(lambda: bool(stage.dispatched()) and _text(stage, ENDED) != "")
    sent = stage.dispatched()[0]
    report.line(
        f"GitHub received {sent.event_type} for {sent.repository}: {sent.payload['model_id']} {sent.payload['result']}"
    )
    report.claim(f"people are notified {stage.notified_by}: {ENDED}", true=trigger_id in _text(stage, ENDED))


def _text(stage: Stage, title: str) -> str:
    """Return the text of the message with this *title*; empty if there is none yet."""
    return next((message.text for message in stage.messages() if message.title == title), "")
