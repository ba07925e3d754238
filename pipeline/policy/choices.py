"""How a reader says no: opting out or in, by link, setting, mail or form, and what holds until they do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.events import Fact

_OUT = (
    r"opt(?:s|ed|ing)?[- ]?outs?\b(?: of)?|unsubscrib\w+|withdraw\w* (?:your |their )?consent|"
    r"turn(?:ing)? off|switch(?:ing)? off|disabl(?:e|ing)\b|deactivat\w+ (?:this|the) (?:setting|"
    r"option)|(?:right to |may |can )object\b|do not sell(?: or share)? my|global privacy control|"
    r"désinscri\w+|retirer votre consentement|widerspr\w+|abmelden|darse de baja|revocar"
)
_IN = (
    r"opt(?:s|ed|ing)?[- ]?in\b(?: to)?|(?:with|obtain|ask for|seek|based on|have) (?:your |their |"
    r"the user['’]s )?(?:prior |explicit |express |affirmative )*consent\b|unless you (?:give|"
    r"have given) (?:us )?(?:your )?consent|if you consent\b|turn(?:ing)? on\b|"
    r"only with your (?:permission|consent)"
)
_CHOICE = re.compile(rf"\b(?:(?P<out>{_OUT})|(?P<in>{_IN}))", re.IGNORECASE)
_MECHANISMS = (
    ("form", re.compile(r"\bforms?\b|\bformulaire|formular", re.IGNORECASE)),
    (
        "mail",
        re.compile(
            (
                r"e-?mail(?:ing)? (?:us|to)|\bemail\b[^.]{0,20}@|\b[\w.+-]+@[\w-]+\.\w|mailto:|\b(?:write|"
                r"writing|letter|post|mail) (?:to|us)|notify(?:ing)? us in writing|written notice|by mail"
            ),
            re.IGNORECASE,
        ),
    ),
    (
        "setting",
        re.compile(
            (
                r"\bsettings?\b|\bpreferences?\b|\bcontrols\b|dashboard|\btoggle|privacy (?:cent|choices)|"
                r"account page|paramètres|einstellungen|configuración|impostazioni"
            ),
            re.IGNORECASE,
        ),
    ),
    ("link", re.compile(r"\blinks?\b|click(?:ing)?\b|\]\(http|https?://|\bhere\b|\bvisit", re.IGNORECASE)),
)


def choices(text: str) -> Iterator[Fact]:
    """Yield each way of opting out or in, what holds by default, and the mechanism named near it."""
    seen: set[tuple[str, str]] = set()
    for match in _CHOICE.finditer(text):
        default = "opt-out" if match["out"] else "opt-in"
        how = mechanism(text[max(0, match.start() - 120) : match.end() + 160])
        if (default, how) not in seen:
            seen.add((default, how))
            value = {"default": default, "mechanism": how}
            yield Fact(kind="opt_out", new=value, quote=match[0], start=match.start(), end=match.end())


def mechanism(around: str) -> str:
    """Return how a text lets a reader say no: by form, mail, setting or link; "unspecified" where it names none."""
    return next((name for name, pattern in _MECHANISMS if pattern.search(around)), "unspecified")
