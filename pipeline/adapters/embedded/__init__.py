"""The embedded log: a durable broker in one SQLite file, for commands (`Log`) and for Faust (`Transport`)."""

from pipeline.adapters.embedded.log import Log
from pipeline.adapters.embedded.records import Entry, Place, Record
from pipeline.adapters.embedded.settings import quiet_settings
from pipeline.adapters.embedded.transport import Transport, path_of

__all__ = ["Entry", "Log", "Place", "Record", "Transport", "path_of", "quiet_settings"]
