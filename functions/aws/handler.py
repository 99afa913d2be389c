"""The two Lambda functions: `emit` asks for trainings, `receive` starts them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from functions.aws import wiring
from functions.aws.entry import http_answer, is_batch, is_sweep, message_event, read_request
from functions.aws.redriven import decode_queued, decode_redriven, original
from shared import emit as asking
from shared.http.messages import Request
from shared.http.routes import respond
from shared.receive import receive as act
from shared.training.sweep import sweep
from shared.wire.eventbridge import Tick
from shared.wire.incoming import Incoming

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


def emit(event: object, _context: object) -> dict[str, object]:
    """Answer an HTTP request, a schedule's tick, or a direct invocation with a request's fields."""
    emitter = wiring.emitter()
    match read_request(original(event).event):
        case Request() as request:
            return http_answer(respond(emitter, request))
        case Tick(at=at):
            return asking.accepted(asking.tick(emitter, at))
        case fields:
            return asking.accepted(asking.ask(emitter, fields))


def receive(event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Act on an EventBridge event, on a queue's batch of them, or look after everything that was left undone.

    A failed invocation's record counts as the event that is in it.

    Raises:
        BatchProcessingError: all messages of a batch must come again: so they do even if the queue's event source
            mapping does not look at reports.

    """
    if is_batch(event):
        return _receive_batch(event, context)
    return _receive(event, decode_redriven)


def _receive_batch(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    def receive_record(record: "SQSRecord") -> None:
        _receive(message_event(record.body), decode_queued)

    processor = BatchProcessor(event_type=EventType.SQS)
    return dict(process_partial_response(event, receive_record, processor, context))


def _receive(event: object, decode: Callable[[object, str], Incoming]) -> dict[str, Any]:
    receiver = wiring.receiver()
    if is_sweep(original(event).event):
        return {"swept": sweep(receiver)}
    return asdict(act(receiver, event, lambda event: decode(event, receiver.source)))
