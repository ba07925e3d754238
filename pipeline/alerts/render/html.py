"""An alert as an HTML page for a mail: one template of ours, or of the user's, with the styles in its elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import css_inline
from jinja2 import DictLoader, Environment, PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from pipeline.alerts.render import words
from pipeline.alerts.render.redline import shown
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, Change, Coverage

WORST, EACH, MOST, STORIES = 6_000, 1_200, 20, 5
TEMPLATE = "alert.html"

Told = AlertRaised | AlertUpdated | AlertWithdrawn


def page(
    told: Told,
    about: AlertRaised | None,
    *,
    links: Links,
    unsubscribe: str = "",
    templates: Mapping[str, str],
    scale: float = 1.0,
) -> tuple[str, str]:
    """Return the HTML, and what to remark on the user's template where that failed and ours was used.

    `scale` shrinks how many changes are shown, and how much of each.
    """
    values = _values(told, about, scale) | _targets(told, about, links, unsubscribe)
    return rendered(TEMPLATE, values, templates)


def rendered(name: str, values: dict[str, object], templates: Mapping[str, str]) -> tuple[str, str]:
    """Return a template of ours or of the user's filled in, and what to remark where the user's failed."""
    if name not in templates:
        return _inlined(_ours().get_template(name).render(values)), ""
    try:
        return _inlined(_theirs(name, templates[name]).get_template(name).render(values)), ""
    except Exception as error:  # it may fail in any way, and the alert is to arrive all the same
        remark = f"Your template {name} failed ({type(error).__name__}); this is the built-in one."
        return _inlined(_ours().get_template(name).render(values | {"remark": remark})), f"\n{remark}\n"


def _values(told: Told, about: AlertRaised | None, scale: float) -> dict[str, object]:
    """Return what a template can say of an alert, or of an update of one; every text is clean."""
    alert = told if isinstance(told, AlertRaised) else about
    common = {
        "subject": words.subject(alert) if alert else f"Alert {told.alert_id}",
        "severity": "" if alert is None or alert.kind == "story" else str(alert.severity),
        "lead": words.lead(alert) if alert else "",
        "summary": words.account(alert) if alert else "",
        "notice": words.notice(told) if isinstance(told, AlertRaised) else words.update_title(told),
        "withdrawn": isinstance(told, AlertWithdrawn),
        "alert_id": told.alert_id,
        "remark": "",
    }
    return common | (_content(told, scale) if isinstance(told, AlertRaised) else _news_of(told))


def _content(alert: AlertRaised, scale: float) -> dict[str, object]:
    ranked = words.by_importance(alert.changes)[: max(int(MOST * scale), 1)]
    return {
        "update": "",
        "reason": "",
        "changes": [clause(change, (EACH if at else WORST) * scale) for at, change in enumerate(ranked)],
        "more": words.more(alert, ranked),
        "facts": words.facts(ranked),
        "when": words.when(alert),
        **_news(alert.coverage),
    }


def _news_of(told: AlertUpdated | AlertWithdrawn) -> dict[str, object]:
    return {
        "update": words.update_title(told),
        "reason": words.sentence(words.because(told)),
        "changes": [],
        "more": "",
        "facts": [],
        "when": [],
        **_news(told.coverage if isinstance(told, AlertUpdated) else ()),
    }


def _targets(told: Told, about: AlertRaised | None, links: Links, unsubscribe: str) -> dict[str, object]:
    """Return where the reader can go; a URL that is none of the web is left out."""
    alert = told if isinstance(told, AlertRaised) else about
    return {
        "page": web(alert.document.url) if alert and alert.document else "",
        "redline": web(links.redline),
        "evidence": web(links.evidence),
        "unsubscribe": web(unsubscribe),
        "sha256": alert.evidence.new.body.sha256 if alert and alert.evidence else "",
    }


def clause(change: Change, room: float) -> dict[str, object]:
    """Return what a template shows of a change, its redline within so many characters."""
    clip = shown(change, max(int(room), 80))
    return {
        "place": words.place(change),
        "verb": words.verb(change),
        "severity": str(change.severity),
        "spans": clip.spans,
        "whole": all(
            op not in "-=" for op, _ in clip.spans
        ),  # a new clause: its label says so, no underlining
        "words_left": clip.untold,
    }


def _news(coverage: Sequence[Coverage]) -> dict[str, object]:
    return {
        "news": [
            {"title": words.one_line(item.title, 150), "url": web(item.url), "by": words.coverage(item)}
            for item in coverage[:STORIES]
        ],
        "news_more": max(len(coverage) - STORIES, 0),
    }


def web(url: str) -> str:
    """Return a URL where it is one to link to, else nothing."""
    return url if words.is_web(url) else ""


def _inlined(html: str) -> str:
    """Return HTML whose styles stand in its elements; what only a style sheet can say stays in one."""
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return str(inliner.inline(html))


@cache
def _ours() -> Environment:
    return Environment(
        loader=PackageLoader("pipeline.alerts.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _theirs(name: str, source: str) -> Environment:
    return SandboxedEnvironment(loader=DictLoader({name: source}), autoescape=True)
