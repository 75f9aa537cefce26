"""Tables of sources: their list, cursors and runs, and what they state against what is held."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer
from ops.presenting.layout import grouped, plain_table

_NEVER = Text("never", style="dim")
_DIFFERENCES_SHOWN = 100


def sources_table(answer: Answer) -> Table:
    """The configured sources; below them what keeps some from being read."""
    failing = [one for one in answer["sources"] if one["failing"]]
    table = plain_table(
        f"Sources ({len(answer['sources'])})",
        [("source", ""), ("kind", ""), ("mapping", ""), ("reads", "dim"), ("last read", "")],
        ["files", "waiting"],
    )
    for one in answer["sources"]:
        named = ("name", "kind", "mapping", "reads")
        table.add_row(
            *(one[name] for name in named),
            _read(one),
            f"{one['files']:,}",
            f"{one['waiting']:,}",
        )
    if failing:
        table.caption_justify = "left"
        table.caption = Text(
            "\n".join(
                f"{one['name']} fails since {one['failing']['since']}: {one['failing']['error']}"
                for one in failing
            )
        )
    return table


def _read(one: Answer) -> Text | str:
    if one["paused_at"]:
        return Text("paused", style="bold")
    if one["failing"]:
        return Text("failing", style="bold")
    return one["last_read"] or _NEVER


def cursors_table(answer: Answer) -> Table:
    """How far the parts of a source were read."""
    since = f", paused since {answer['paused_at']}" if answer["paused_at"] else ""
    title = f"Cursors of {answer['source']} ({len(answer['cursors'])}{since})"
    table = plain_table(title, [("part", ""), ("read to", ""), ("at", "dim")], [])
    for one in answer["cursors"]:
        table.add_row(one["unit"], one["reached"], one["updated_at"])
    return table


def reports_table(reports: Sequence[Answer]) -> Table:
    """What was read from each source."""
    named = ("read", "published", "repeated", "rejected", "waiting")
    table = plain_table("Read", [("source", "")], [*named, "seconds"])
    for one in reports:
        counts = (f"{one[name]:,}" for name in named)
        table.add_row(one["source"], *counts, f"{one['seconds']:.1f}")
    return table


def reconciliation_tables(answer: Answer) -> list[Table]:
    """What a source states against what the hub holds."""
    totals = plain_table(
        f"Totals of {answer['source']}",
        [("document", ""), ("period", ""), ("currency", ""), ("", "")],
        ["stated", "held", "stated sum", "held sum"],
    )
    for one in answer["totals"]:
        stated, held = one["stated"], one["held"]
        totals.add_row(
            one["document"],
            one["period"],
            one["currency"] or "",
            "" if one["agrees"] else Text("differs", style="bold"),
            f"{stated['count']:,}",
            f"{held['count']:,}",
            grouped(stated["sum"]) if stated["sum"] else "",
            grouped(held["sum"]) if held["sum"] else "",
        )
    rows = answer["differences"]
    if not rows:
        return [totals]
    shown = f"{len(rows):,}" if len(rows) <= _DIFFERENCES_SHOWN else f"the first of {len(rows):,}"
    documents = plain_table(
        f"Documents that differ ({shown})",
        [("", "bold"), ("document", ""), ("id", ""), ("date", "")],
        ["stated", "held", "by"],
    )
    for one in rows[:_DIFFERENCES_SHOWN]:
        stated, held = one["stated"] or {}, one["held"] or {}
        documents.add_row(
            one["kind"],
            one["document"],
            one["id"],
            stated.get("date") or held.get("date") or "",
            stated.get("amount") or "",
            held.get("amount") or "",
            one["by"] or "",
        )
    return [totals, documents]
