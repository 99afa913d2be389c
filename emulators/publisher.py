"""What stands between a publisher and Pub/Sub over gRPC: it refuses every call, or counts them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

# gRPC takes 4 MB, Pub/Sub 10.
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@contextmanager
def refusing_publisher(code: grpc.StatusCode, message: str = "ordered by a test") -> Iterator[str]:
    """Answer every publish call with the same status, on a free port, and give `host:port`."""

    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, message)
        return b""

    with _server(refuse) as address:
        yield address


@contextmanager
def counting_publisher(address: str) -> Iterator[tuple[str, list[int]]]:
    """Pass publish calls on to *address*, and give the own `host:port` and the size of each call so far, in bytes."""
    sizes: list[int] = []
    with grpc.insecure_channel(address, _ANY_SIZE) as channel:
        publish = channel.unary_unary("/google.pubsub.v1.Publisher/Publish")

        def pass_on(request: bytes, _context: grpc.ServicerContext) -> bytes:
            sizes.append(len(request))
            answer: bytes = publish(request)
            return answer

        with _server(pass_on) as own:
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
        # With a grace the last word to the clients is no error, which they would log.
        server.stop(1).wait()
