"""This machine for the suite: the entry points, as `python -m functions.local` puts them together."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from functions.local.events import RUN_ENDED, SOURCE
from functions.local.server import serve
from functions.local.wiring import local_cloud
from shared.emit import accepted_triggers, emit_scheduled
from shared.errors import BusError, RetrainError
from shared.fields import parse_time
from shared.receive import receive
from shared.schedules import emit_own_schedules
from shared.training.sweep import sweep
from tests.contracts.clouds import Cloud
from tests.contracts.machine_ports import MachinePorts
from tests.contracts.messages import Delivery, HttpRequest, Json, Reply, bus_event, detail_of
from tests.contracts.outlets import Outlets
from tests.contracts.programs import program
from tests.contracts.socket_client import send_request


class ThisMachine(MachinePorts, Cloud):
    """The local cloud in a folder of its own, with its server."""

    caller: ClassVar[str] = "this machine"
    content_field: ClassVar[str] = "detail"
    unreachable: ClassVar[Mapping[type[RetrainError], str]] = MappingProxyType(
        {BusError: "a file refuses nothing permanently"}
    )

    def __init__(self, folder: Path, outlets: Outlets) -> None:
        """Put everything together in *folder*; the server begins with the first request."""
        super().__init__(folder, outlets)
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Stop the server, and what the base stops."""
        if self._thread is not None:
            self._server.stop()
            self._thread.join()
        super().close()

    def event(self, content: object, **envelope: object) -> Json:
        """See the base."""
        return bus_event(content) | envelope

    def fields(self, event: object) -> Json:
        """See the base."""
        return detail_of(event)

    def unreadable(self) -> object:
        """Return the end of a training that makes no sense: the bus carries nothing but JSON objects."""
        return {"source": SOURCE, "detail-type": RUN_ENDED, "detail": "no object"}

    def deliver(self, event: object) -> Delivery:
        """See the base."""
        return _delivered(lambda: asdict(self.cloud.act(event)))

    def deliver_concurrently(self, events: Sequence[object]) -> list[Delivery]:
        """See the base."""
        said = [answer for _, answer in sorted(program(self.variables, list(events), "act"))]
        assert len(said) == len(events)
        return [
            Delivery(acknowledged="error" not in answer, outcome=answer, error=answer.get("error", ""))
            for answer in said
        ]

    def round(self, events: Sequence[object]) -> list[bool]:
        """See the base."""
        acknowledged = []
        for event in events:
            self.put(event)
            assert self.cloud.consumer.step()
            acknowledged.append(not self.arrived())
        return acknowledged

    def put(self, event: object) -> None:
        """See the base."""
        assert isinstance(event, dict)
        self.cloud.bus.put(event)

    def drain(self, seconds: float = 20) -> None:
        """See the base."""
        self.cloud.consumer.start()
        done = self.cloud.consumer.drain(seconds)
        assert self.cloud.consumer.stop()
        if not done:
            raise TimeoutError(f"events are left after {seconds:g} seconds")

    def crash(self, event: object, *, started: bool) -> None:
        """See the base."""
        self.killed(event, "die", "after" if started else "before")

    def marks(self, trigger_id: str) -> str:
        """See the base."""
        return str(self.service.environment(trigger_id))

    def sweep(self) -> Delivery:
        """See the base."""
        return _delivered(lambda: {"swept": sweep(self.cloud.receiver)})

    def send(self, request: HttpRequest) -> Reply:
        """See the base."""
        if self._thread is None:
            self._server = serve(self.cloud.emitter, "127.0.0.1", 0)
            self._thread = threading.Thread(target=self._server.run, daemon=True)
            self._thread.start()
        return send_request(self._server.port, request)

    def tick(self, at: str) -> list[Json]:
        """See the base."""
        (triggers,) = accepted_triggers(emit_scheduled(self.cloud.emitter, parse_time(at))).values()
        assert isinstance(triggers, list)
        return triggers

    def evaluate_schedules(self) -> list[Json]:
        """See the base."""
        (triggers,) = accepted_triggers(emit_own_schedules(self.cloud.emitter)).values()
        assert isinstance(triggers, list)
        return triggers

    def turned_away(self, trigger_id: str) -> AbstractContextManager[None]:
        """See the base."""
        return self.service.turned_away(trigger_id)

    def deliver_without_dead_letters(self, event: object) -> Delivery:
        """See the base."""
        receiver = replace(self.cloud.receiver, dead_letters=None)
        return _delivered(lambda: asdict(receive(receiver, event, self.decode)))

    def deliver_misconfigured(self, event: object) -> Delivery:
        """See the base."""
        (self.folder / "wrong.toml").write_text('[models."churn"]\n', encoding="ascii")
        wrong = self.variables | {"RETRAIN_CONFIG": str(self.folder / "wrong.toml")}
        return _delivered(lambda: asdict(local_cloud(wrong).act(event)))


def _delivered(work: Callable[[], dict[str, Any]]) -> Delivery:
    try:
        return Delivery(acknowledged=True, outcome=work())
    except RetrainError as error:
        return Delivery(acknowledged=False, error=f"{type(error).__name__}: {error}")


@contextmanager
def this_machine(_folder: Path) -> Iterator[Callable[[Path], AbstractContextManager[ThisMachine]]]:
    """Open what is outside of this machine; of itself it needs nothing but a folder for each test."""
    with Outlets() as outlets:

        @contextmanager
        def opened(folder: Path) -> Iterator[ThisMachine]:
            outlets.empty()
            machine = ThisMachine(folder, outlets)
            try:
                yield machine
            finally:
                machine.close()

        yield opened
