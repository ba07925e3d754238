"""Alerts as text on standard output or at the end of a file: a route that needs nothing set up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.alerts.render import text
from pipeline.errors import DeliveryError
from pipeline.events import DeliveryDue, Value


class Printed(Value, frozen=True, kw_only=True):
    """What printing gives back: that it was done."""

    status: int | None = None
    response: str = "printed"
    receipt: dict[str, str] = {}


class ConsoleNotifier:
    """Prints each alert, to a file where one is named, as `compose` words it."""

    def __init__(self, file: str = "", *, compose: Callable[[DeliveryDue], str] = text.compose) -> None:
        self._file = Path(file) if file else None
        self._compose = compose

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Printed:
        """Print an alert, an update or a withdrawal; DeliveryError when the file cannot be written."""
        await asyncio.to_thread(self._print, self._compose(due) + "\n\n")
        return Printed()

    def _print(self, told: str) -> None:
        if self._file is None:
            sys.stdout.write(told)
            sys.stdout.flush()
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(told)
        except OSError as error:
            raise DeliveryError(
                f"{self._file} cannot be written: {error.strerror}", remedy="make room or name another file"
            ) from None
