"""`retrain console`: the console of a deployment on loopback, with the user's own credentials."""

import argparse
import secrets
import signal
import sys
from types import FrameType
from typing import Final

from functions.cli.command import DONE, FAILED, Command, Context, UsageError
from functions.local.settings import read_port

HOST: Final = "127.0.0.1"
_DESCRIPTION: Final = """\
Serve the console of a deployment on this machine. Each request is passed on to the deployment's HTTP API with your
own credentials, so nothing has to be opened, and who acts is whom the cloud authenticated:
  aws    the credentials that the AWS CLI uses; they sign each request
  gcp    the identity token of `gcloud auth print-identity-token`, or of GOOGLE_APPLICATION_CREDENTIALS
  azure  RETRAIN_FUNCTION_KEY, the key that `az` finds with --env, or with --audience a token of Entra ID
The address that it prints has a random part, which keeps other users of this machine out. Ctrl-C ends it.

examples:
  retrain console --cloud aws --env prod
  retrain console --cloud gcp --url https://retrain-emit-abc-ew.a.run.app
  retrain console --cloud azure --env prod --group my-resource-group"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Serve the console until a signal ends it."""
    if sys.platform == "win32":
        raise UsageError("retrain console needs a POSIX system; on Windows run it in WSL (https://aka.ms/wsl)")
    from functions.cli.access.chosen import access_of, address_of
    from functions.cli.clouds import require_packages
    from functions.cli.console.proxy import Proxy, application
    from functions.http_session import NO_RETRY, CallLimits, HttpSession
    from functions.local.listener import Listener, ListenError

    require_packages(options.cloud)
    url = address_of(context, options)
    # Its own retries could carry out an action twice, and the page repeats what may be repeated.
    session = HttpSession(NO_RETRY, limits=CallLimits(read_timeout=30))
    proxy = Proxy(url, access_of(context, options, url), session, secrets.token_urlsafe(24))
    try:
        listener = Listener(application(proxy), HOST, options.port)
    except ListenError as error:
        context.err.write(f"{error}\n")
        return FAILED

    def stop(_number: int, _frame: FrameType | None) -> None:
        listener.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    address = f"http://{HOST}:{listener.port}{proxy.path}"
    context.out.write(f"{address}\n")
    context.out.flush()
    if options.open:
        import webbrowser

        webbrowser.open(address)
    listener.run()
    return DONE


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=read_port, default=0, help="the port on this machine (default: any free one)")
    parser.add_argument("--open", action="store_true", help="open it in the browser, too")


COMMAND: Final = Command(
    name="console",
    summary="serve the console of a deployment on this machine",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=("aws", "gcp", "azure"),
    cloud_required=True,
    takes_url=True,
)
