"""Servers between a publisher and Pub/Sub over gRPC: they refuse every call, or count the calls."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

# By default gRPC accepts messages of up to 4 MB, Pub/Sub of up to 10 MB.
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@contextmanager
def refusing_publisher(code: grpc.StatusCode, message: str = "ordered by a test") -> Iterator[str]:
    """Refuse every publish call with the same status, on a free port, and give `host:port`."""

    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, message)
        return b""

    with _server(refuse) as address:
        yield address


@contextmanager
def counting_publisher(address: str) -> Iterator[tuple[str, list[int]]]:
    """Forward publish calls to *address*, and give our own `host:port` and the size in bytes of each call so far."""
    sizes: list[int] = []
    with grpc.insecure_channel(address, _ANY_SIZE) as channel:
        publish = channel.unary_unary("/google.pubsub.v1.Publisher/Publish")

        def forward(request: bytes, _context: grpc.ServicerContext) -> bytes:
            sizes.append(len(request))
            answer: bytes = publish(request)
            return answer

        with _server(forward) as own:
            yield own, sizes


@contextmanager
def _server(publish: Callable[[bytes, grpc.ServicerContext], bytes]) -> Iterator[str]:
    handlers = {"Publish": grpc.unary_unary_rpc_method_handler(publish)}
    server = grpc.server(ThreadPoolExecutor(2), options=_ANY_SIZE)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        # Without a grace period clients would get an error last, and log it.
        server.stop(1).wait()
