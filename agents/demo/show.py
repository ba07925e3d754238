"""What the person at the terminal sees: the days as they pass, each alert as its reader has it, and what next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.demo.delivered import Alert
from agents.demo.inbox import Inbox
from agents.demo.story import Day, Item
from agents.demo.verdict import Check
from pipeline.events import Channel

CHANNELS = (Channel.SLACK, Channel.WEBHOOK, Channel.EMAIL)
MOST_LINES = {Channel.SLACK: 20, Channel.WEBHOOK: 20, Channel.EMAIL: 12}  # shown; the files have them whole
LOG = "log.jsonl"
MARK = {True: ("✓", "green"), False: ("✗", "bold red")}


def opening(console: Console, days: int, documents: int, items: int) -> None:
    """Say what is about to happen."""
    console.print(
        f"Real pages of {documents} policies on {days} days of autumn 2024, and {items} news items, "
        "served on 127.0.0.1.\nThe real program polls them, and tells Slack, a webhook and a mailbox.\n",
        highlight=False,
    )


def day_line(console: Console, day: Day, came: int, updates: int, seconds: float) -> None:
    """Say what a day brought."""
    told = f"{came} alert{'' if came == 1 else 's'}" if came else "silence"
    more = f", {updates} update{'' if updates == 1 else 's'}" if updates else ""
    console.print(
        Text.assemble(
            (f"{day.date:%d %b %Y}  ", "bold"),
            (day.title, "cyan"),
            (f"  → {told}{more}", "bold green" if came else "dim"),
            (f"  ({seconds:.1f} s)", "dim"),
        )
    )
    console.print(Text(f"             {day.why}", "dim"), soft_wrap=True)


def alert_view(console: Console, alert: Alert, covering: Sequence[Item]) -> None:
    """Show one alert as its readers have it: in Slack, as JSON, as a mail."""
    data = alert.data
    _headed(console, str(data.get("title") or alert.document))
    for channel in CHANNELS:
        arrival = alert.messages.get(channel)
        if arrival is None:
            continue
        text = _brief(data) if channel is Channel.WEBHOOK else arrival.text
        title = f"{_NAMES[channel]} · {arrival.file}"
        _framed(console, title, _redlined(_cut(text, MOST_LINES[channel])))
    if covering:
        console.print(f"Told of it: {', '.join(item.outlet for item in covering)}.\n", highlight=False)


_NAMES = {Channel.SLACK: "Slack", Channel.WEBHOOK: "Webhook", Channel.EMAIL: "Mail"}


def _brief(data: dict[str, Any]) -> str:
    """Return what a program would look at first in a webhook's body."""
    lines = [
        f"{key}: {data[key]}" for key in ("alert_id", "kind", "severity", "effective_date") if data.get(key)
    ]
    changes = data.get("changes", [])
    lines += [f"counts: {data['counts']}"] if data.get("counts") else []
    for change in changes[:3]:
        path = " › ".join(change["heading_path"][-2:])
        lines.append(f"{change['type']} · {change['category']} · {change['severity']} · {path}")
    evidence = (data.get("evidence") or {}).get("new")
    lines += [f"evidence: sha256 {evidence['sha256'][:16]}… of {evidence['url']}"] if evidence else []
    lines += [f"watches: {', '.join(data['watches'])}"] if data.get("watches") else []
    return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if len(lines) <= most + 1:
        return "\n".join(lines)
    return "\n".join([*lines[:most], f"… and {len(lines) - most} more lines in the file"])


def _headed(console: Console, title: str) -> None:
    if console.is_terminal:
        console.rule(Text(title, "bold"), align="left")
    else:
        console.print(f"\n=== {title}", markup=False, highlight=False, soft_wrap=True)


def _framed(console: Console, title: str, text: Text) -> None:
    """Show a message in a frame, or under a plain title where output is no terminal."""
    if console.is_terminal:
        console.print(Panel(text, title=title, title_align="left", border_style="dim"), soft_wrap=False)
    else:
        console.print(f"\n--- {title}", markup=False, highlight=False, soft_wrap=True)
        console.print(text, soft_wrap=True)


def _redlined(text: str) -> Text:
    """Return a text whose removed and added words are coloured as well as marked."""
    shown = Text(text)
    shown.highlight_regex(r"\[-.*?-\]", "red")
    shown.highlight_regex(r"\{\+.*?\+\}", "green")
    return shown


def latencies(console: Console, alerts: Sequence[Alert]) -> None:
    """Show how long each alert took from the fetch of its page to each reader."""
    table = Table(title="From fetch to delivery", title_justify="left", box=None, pad_edge=False)
    table.add_column("alert")
    for channel in CHANNELS:
        table.add_column(_NAMES[channel], justify="right")
    for alert in (one for one in alerts if one.fetched_at):
        waits = (alert.waited_s(channel) for channel in CHANNELS)
        table.add_row(alert.document, *(f"{wait:.2f} s" if wait is not None else "" for wait in waits))
    console.print(table)


def checks(console: Console, found: Sequence[Check]) -> None:
    """Show every check of the demo."""
    console.print()
    for check in found:
        mark, style = MARK[check.holds]
        console.print(Text.assemble((f"{mark} ", style), check.says))


def closing(console: Console, folder: Path, inbox: Inbox, seconds: float, *, well: bool) -> None:
    """Say where everything lies, and what to type next."""
    counts = ", ".join(f"{_NAMES[one]} {sum(a.channel is one for a in inbox.arrivals)}" for one in CHANNELS)
    console.print(
        f"\nMessages: {counts}.\nThey lie in {folder}/slack, {folder}/webhook and {folder}/email; "
        f"what the program logged is in {folder}/{LOG}.\n"
        f"{'All as it should be' if well else 'Not as it should be'}, in {seconds:.0f} s.\n\n"
        "Next:\n"
        f"  clausewire topics list --config {folder}/clausewire.yaml     what the log holds\n"
        f"  clausewire replay --topic pages.fetched --config {folder}/clausewire.yaml\n"
        "  clausewire init && clausewire run                       your own policies\n",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
