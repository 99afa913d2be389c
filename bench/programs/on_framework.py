"""`python -m bench.programs.on_framework TARGET EVENTS DESCRIPTOR` sends requests to a function of functions-framework.

The requests go to the WSGI application directly, as gunicorn passes them on: a test client would import more modules.
"""

import io
import json
import sys

from functions_framework import create_app

from bench.programs.measured import run

target, *arguments = sys.argv[1:]
application = create_app(target, "main.py")


def handle(event: object) -> str:
    """Send *event*, and return the body of the answer.

    Raises:
        RuntimeError: the status is not 200.

    """
    body = json.dumps(event).encode()
    status = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer = b"".join(application(environ, lambda line, _headers, *_error: status.append(line))).decode()
    if not status[0].startswith("200"):
        raise RuntimeError(f"{status[0]}: {answer}")
    return answer


run(handle, arguments)
