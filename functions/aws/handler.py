"""The two Lambda functions: `emit` sends triggers, `receive` acts on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from functions.aws import wiring
from functions.aws.entry import http_answer, is_batch, is_evaluation, is_sweep, read_request, record_event
from functions.aws.queues import is_fifo
from functions.aws.redriven import decode_queued, decode_redriven, original
from shared import emit as emitting
from shared.api import respond
from shared.errors import RetrainError
from shared.http.messages import Request
from shared.receive import receive as act
from shared.receive import receive_batch
from shared.training.arrivals import Outcome
from shared.training.sweep import sweep
from shared.wire.eventbridge import Tick
from shared.wire.incoming import Incoming

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


def emit(event: object, context: Any) -> dict[str, object]:  # noqa: ANN401 - Lambda's own
    """Answer an HTTP request, a tick, an evaluation of schedules, or a direct invocation with the fields of a trigger.

    The trigger of a direct invocation has the request id as its id, unless it names one: if an asynchronous invocation
    fails, Lambda retries it with the same request id.
    """
    emitter = wiring.emitter()
    invocation = original(event)
    if is_evaluation(invocation.event):
        from shared.schedules import emit_own_schedules

        return emitting.accepted_triggers(emit_own_schedules(emitter))
    match read_request(invocation.event):
        case Request() as request:
            return http_answer(respond(emitter, request))
        case Tick(at=at):
            return emitting.accepted_triggers(emitting.emit_scheduled(emitter, at))
        case fields:
            request_id = invocation.request_id or context.aws_request_id
            return emitting.accepted_triggers(emitting.emit_request(emitter, fields, trigger_id=request_id))


def receive(event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Act on an EventBridge event, a queue's batch of such events, or the sweep's schedule.

    The record of a failed invocation counts as the event that it contains.

    Raises:
        BatchProcessingError: all messages of a batch failed; they are then delivered again even if the queue's event
            source mapping does not read batch responses.

    """
    if is_batch(event):
        return _receive_batch(event, context)
    return _receive(event, decode_redriven)


def _receive_batch(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        SqsFifoPartialProcessor,
        process_partial_response,
    )

    # Behind a message that failed, later ones of its group fail too: SQS delivers them again in their order.
    in_order = is_fifo(str(event["Records"][0].get("eventSourceARN")))
    results = {} if in_order else _receive_together(event["Records"])

    def receive_record(record: "SQSRecord") -> None:
        result = results.get(record.message_id)
        if isinstance(result, RetrainError):
            raise result
        if result is None:
            _receive(record_event(record.raw_event), decode_queued)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True) if in_order else BatchProcessor(EventType.SQS)
    return dict(process_partial_response(event, receive_record, processor, context))


def _receive_together(records: Sequence[Mapping[str, Any]]) -> dict[str, Outcome | RetrainError]:
    """Act on the messages that are not sweeps, by message id: triggers of one model cost one load and one save."""
    receiver = wiring.receiver()
    events = {str(record["messageId"]): record_event(record) for record in records}
    events = {name: event for name, event in events.items() if not is_sweep(original(event).event)}
    results = receive_batch(receiver, list(events.values()), lambda event: decode_queued(event, receiver.source))
    return dict(zip(events, results, strict=True))


def _receive(event: object, decode: Callable[[object, str], Incoming]) -> dict[str, Any]:
    receiver = wiring.receiver()
    if is_sweep(original(event).event):
        return {"swept": sweep(receiver)}
    return asdict(act(receiver, event, lambda event: decode(event, receiver.source)))
