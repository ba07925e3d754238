"""Settings: `clausewire.yaml` and the environment, read once, into frozen values.

reading    bytes → a tree whose every value knows its line and key; problems are gathered, not raised
values     words of the file → durations, sizes, addresses, names of secrets
sections   documents · feeds · watches · fetch · smtp · slack
kafka      how topics are made and the connection is secured
bodies     the bucket that holds the bodies of pages
rewriting  who may reword summaries
routes     who hears of what
secrets    names → what the environment or a file named there holds
model      what comes out
loading    the whole, in order
"""

from __future__ import annotations

from pipeline.config.loading import load, parse
from pipeline.config.model import (
    BucketSettings,
    FetchSettings,
    KafkaSettings,
    RewriterSettings,
    Route,
    Settings,
    SlackSettings,
    SmtpSettings,
    WatchSpec,
)
from pipeline.config.reading import ConfigErrors
from pipeline.config.secrets import Secrets
from pipeline.events import slug

__all__ = [
    "BucketSettings",
    "ConfigErrors",
    "FetchSettings",
    "KafkaSettings",
    "RewriterSettings",
    "Route",
    "Secrets",
    "Settings",
    "SlackSettings",
    "SmtpSettings",
    "WatchSpec",
    "load",
    "parse",
    "slug",
]
