"""The site: what a check found, then what links to it, in this order, so that no page leads nowhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from functions.monitor.data.storage import Storage
from functions.monitor.result import Result, failure_document
from functions.monitor.site import layout
from functions.monitor.site.history import History, past_check, read_history
from functions.monitor.site.pages import error_page, failure_page, index_page, model_page
from shared.config.drift import KEEP_REPORTS

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The folder of the pages.

    Attributes:
        address: where it is in the storage.
        url: where people read it, if that is somewhere else.
        storage: writes it.
        keep: how long a check is kept.
        console: where people read the console, if there is an address of it.

    """

    address: str
    url: str
    storage: Storage
    keep: timedelta = KEEP_REPORTS
    console: str = ""

    def report_url(self, result: Result) -> str:
        """Return where people read the report of *result*."""
        return layout.public(self.url, self.address, f"{_folder(result)}/{layout.REPORT}")

    def publish(self, result: Result, page: str) -> None:
        """Write the report of a check into its dated folder.

        Raises:
            UnusableDataError: the site may not be written.
            UnavailableError: the storage is away; what was written so far is whole, and nothing links to what is not.

        """
        self._write_check(_folder(result), result.document(), page)

    def show_latest(self, result: Result, page: str) -> None:
        """Let the report of a check be the latest one, unless that is newer already.

        Raises:
            UnusableDataError: as in `publish`.
            UnavailableError: as in `publish`.

        """
        folder = f"{layout.model_folder(result.model_id)}/{layout.LATEST}"
        latest = past_check(self.storage, self.address, folder)
        if latest is None or latest.at <= result.at:
            self._write_check(folder, result.document(), page)

    def record_failure(self, model_id: str, at: datetime, problem: str) -> None:
        """Write down that a check failed; `latest` remains the last whole report.

        Raises:
            UnusableDataError: as in `publish`.
            UnavailableError: as in `publish`.

        """
        folder = f"{layout.model_folder(model_id)}/{layout.stamp(at)}"
        self._write_check(folder, failure_document(model_id, at, problem), failure_page(model_id, at, problem))

    def rebuild(self, model_ids: Sequence[str]) -> None:
        """Write the index and the pages of *model_ids* anew, from the checks that are on the site.

        Raises:
            UnusableDataError: as in `publish`.
            UnavailableError: as in `publish`.

        """
        histories = [self.history(model_id) for model_id in model_ids]
        self._write(layout.ERROR, error_page(self._start()).encode(), HTML)
        for history in histories:
            if history.last:
                page = model_page(history, console=self._console_of(history.model_id), days=self.keep.days)
                self._write(f"{layout.model_folder(history.model_id)}/{layout.INDEX}", page.encode(), HTML)
        self._write(layout.INDEX, index_page(histories, console=self.console).encode(), HTML)

    def expire(self, model_id: str, at: datetime) -> None:
        """Delete the checks of a model that are older than `keep` at the time *at*.

        Raises:
            UnusableDataError: nothing may be deleted there.
            UnavailableError: the storage is away.

        """
        folder, oldest = layout.model_folder(model_id), layout.stamp(at - self.keep)
        for name in self.storage.folders(layout.joined(self.address, folder)):
            if layout.is_stamp(name) and name < oldest:
                self.storage.delete_folder(layout.joined(self.address, folder, name))

    def history(self, model_id: str) -> History:
        """Return the last checks of a model."""
        return read_history(self.storage, self.address, model_id)

    def _write_check(self, folder: str, document: Mapping[str, Any], page: str) -> None:
        self._write(f"{folder}/{layout.REPORT}", page.encode(), HTML)
        self._write(f"{folder}/{layout.DOCUMENT}", _as_json(document), JSON)

    def _write(self, path: str, content: bytes, content_type: str) -> None:
        self.storage.write(layout.joined(self.address, path), content, content_type)

    def _console_of(self, model_id: str) -> str:
        return f"{self.console.rstrip('/')}/?model={quote(model_id, safe='')}" if self.console else ""

    def _start(self) -> str:
        # A web server answers a wrong address with this page at any depth, so the way back cannot be a relative one.
        if self.url:
            return layout.joined(self.url, layout.INDEX)
        _, found, path = self.address.partition("://")
        return layout.joined("/" + path.partition("/")[2], layout.INDEX).replace("//", "/") if found else layout.INDEX


def _folder(result: Result) -> str:
    return f"{layout.model_folder(result.model_id)}/{layout.stamp(result.at)}"


def _as_json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
