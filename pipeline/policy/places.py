"""Where disputes are heard and which law applies: places named beside words of law and court."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.events import Fact

_NAME = r"[A-Z][\w.'’-]*[\w'’]"
_PLACE = rf"(?P<place>{_NAME}(?:(?:,? (?:of |and |& )?(?:the )?){_NAME}){{0,6}})"
_LAW = re.compile(
    rf"\b(?:[Ll]aws?|LAWS?|droit|Recht|legge|leyes?) (?:of|in force in|applicable in|"
    rf"and regulations of|du|der|de(?:l| la)?|della) (?:the )?(?:(?:State|Commonwealth|Republic|"
    rf"Province|Kingdom|District) of )?{_PLACE}"
    rf"|\b(?P<adj>{_NAME}(?: {_NAME})?) law(?:s)? (?:govern|appl|shall|will)",
)
_VENUE = re.compile(
    rf"\b(?:[Cc]ourts?|COURTS?|[Tt]ribunals?|[Jj]urisdiction|[Vv]enue|[Aa]rbitration|[Hh]earings?|"
    rf"Gerichte?|tribunaux|[Tt]ribunales)\b(?:[^.;\n]{{0,60}}?)\b(?:located in|situated in|"
    rf"sitting in|courts? (?:of|in|for)|in|of|for|takes? place in|held in|de|von|"
    rf"in der) (?:the )?(?:(?:State|City|County|courts?|Commonwealth|Republic) (?:of|in) )*{_PLACE}",
)
_NOT_PLACES = re.compile(
    r"^(?:Section|Article|Clause|Service|Services|Terms|Agreement|Content|User|Party|Parties|Account|"
    r"Law|Arbitration|Rules?|Dispute|Company|You|We|Claim|Commercial|Consumer|American Arbitration|JAMS|"
    r"AAA|International (?:Chamber|Centre)|English$|Privacy|Policy|Copyright|Federal (?:Arbitration|"
    r"Rules)|Any|This|These|Such|Convention|United Nations|Business|Notice|Demand|Website|Platform)\b"
)


def places(text: str) -> Iterator[Fact]:
    """Yield the places whose law applies and those where claims are heard."""
    for role, pattern in (("law", _LAW), ("venue", _VENUE)):
        for match in pattern.finditer(text):
            name = match["place"] or match.groupdict().get("adj") or ""
            start = match.start("place") if match["place"] else match.start("adj")
            name = _trimmed(name)
            if name and not _NOT_PLACES.match(name):
                kind = "jurisdiction" if role == "law" else "venue"
                yield Fact(
                    kind=kind, new={"place": _normal(name)}, quote=name, start=start, end=start + len(name)
                )


def _trimmed(name: str) -> str:
    """Cut a name where the sentence goes on with a capital that is no part of the place."""
    return re.split(
        r",? (?:and |& )?(?:the )?(?:You|We|If|In|For|The|Any|All|To|Except|You agree|Both|Each|"
        r"Services?|Terms|Such)\b",
        name,
    )[0].strip(" ,.")


def _normal(name: str) -> str:
    plain = re.sub(r"^(?:the )?(?:State|Commonwealth|Republic) of ", "", name)
    return re.sub(r"\s+", " ", plain).replace("U.S.A.", "United States").strip()
