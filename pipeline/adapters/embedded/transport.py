"""The driver that Faust finds under `embedded:///path`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faust.transport import base
from faust.types import AppT
from yarl import URL

from pipeline.adapters.embedded.consumer import Consumer
from pipeline.adapters.embedded.journal import Journal
from pipeline.adapters.embedded.producer import Producer
from pipeline.errors import ConfigError


class Transport(base.Transport):
    """Serves a Faust app from the log in one file; its consumer and its producer share one journal."""

    Consumer = Consumer
    Producer = Producer
    driver_version = "embedded=1"
    default_port = 0

    def __init__(self, url: list[URL], app: AppT, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        self.path = path_of(url[0])
        self._journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The log as the app uses it: one for the app, however many transports Faust makes."""
        main = self.app.transport
        if main is not self and isinstance(main, Transport) and main.path == self.path:
            return main.journal
        if self._journal is None:
            limit = self.app.conf.producer_max_request_size
            self._journal = Journal(self.path, max_record_bytes=limit)
        return self._journal


def path_of(url: URL | str) -> Path:
    """The file that an `embedded:///path` URL names; ConfigError when it names none."""
    url = URL(url)
    if url.scheme != "embedded" or url.host or len(url.path) < 2:
        raise ConfigError(
            f"{str(url)!r} names no log file",
            remedy="write embedded:///absolute/path/to/log.db, with three slashes",
        )
    return Path(url.path)
