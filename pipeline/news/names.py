"""Which services a text names. A name that is an ordinary word or a letter needs a second cue beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import yaml
from msgspec import Struct, ValidationError, convert

from pipeline.errors import ConfigError
from pipeline.events import slug

# Words that are a name and something else; single letters and pairs of letters count as such by their length.
ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """
        adobe alphabet amazon apple bard bing bolt box bumble canvas chime claude copilot craft cursor
        deel discord dispatch edge element envoy gap gemini ghost grok hinge hive indeed jet kick later
        lemonade lime line llama loom mastodon match max medium meta mint mistral monday nest next
        nextdoor notion oculus onward opera oracle orange patch peacock perplexity pocket prime quest
        rover shell signal skype slack snap spark sprint square stable stage steam stripe substance
        sway target teams telegram threads tinder toggle trip twitch uber unity vine visa wave weather
        wish wise wolt zoom
        """,
    )
) - {"skype", "uber", "nextdoor", "oculus"}

POLICY = (
    r"privacy|terms|tos|polic(?:y|ies)|guidelines|rules|user agreement|agreement|lawsuits?|sues?|sued|court|"
    r"data|opt[\s-]?out|consent|liquidated|clause|users?|posts?|accounts?|platform|social|feature|app"
)
ACTS = (
    r"updat(?:es?|ed|ing)|chang(?:es?|ed|ing)|plans?|planned|says?|said|will|would|can|has|is|opens?|opened|lets?|"
    r"allows?|allowed|adds?|added|removes?|removed|bans?|banned|launch(?:es|ed)|announc(?:es|ed)|introduc(?:es|ed)|"
    r"faces?|faced|sues?|sued|fined|to|shifts?|moves?|requires?|wants?|rolls?|starts?|stops?|tells?|makes?|drops?|"
    r"reveals?|revis(?:es|ed)|claims?|confirms?|settles?|loses?|wins?|ruins?|backlash|users?|terms|privacy|polic\w+"
)
LEGAL = r"privacy polic(?:y|ies)|terms of (?:service|use)|terms|user agreement|community guidelines|user data"


class Alias(Struct, frozen=True):
    """A name of a service; `guarded` asks for a second cue, `since` and `until` bound its time of use."""

    name: str
    guarded: bool = False
    since: date | None = None
    until: date | None = None

    def holds(self, day: date | None) -> bool:
        return day is None or ((self.since or date.min) <= day <= (self.until or date.max))


class ServiceName(Struct, frozen=True, kw_only=True):
    """A service, its aliases, the words that vouch for a guarded one and those that speak against it."""

    id: str
    name: str
    aliases: tuple[str | Alias, ...] = ()
    cues: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


class Names(Struct, frozen=True):
    """What is known of services' names; see deploy/names.yaml."""

    known: tuple[ServiceName, ...] = ()

    @classmethod
    def load(cls, text: str, *, file: str = "") -> Names:
        """Return the names that a YAML text lists; ConfigError says which entry cannot be read."""
        try:
            rows = yaml.safe_load(text) or []
        except yaml.YAMLError as error:
            raise ConfigError(
                f"the names are not YAML: {error}", file=file, remedy="Mend the file."
            ) from error
        if not isinstance(rows, list):
            raise ConfigError(
                "the names are not a list", file=file, remedy="Begin each service with `- name:`."
            )
        return cls(tuple(known(row, n, file) for n, row in enumerate(rows, 1)))

    def service(self, service: str, aliases: Iterable[str] = ()) -> ServiceName:
        """Return a watched service with its own aliases and those known of a service of that name."""
        own = {service.casefold()}
        for name in self.known:
            if name.name.casefold() in own:
                merged = dict.fromkeys((*aliases, *name.aliases))
                return ServiceName(
                    id=service_id(service),
                    name=service,
                    aliases=tuple(merged),
                    cues=name.cues,
                    not_after=name.not_after,
                    not_before=name.not_before,
                )
        return ServiceName(id=service_id(service), name=service, aliases=tuple(dict.fromkeys(aliases)))


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the list of names, as a person writes it."""

    name: str
    aliases: tuple[str, ...] = ()
    guarded: tuple[str | Mapping[str, Any], ...] = ()
    cues: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


def known(row: Any, n: int, file: str = "") -> ServiceName:
    """Return the service that one entry describes."""
    try:
        held = convert(row, Row)
        guarded = tuple(guard(alias) for alias in held.guarded)
    except (ValidationError, TypeError) as error:
        raise ConfigError(
            f"name {n} cannot be read: {error}",
            file=file,
            key=f"[{n}]",
            remedy="Give it `name`, and lists of texts under aliases, guarded, cues, not_after, not_before.",
        ) from error
    return ServiceName(
        id=service_id(held.name),
        name=held.name,
        aliases=(*(Alias(alias) for alias in held.aliases), *guarded),
        cues=held.cues,
        not_after=held.not_after,
        not_before=held.not_before,
    )


def guard(alias: str | Mapping[str, Any]) -> Alias:
    """Return a guarded alias."""
    if isinstance(alias, str):
        return Alias(alias, guarded=True)
    return convert({**alias, "guarded": True}, Alias)


def service_id(service: str) -> str:
    """Return the identity of a service: its name in small letters, its words joined by hyphens."""
    return slug(service)


def mentions(text: str, services: Sequence[ServiceName], *, at: datetime | None = None) -> set[str]:
    """Return the ids of the services that a text names, as the names stood at a time."""
    day = at.date() if at else None
    return {service.id for service in services if is_named(text, service, day)}


def is_named(text: str, service: ServiceName, day: date | None = None) -> bool:
    """Say whether a text names a service beyond doubt."""
    certain, guarded = patterns(service, day)
    if certain and certain.search(text):
        return True
    return any(is_meant(text, found, service) for found in guarded.finditer(text)) if guarded else False


def patterns(service: ServiceName, day: date | None) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return what matches the certain names of a service and what matches those that need a cue."""
    aliases = [alias if isinstance(alias, Alias) else judged(alias) for alias in service.aliases]
    if not any(alias.name.casefold() == service.name.casefold() for alias in aliases):
        aliases.append(judged(service.name))
    held = [alias for alias in aliases if alias.holds(day)]
    certain = tuple(alias.name for alias in held if not alias.guarded)
    return worded(certain, re.I), worded(tuple(alias.name for alias in held if alias.guarded), 0)


def judged(name: str) -> Alias:
    """Return an alias, guarded when the name is short or an ordinary word."""
    return Alias(name, guarded=len(name) < 3 or name.casefold() in ORDINARY)


@lru_cache(maxsize=4096)
def worded(names: tuple[str, ...], flags: int) -> re.Pattern[str] | None:
    """Return a pattern that finds any of the names as whole words; a hyphen belongs to the word (X-ray)."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?!\w|-\w)", flags) if alternatives else None


def is_meant(text: str, found: re.Match[str], service: ServiceName) -> bool:
    """Say whether a guarded name means the service: nothing speaks against it, and a second cue for it."""
    before, after = text[: found.start()], text[found.end() :]
    if ends_with(before, service.not_after) or starts_with(after, service.not_before):
        return False
    return any(
        (
            has_cue(before + " " + after, service.cues),
            is_owner(after),
            is_actor(before, after),
            is_place(before, text),
        )
    )


def has_cue(text: str, cues: tuple[str, ...]) -> bool:
    """Say whether a text holds one of the service's own cues."""
    pattern = worded(cues, re.I)
    return bool(pattern and pattern.search(text))


def is_owner(after: str) -> bool:
    """Say whether the name owns a thing of policy or platform: `X's new terms`, `Apple privacy policy`."""
    return bool(re.match(rf"(?:['’]s?)?\W+(?:[\w$]+\W+){{0,3}}?(?:{POLICY})\b", after, re.I))


def is_actor(before: str, after: str) -> bool:
    """Say whether the name begins a clause and acts, and the text is about what services publish."""
    begins = re.search(
        r"(?:^|[.:;!?\n,–—-]|\b(?:as|and|that|but|if|when|while|sue|against|why|how))\s*$", before
    )
    acts = re.match(rf"\W+(?:\w+ly\W+)?(?:{ACTS})\b", after, re.I)
    return bool(begins and acts and re.search(rf"\b(?:{POLICY})\b", before + after, re.I))


def is_place(before: str, text: str) -> bool:
    """Say whether the name is a place to post on, flee or sue, in a text about platforms or policies."""
    stands = re.search(
        r"\b(?:on|from|off|flee|leave|leaving|quit|sue|against|join|of|rival)\s+$", before, re.I
    )
    about = re.search(
        rf"\b(?:{LEGAL}|policies|social media|platform|block(?:ed|ing)?|tweet\w*|lawsuits?)\b", text, re.I
    )
    return bool(stands and about)


def ends_with(before: str, words: tuple[str, ...]) -> bool:
    tail = before.rstrip().casefold()
    return any(re.search(rf"\b{re.escape(word)}$", tail) for word in words)


def starts_with(after: str, words: tuple[str, ...]) -> bool:
    head = after.lstrip(" -'’").casefold()
    return any(re.match(rf"{re.escape(word)}\b", head) for word in words)
