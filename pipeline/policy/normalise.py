"""Levels of normalisation: what a difference amounts to, and what a version's fingerprint keeps.

Each level folds one kind of difference away, on top of those before it. The level of a pair is the one that
had to be folded for the two sides to become equal: `dates` means that they differ in nothing but dates (and
lesser things). Numbers, per cent, currency signs, negation and modal verbs are never folded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

from pipeline.events import Clause, Version, derived_id
from pipeline.policy.lexis import MODAL, NEGATION, STAMP

NORMALISER = "n2"  # part of every fingerprint: raised when a rule below changes

INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
QUOTES = {
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    "…": "...",
}
CURLY = re.compile(f"[{re.escape(''.join(QUOTES))}]")
SPACE = re.compile(r"\s+")
MARKDOWN_LINK = re.compile(
    r"(!?\[[^\[\]]{0,1000}\]\()([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,500}){0,3})"
    r"((?:\s+\"[^\"]{0,300}\")?\))"
)  # every part bounded, so that no page can make it slow
BARE_URL = re.compile(r"(?:https?://|www\.)[^\s<>()\"'\]]+", re.I)
FULL_URL = re.compile(r"https?://[^\s<>()\"'\]]+", re.I)
URL_TAIL = re.compile(r"[?#][^\s<>()\"'\]]*")
MARKUP = re.compile(
    r"\\(?=[\\`*_{}\[\]()#+\-.!|>~<])|[*_`~|]+|^\s{0,3}(?:#{1,6}\s|>\s?|[-+•·◦]\s)|<[^<>]{1,80}>", re.M
)

_MONTHS = (
    "jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar|braio)?|février|febrero|fevereiro|mar(?:ch|s|zo|ço)?|märz|maart|"
    "apr(?:il|ile)?|avril|abril|may|mai|mayo|maggio|maio|mei|june?|juni|juin|junio|giugno|junho|july?|juli|juillet|"
    "julio|luglio|julho|aug(?:ust|ustus)?|août|agosto|sep(?:t|tember|tembre|tiembre)?|settembre|setembro|"
    "oct(?:ober|obre|ubre)?|okt(?:ober)?|ottobre|outubro|nov(?:ember|embre|iembre|embro)?|dec(?:ember)?|dez(?:ember|embro)?|"
    "décembre|diciembre|dicembre|enero|gennaio|januari|februari"
)
DATE = re.compile(
    rf"\b(?:(?:{_MONTHS})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?\s+(?:of\s+|de\s+)?(?:{_MONTHS})\.?,?\s+(?:de\s+)?(?:19|20)\d\d"
    rf"|(?:{_MONTHS})\.?,?\s+(?:19|20)\d\d"
    r"|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d\d)\b"
    r"|(?:19|20)\d\d\s?[年년]\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日일])?"
    r"|(?:©|\(c\)|copyright)\s*(?:(?:19|20)\d\d\s*[-–]\s*)?(?:19|20)\d\d"
    r"|\b(?:\d+|an?|one|two|three)\s+(?:second|minute|hour|day|week|month|year)s?\s+ago\b",
    re.I,
)
DIGIT = re.compile(r"\d")
DATED = re.compile(r"\d|\bago\b")  # without one of these there is no date
DATE_CUE = re.compile(
    r"updat|effective|revis|modif|version|in force|dated|publi|posted|amend|issued|current as of|copyright|©|"
    r"stand|gültig|aktualis|mise à jour|vigueur|actualiz|vigencia|vigor|aggiorn"
    r"|atualiz|bijgewerkt|更新|生效|최종|시행",
    re.I,
)
EDITION = re.compile(r"\bv(?:ersion|\.)?\s*\d+(?:\.\d+)*\b", re.I)
LONGEST_DATE_LINE = 300  # characters

SIGNS = (
    r"[%‰§$€£¥¢₠-⃀฿৳௹៛﷼✓✔✗✘☐☑☒✅❌❎]|[<>≤≥±](?=\s?\d)|(?<=\d)\+"  # they turn a rule round; "16+" is not 16
)
WORD = re.compile(rf"\d+(?:[.,:]\d+)*|[^\W\d]+(?:'[^\W\d]+)*|{SIGNS}")
WIDE = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
LEVELS = (
    "bytes",
    "unicode",
    "quotes",
    "link-parameters",
    "link-target",
    "markup",
    "dates",
    "numbering",
    "case-punctuation",
    "words",
)


def unicode_folded(text: str) -> str:
    """Fold compatibility forms, invisible characters and runs of white space."""
    return SPACE.sub(" ", _composed(text)).strip()


def _composed(text: str) -> str:
    if text.isascii():
        return text
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    return INVISIBLE.sub("", text)


def quotes_folded(text: str) -> str:
    """Fold typographic quotes, dashes and ellipses to ASCII."""
    return text if text.isascii() else CURLY.sub(lambda char: QUOTES[char[0]], text)


def parameters_folded(text: str) -> str:
    """Drop the query and fragment of every link."""
    text = MARKDOWN_LINK.sub(lambda link: link[1] + URL_TAIL.sub("", link[2]) + link[3], text)
    return BARE_URL.sub(lambda url: URL_TAIL.sub("", url[0]).rstrip("/.,;"), text)


def targets_folded(text: str) -> str:
    """Drop what links point at; their words stay."""
    text = MARKDOWN_LINK.sub(lambda link: link[1].lstrip("!")[1:-2], text)
    return FULL_URL.sub("<url>", text)


def dates_folded(text: str) -> str:
    """Put `<date>` in the place of every date, relative age and copyright year."""
    return DATE.sub("<date>", text) if DATED.search(text) else text


def words_of(text: str) -> list[str]:
    """Return the words of a text without case and punctuation; unspaced scripts give one per character."""
    if not text.isascii():
        text = _composed(text).replace("’", "'")
        if WIDE.search(text):
            text = WIDE.sub(lambda char: f" {char[0]} ", text)
    return WORD.findall(text.casefold())


def squashed(text: str) -> str:
    """Fold case, punctuation and spacing; numbers stay apart, negations and modal verbs whole words."""
    words = words_of(text.replace("cannot", "can not").replace("Cannot", "can not"))
    guarded = " ".join(word for word in words if word in NEGATION or word in MODAL)
    return f"{_joined(words)}|{guarded}"


def _joined(words: list[str]) -> str:
    """Join words without spaces, but for those that keep two numbers apart."""
    if not DIGIT.search("".join(words)):
        return "".join(words)
    return "".join(
        f"{left} " if left[-1].isdigit() and right[0].isdigit() else left
        for left, right in pairwise([*words, "x"])
    )


def key(clause: Clause) -> str:
    """Return what identifies a clause's wording: its words in order, without its printed number."""
    return " ".join(words_of(clause.text))


def keys_of(clauses: Sequence[Clause], known: dict[str, str] | None = None) -> list[str]:
    """Return the key of every clause, in order; `known` remembers keys by text from one call to the next."""
    known = {} if known is None else known
    keys = []
    for clause in clauses:
        found = known.get(clause.text)
        if found is None:
            found = known[clause.text] = key(clause)
        keys.append(found)
    return keys


def is_date_line(text: str) -> bool:
    """Tell whether a text does little more than state when the document was updated or takes effect."""
    if len(text) > LONGEST_DATE_LINE or not DATED.search(text):
        return False
    rest, dates = DATE.subn(" ", text)
    words = len(words_of(rest))
    return dates > 0 and (words <= 2 or (words <= 25 and bool(DATE_CUE.search(rest))))


def beside_stamp(text: str) -> str:
    """Return what a date line says beside its dates, its edition number and the words of any date line."""
    words = words_of(EDITION.sub(" ", DATE.sub(" ", text)))
    return " ".join(word for word in words if word not in STAMP)


def _form_level(old: Clause, new: Clause) -> str:
    """Return the level at which two clauses of equal words and links differ: white space, or else markup."""
    left, right = old.raw or old.text, new.raw or new.text
    if left == right:
        return "bytes"
    return "unicode" if unicode_folded(left) == unicode_folded(right) else "markup"


def _markdown_level(old: Clause, new: Clause) -> str | None:
    """Return the level within the Markdown at which two clauses become equal, if one does."""
    left, right = old.raw or old.text, new.raw or new.text
    folds: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("unicode", unicode_folded),
        ("quotes", quotes_folded),
        ("link-parameters", parameters_folded),
        ("link-target", targets_folded),
    )
    for name, fold in folds:
        left, right = fold(left), fold(right)
        if left == right:
            return name
    return None


def _plain(clause: Clause) -> str:
    text = quotes_folded(unicode_folded(clause.text))
    text = targets_folded(parameters_folded(text) if "www." in text else text)
    return SPACE.sub(" ", MARKUP.sub("", text)).strip()


def level(old: Clause, new: Clause) -> str:
    """Return the level that had to be folded for two clauses to become equal, `words` if none does.

    `numbering` means that only the printed numbers differ; two equal clauses give `bytes`.
    """
    same = old.text == new.text and [link.url for link in old.links] == [link.url for link in new.links]
    if same and old.raw == new.raw and (old.kind, old.number) == (new.kind, new.number):
        return "bytes"
    found = _form_level(old, new) if same else _worded_level(old, new)
    if old.kind != new.kind and LEVELS.index(found) < LEVELS.index("markup"):
        found = "markup"
    if old.number != new.number and LEVELS.index(found) < LEVELS.index("numbering"):
        return "numbering"
    return found


def _worded_level(old: Clause, new: Clause) -> str:
    """Return the level of two clauses whose words or links differ; what differs in words needs no look at links."""
    if unicode_folded(old.raw or old.text) == unicode_folded(new.raw or new.text):
        return "unicode"
    found = _text_level(old, new)
    return found if found in ("words", "dates") else _markdown_level(old, new) or found


def _text_level(old: Clause, new: Clause) -> str:
    left, right = _plain(old), _plain(new)
    if left == right:
        return "markup"
    left, right = dates_folded(left), dates_folded(right)
    if left == right:
        return "dates"
    return "case-punctuation" if squashed(left) == squashed(right) else "words"


def levels(version: Version) -> dict[str, str]:
    """Return the version's text at each level that is about text, for explaining a fingerprint."""
    text = version.text
    folded = {"bytes": text}
    for name, fold in (
        ("unicode", unicode_folded),
        ("quotes", quotes_folded),
        ("link-parameters", parameters_folded),
        ("link-target", targets_folded),
        ("markup", lambda text: SPACE.sub(" ", MARKUP.sub("", text)).strip()),
        ("dates", dates_folded),
        ("case-punctuation", squashed),
    ):
        text = fold(text)
        folded[name] = text
    return folded


def fingerprint(version: Version) -> str:
    """Return the identity of what a version says, with the extractor's and the normaliser's names in it.

    It leaves out what flickers: white space, Unicode forms, quotes, case, punctuation, markup, link targets.
    It keeps every word, number, date and the order of clauses, for a move is an event though never an alert.
    """
    parts = [f"{clause.number} {key(clause)}" for clause in version.clauses] or [unicode_folded(version.text)]
    return derived_id("fp", NORMALISER, version.extractor, *parts)
