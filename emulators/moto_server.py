"""moto's server on loopback, for the AWS services that it emulates well: DynamoDB, SQS, STS."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

# Credentials to sign requests with; the other settings keep clients from using any others.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@contextmanager
def moto_server() -> Iterator[str]:
    """Run the server on a free port, and give its URL for `AWS_ENDPOINT_URL`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
