"""Every judge that is not ours, on everything we send. Run as `python -m tests.judges.run [--data DIR] [--out DIR]`.

The last line is `judges: N passed, N failed`, and the exit status is 1 when one failed. A judge that is not
installed judges nothing: it is named with the command that installs it, and fails with `--strict`.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from pipeline.alerts.render.webhook import CONTENT_TYPE
from pipeline.events import AlertRaised
from tests.judges import blocks, endpoints, fuzz, mails, posts, screens
from tests.judges.cases import Case, alerts_of, data_pairs, demo_pairs, ours, together, told
from tests.judges.tools import node
from tests.judges.verdict import Finding, NotInstalledError, finding

OUT = Path("demo-output") / "judges"
SPAM_MAILS, SCREEN_MAILS, SENT_MAILS, POSTED = 60, 36, 40, 60

NPM = ("standardwebhooks", "svix")

Faults = Iterable[str]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A body as posted, with its content type."""

    name: str
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Somebody else's opinion: its name, what it looks at, and how it is asked."""

    name: str
    of: str
    looks_at: int
    ask: Callable[[], Faults | Awaitable[Faults]]


def judges(cases: Sequence[Case], out: Path) -> list[Judge]:
    """Return the judges, the quick ones first."""
    some, few = _spread(cases, POSTED), _spread(cases, SENT_MAILS)
    shown, read = _spread(cases, SCREEN_MAILS), _spread(cases, SPAM_MAILS)
    given = [*asyncio.run(posts.sent(some)), *posts.posts(some, datetime.now(UTC))]
    bodies = [Body(name=case.name, type=CONTENT_TYPE, body=case.body().decode()) for case in cases]
    return [
        *(Judge(f"{one.name} (PyPI)", "posts", len(given), _asked(one, given)) for one in posts.LIBRARIES),
        *(Judge(f"{one} (npm)", "posts", len(given), _passed_on(one, given)) for one in NPM),
        Judge("cloudevents, strict (npm)", "posts", len(bodies), _passed_on("cloudevents", bodies)),
        Judge("slack_sdk's Block Kit models", "messages", len(cases), lambda: blocks.by_slack_sdk(cases)),
        Judge("slackblocks' limits", "messages", len(cases), lambda: blocks.by_slackblocks(cases)),
        Judge("documented limits of Slack", "messages", len(cases), lambda: blocks.by_limits(cases)),
        Judge("aiosmtpd over TLS", "mails", len(few), lambda: mails.undelivered(few, "tls")),
        Judge(
            "aiosmtpd over STARTTLS, with login",
            "mails",
            len(few),
            lambda: mails.undelivered(few, "starttls"),
        ),
        Judge("strict parser of the standard library", "mails", len(cases), lambda: mails.unreadable(cases)),
        Judge("listunsub", "mails", len(cases), lambda: mails.unleavable(cases)),
        Judge("SSRF survey", "endpoints", len(endpoints.wanted()), endpoints.misjudged),
        Judge("caniemail (npm)", "mails", len(read), lambda: mails.unsupported(read)),
        Judge("SpamAssassin, local rules", "mails", len(read), lambda: mails.spam(read)),
        Judge(
            "Chromium, phone and desktop, light and dark",
            "mails",
            len(shown),
            lambda: screens.misshapen(shown, out),
        ),
        Judge("schemathesis", "operations", fuzz.operations(), fuzz.violations),
    ]


def _asked(library: posts.Library, given: Sequence[posts.Post]) -> Callable[[], Faults]:
    return lambda: posts.misjudged(library, given)


def _passed_on(name: str, given: Sequence[msgspec.Struct]) -> Callable[[], Faults]:
    return lambda: [str(fault) for fault in node(name, given)]


def _spread(cases: Sequence[Case], most: int) -> list[Case]:
    """Return so many cases, all of our own making first and then from end to end of the others."""
    own, others = ours(), cases[len(ours()) :]
    left = max(most - len(own), most // 2)
    step = max(len(others) // left, 1) if others else 1
    return [*own[: most - min(left, len(others))], *islice(others[::step], left)]


def gathered(data: Path | None, most: int) -> tuple[list[Case], Judge]:
    """Return our own cases and one for each alert that the pairs raise, and whether every pair came through."""
    pairs = data_pairs(data) if data else demo_pairs()
    pairs = pairs[:: max(len(pairs) // most, 1)][:most] if most else pairs
    cases, fallen, began = ours(), list[str](), time.monotonic()
    for number, (pair, alert) in enumerate(alerts_of(pairs), 1):
        if isinstance(alert, AlertRaised):
            cases.append(told(pair.name, alert))
        elif alert is not None:
            fallen.append(f"{pair.name}: {alert}")
        if number % 100 == 0 or number == len(pairs):
            spent = time.monotonic() - began
            print(
                f"{number} of {len(pairs)} pairs, {len(cases)} deliveries to judge, {spent:.0f} s", flush=True
            )
    cases += together(cases[len(ours()) :])
    return cases, Judge("every pair becomes an alert, or none", "pairs", len(pairs), lambda: fallen)


def judged(judge: Judge) -> Finding | NotInstalledError:
    """Ask a judge; what it breaks on is a fault."""
    try:
        said = judge.ask()
        faults = asyncio.run(_waited(said)) if inspect.isawaitable(said) else said
        return finding(judge.looks_at, judge.of, faults)
    except NotInstalledError as error:
        return error
    except Exception as error:  # a judge that falls over has not found us right
        return finding(judge.looks_at, judge.of, [f"{type(error).__name__}: {error}"])


async def _waited(said: Awaitable[Faults]) -> Faults:
    return await said


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask every judge and print what each says; return 1 when one is not content."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with policies/pairs.jsonl; without it the demo's pages"
    )
    parser.add_argument("--pairs", type=int, default=0, help="judge so many pairs, evenly spread; 0 for all")
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    parser.add_argument("--only", default="", help="only judges whose name holds this")
    parser.add_argument("--strict", action="store_true", help="a judge that is not installed fails")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    cases, compared = gathered(options.data, options.pairs)
    passed = failed = 0
    for judge in (compared, *judges(cases, options.out)):
        if options.only.lower() not in judge.name.lower():
            continue
        found = judged(judge)
        failed += not tell(judge, found, strict=options.strict)
        passed += isinstance(found, Finding) and found.holds
    print(f"judges: {passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def tell(judge: Judge, found: Finding | NotInstalledError, *, strict: bool) -> bool:
    """Print what a judge says; False when it counts as failed."""
    if isinstance(found, NotInstalledError):
        print(f"NOT RUN  {judge.name}: {found}. This judged nothing; to have it: {found.remedy}", flush=True)
        return not strict
    print(f"{'pass' if found.holds else 'FAIL'}     {judge.name}: {found.looked_at} {found.of}", flush=True)
    for line in found.lines():
        print(f"         - {line}", flush=True)
    return found.holds


if __name__ == "__main__":
    sys.exit(main())
