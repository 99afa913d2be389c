"""The local cloud under a configuration that may change while it runs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from functions.local.consumer import Consumer, Delivering
from functions.local.wiring import ROOT, local_cloud
from functions.machine import now
from shared.backoff import Backoff
from shared.http.parts import EmitterParts
from shared.training.parts import ReceiverParts


class LiveCloud:
    """The local cloud with the configuration that was valid last.

    The parts are replaced as a whole, so that each request and each event is handled under one configuration.

    Attributes:
        config_file: the configuration file.
        consumer: takes events off the bus and handles them.

    """

    def __init__(self, variables: Mapping[str, str], *, root: Path = ROOT) -> None:
        """Make the cloud from the environment; arguments as for `local_cloud`.

        Raises:
            ConfigError: the environment or the configuration is wrong.

        """
        self._variables = variables
        self._root = root
        self._cloud = local_cloud(variables, root=root)
        self.config_file = root / (variables.get("RETRAIN_CONFIG") or "retrain.toml")
        letters = self._cloud.receiver.dead_letters
        assert letters is not None  # noqa: S101 - on this machine there is always a folder for them
        self.consumer = Consumer(
            self._cloud.bus, self._handle, letters, now, backoff=Backoff(base=1.0), settings=Delivering()
        )

    @property
    def database(self) -> Path:
        """The file of the bus."""
        return self._cloud.database

    @property
    def emitter(self) -> EmitterParts:
        """The parts for emitting triggers, under the newest configuration."""
        return self._cloud.emitter

    @property
    def receiver(self) -> ReceiverParts:
        """The parts for deciding and launching, under the newest configuration."""
        return self._cloud.receiver

    def check_storage(self) -> None:
        """Open the files of the bus and of the ledger, which creates them if they are missing.

        Raises:
            UnavailableError: one cannot be opened; the message says why and what to do.

        """
        self._cloud.bus.size()
        self._cloud.emitter.ledger.models(None, 1)

    def reload(self) -> None:
        """Read the configuration again; if it is not valid, the one before stays in use.

        Raises:
            ConfigError: the environment or the configuration is wrong.

        """
        made = local_cloud(self._variables, root=self._root)
        # The consumer waits on the bus object of the start, and only that one's `publish` wakes it immediately.
        bus = self._cloud.bus
        self._cloud = replace(made, emitter=replace(made.emitter, bus=bus), bus=bus)

    def _handle(self, event: object) -> object:
        return self._cloud.act(event)
