"""The two Lambda functions: `emit` asks for trainings, `receive` starts them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from functions.aws import wiring
from functions.aws.entry import http_answer, is_batch, is_sweep, message_event, read_request
from shared import emit as asking
from shared.api import respond
from shared.http import Request
from shared.receive import Outcome
from shared.receive import receive as act
from shared.runs import sweep
from shared.wire.eventbridge import Tick, decode

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


def emit(event: object, _context: object) -> dict[str, object]:
    """Answer an HTTP request, a schedule's tick, or a direct invocation with a request's fields."""
    emitter = wiring.emitter()
    match read_request(event):
        case Request() as request:
            return http_answer(respond(emitter, request))
        case Tick(at=at):
            return asking.accepted(asking.tick(emitter, at))
        case fields:
            return asking.accepted(asking.ask(emitter, fields))


def receive(event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Act on an EventBridge event, on a queue's batch of them, or look after everything that was left undone."""
    if is_sweep(event):
        return {"swept": sweep(wiring.receiver())}
    if is_batch(event):
        return _receive_batch(event, context)
    return asdict(_receive(event))


def _receive_batch(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    def receive_record(record: "SQSRecord") -> None:
        _receive(message_event(record.body))

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event, receive_record, processor, context))


def _receive(event: object) -> Outcome:
    receiver = wiring.receiver()
    return act(receiver, event, lambda event: decode(event, receiver.source))
