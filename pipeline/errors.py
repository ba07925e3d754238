"""The errors of the pipeline, one short tree.

    PipelineError              anything we foresee; str() is the fact, `remedy` is what to do
    ├── ConfigError            the configuration cannot be used (file, line, key)
    ├── RetryError             the world may heal: do the same again later
    │   ├── FetchError         a page or feed could not be read now (kind)
    │   ├── DeliveryError      a destination could not take a message now (retry_after_s)
    │   └── StoreError         log or blob store cannot take a write now (disk full, broker away)
    │       └── ClaimLostError what this process was at work on has gone to another one
    └── RejectError            this event never will: set it aside with stage and reason
        ├── DecodeError        bytes that are no event of ours
        ├── PageError          a page that cannot be read as a document (state)
        └── RefusedError       a destination that will never take this message

Anything else is a crash: we are wrong, and the process stops.
"""

from __future__ import annotations


class PipelineError(Exception):
    """A foreseen failure: the fact as the message, and what to do about it."""

    def __init__(self, fact: str, *, remedy: str = "") -> None:
        super().__init__(fact)
        self.remedy = remedy


class ConfigError(PipelineError):
    """The configuration cannot be used; says in which file, line and key."""

    def __init__(self, fact: str, *, file: str = "", line: int = 0, key: str = "", remedy: str = "") -> None:
        super().__init__(fact, remedy=remedy)
        self.file = file
        self.line = line
        self.key = key

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line or "")) if part)
        where = " ".join(part for part in (place, f"({self.key})" if self.key else "") if part)
        told = f"{where}: {self.args[0]}" if where else str(self.args[0])
        return f"{told}. {self.remedy}" if self.remedy else told


class RetryError(PipelineError):
    """The world may heal: the same act may succeed later."""


class FetchError(RetryError):
    """A page or feed could not be read now; `kind` is one word such as dns, tls, timeout, reset, size, status."""

    def __init__(self, fact: str, *, kind: str, retry_after_s: float | None = None, remedy: str = "") -> None:
        super().__init__(fact, remedy=remedy)
        self.kind = kind
        self.retry_after_s = retry_after_s


class DeliveryError(RetryError):
    """A destination could not take a message now; `ambiguous` when it may have taken it after all.

    `ours` when the failure lies with us, such as a secret that is not set: it says nothing of the destination.
    """

    def __init__(
        self,
        fact: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        ambiguous: bool = False,
        ours: bool = False,
        remedy: str = "",
    ) -> None:
        super().__init__(fact, remedy=remedy)
        self.status = status
        self.retry_after_s = retry_after_s
        self.ambiguous = ambiguous
        self.ours = ours


class StoreError(RetryError):
    """The log or the blob store cannot take a write now."""


class ClaimLostError(StoreError):
    """What this process was at work on has gone to another one, or is held by it."""


class RejectError(PipelineError):
    """This event never will succeed: it is set aside with stage and reason."""


class DecodeError(RejectError):
    """Bytes that are no event of ours, or of a schema newer than we read."""


class PageError(RejectError):
    """A page that cannot be read as a document; `state` is the page state that says why."""

    def __init__(self, fact: str, *, state: str, remedy: str = "") -> None:
        super().__init__(fact, remedy=remedy)
        self.state = state


class RefusedError(RejectError):
    """A destination that will never take this message; `disable` when it wants no more at all."""

    def __init__(
        self, fact: str, *, status: int | None = None, disable: bool = False, remedy: str = ""
    ) -> None:
        super().__init__(fact, remedy=remedy)
        self.status = status
        self.disable = disable
