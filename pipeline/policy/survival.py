"""How much of a document's earlier versions is left on a page, and what that says about the page.

A version that lost its end, reads in another language, or shares nothing with what was there before is no new
version until somebody says so. Figures count words of distinct clauses, so that a page that held its coming and
its current text together loses nothing when it drops one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.events import PageState, Version
from pipeline.policy.language import detect, primary
from pipeline.policy.names import words

_WORD = re.compile(r"\w+")
_KINDS = (
    ("privacy policy", r"privacy|datenschutz|confidentialit|privacidad|プライバシー|隐私|personal data"),
    ("cookie policy", r"cookies?\b"),
    ("terms", r"\bterms\b|conditions|nutzungsbedingungen|t[eé]rminos|termini|user agreement|利用規約|条款"),
    ("community guidelines", r"guidelines|community (?:rules|standards)|acceptable use|usage polic"),
    ("data processing agreement", r"data process(?:ing|or)"),
    ("law enforcement guidelines", r"law enforcement|government requests"),
    ("copyright policy", r"copyright|dmca"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What became of the last version: shares of its words (0-1) and where the losses lie."""

    kept: float  # of the old words, by clauses that stand unchanged
    similar: float  # of the old three-word runs that stand anywhere
    new: float  # of the new words, by clauses that were not there
    tail: float  # of the old words, lost in one run at the very end
    cut: bool  # the last clause is the beginning of one that was longer


def survival(old: Version, new: Version) -> Survival:
    """Measure what of the old version is left in the new one."""
    before, after = _norms(old), _norms(new)
    total = sum(map(len, dict.fromkeys(before))) or 1
    fresh = sum(map(len, dict.fromkeys(after))) or 1
    standing, known = set(after), set(before)
    kept = sum(len(norm) for norm in known if norm in standing)
    tail = 0
    for norm in reversed(before):
        if norm in standing:
            break
        tail += len(norm)
    last = after[-1] if after else ""
    cut = len(last) >= 8 and last not in known and any(norm.startswith(last) for norm in known)
    return Survival(
        kept=kept / total,
        similar=_similar(before, after),
        new=sum(len(norm) for norm in standing if norm not in known and not (cut and norm == last)) / fresh,
        tail=min(1.0, tail / total),
        cut=cut,
    )


def found(known: Sequence[Version], new: Version) -> float:
    """Return the share of the last known version's words whose clauses stand in the new one."""
    return survival(known[-1], new).kept if known else 0.0


def verdict(
    new: Version, known: Sequence[Version], *, unclosed: bool, language: str = ""
) -> tuple[PageState, str] | None:
    """Return the state and the reason if the history speaks against the new version, else None."""
    if not known:
        return _language(new, known, language)
    last = [survival(old, new) for old in known[-3:]]
    best = max(last, key=lambda one: (one.kept, one.similar))
    if unclosed and last[-1].cut and last[-1].tail > 0.005 and best.kept < 0.999:
        return _truncated(last[-1], unclosed=True)
    if best.kept >= 0.9:
        return None
    spoken = _language(new, known, language) if best.similar < 0.5 else None
    return spoken or _truncated(last[-1], unclosed=unclosed) or _replaced(best, new, known[-1])


def _language(new: Version, known: Sequence[Version], language: str) -> tuple[PageState, str] | None:
    was = primary(language) or next((told for old in reversed(known[-3:]) if (told := detect(old.text))), "")
    now = detect(new.text)
    if not was or not now or was == now or {was, now} <= {"da", "no"}:
        return None
    if not known and len(new.text) < 400:
        return None
    return PageState.LANGUAGE, f"The page is served in another language: {now} instead of {was}."


def _truncated(one: Survival, *, unclosed: bool) -> tuple[PageState, str] | None:
    lost = round(100 * one.tail)
    if one.new > 0.25:
        return None
    if one.cut and (one.tail > 0.02 or unclosed):
        return (
            PageState.TRUNCATED,
            f"The page ends inside a clause that was longer; {lost} % of the known text is missing.",
        )
    if unclosed and one.tail > 0.1:
        return (
            PageState.TRUNCATED,
            f"The page stops before its end; the last {lost} % of the known text is missing.",
        )
    if one.tail > 0.4 and one.kept + one.tail > 0.85:
        return (
            PageState.TRUNCATED,
            f"The last {lost} % of the known text is missing and nothing took its place.",
        )
    if one.kept < 0.4 and one.similar < 0.5 and one.new < 0.15:
        left = round(100 * one.kept)
        return PageState.TRUNCATED, f"Only {left} % of the known text is left and nothing took its place."
    return None


def _replaced(one: Survival, new: Version, old: Version) -> tuple[PageState, str] | None:
    if one.similar >= 0.08 or one.kept >= 0.1 or len(old.text) < 300:
        return None
    was, now = _kind(old), _kind(new)
    if was and now and was != now:
        return PageState.REPLACED, f"The page holds another document: {now} where {was} stood."
    if not now and not _binds(new.text):
        return (
            PageState.REPLACED,
            "The page holds another text: nothing of the document is left, and it reads like none.",
        )
    if len(new.text) * 4 < len(old.text):
        left = round(100 * len(new.text) / len(old.text))
        return PageState.REPLACED, f"Nothing of the document is left; what stands there is {left} % as long."
    return None


def _norms(version: Version) -> list[str]:
    norms = (" ".join(_WORD.findall(clause.text.casefold())) for clause in version.clauses)
    return [norm for norm in norms if len(norm) >= 3]


def _similar(before: list[str], after: list[str]) -> float:
    wanted = _runs(before)
    return len(wanted & _runs(after)) / len(wanted) if wanted else 0.0


def _runs(norms: list[str]) -> set[tuple[str, str, str]]:
    runs: set[tuple[str, str, str]] = set()
    for norm in norms:
        words = norm.split()
        runs.update(zip(words, words[1:], words[2:], strict=False))
    return runs


def _kind(version: Version) -> str:
    heads = [clause.text for clause in version.clauses[:6] if clause.kind == "heading"][:1]
    title = " ".join([version.title, *heads]).lower()
    return next((name for name, pattern in _KINDS if re.search(pattern, title)), "")


def _binds(text: str) -> bool:
    """Tell whether a text speaks as policies do: of you and us, of what may and must be done."""
    said = _WORD.findall(text.lower()[:60_000])
    if detect(text) != "en":
        return True
    told = sum(word in _BINDING for word in said)
    return told * 100 >= 4 * max(1, len(said))


_BINDING = words(
    "you your we our us may must shall agree agreement terms policy policies services information personal data rights "
    "privacy consent law legal account content users user party parties"
)
