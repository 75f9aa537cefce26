"""Answers as tables for people; what they show is what the JSON says."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from sinks.projection import DATES

if TYPE_CHECKING:
    from ops.status import DocumentCount

Answer = Mapping[str, Any]

_MEMBERS_SHOWN = 4
#: The business date that is shown of each type of document: the first of these that is known.
_DATES = {
    **DATES,
    "rate": ("valid_on",),
    "lead": ("opened_on",),
    "visit": ("visited_on",),
    "target": ("period_from",),
    "production": ("started_on", "planned_start_on"),
    "capacity": ("period_from",),
    "equipment": ("installed_on",),
}
_PLAIN_WIDTH = 160
_NEVER = Text("never", style="dim")
_DIFFERENCES_SHOWN = 100


def out() -> Console:
    """The console of answers: standard output."""
    return _console(stderr=False)


def err() -> Console:
    """The console of what goes on: standard error."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        # A file or a pipe has no width to fit into.
        console.width = _PLAIN_WIDTH
    return console


def print_json(answer: Answer) -> None:
    """Print an answer as JSON on standard output."""
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


def show(answer: Answer, as_json: bool, *tables: RenderableType) -> None:
    """Print the JSON, or the tables made of it."""
    if as_json:
        print_json(answer)
        return
    for table in tables:
        out().print(table)


def grouped(number: str) -> str:
    """Thousands apart: 1234567.50 becomes 1,234,567.50."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}"


def customers_table(answer: Answer, limit: int | None = None) -> Table:
    """Customers with tier and revenue."""
    rows = answer["rows"]
    currency = rows[0]["currency"] if rows else ""
    table = _table(
        f"Customers ({_shown(rows, limit)})",
        [("customer", ""), ("known as", "dim"), ("tier", ""), ("lifecycle", "")],
        [f"revenue {currency}", "orders", "invoices", "payments"],
    )
    for row in rows[:limit]:
        table.add_row(
            row["name"] or Text("nameless", style="dim"),
            _members(row["members"]),
            row["tier"] or "",
            row["lifecycle"],
            grouped(row["revenue"]),
            str(row["orders"]),
            str(row["invoices"]),
            str(row["payments"]),
        )
    return table


def demand_table(answer: Answer, limit: int | None = None, first_month: str = "") -> Table:
    """Demand per product and month, from ``first_month`` (YYYY-MM) on."""
    rows = sorted(
        (row for row in answer["rows"] if row["month"] >= first_month),
        key=lambda row: (row["month"], row["product"]),
    )
    table = _table(
        f"Demand as of {answer['as_of']} ({_shown(rows, limit)})",
        [("month", ""), ("product", ""), ("", "dim")],
        ["orders", "pipeline", "total"],
    )
    for row in rows[:limit]:
        table.add_row(
            row["month"],
            row["product_name"] or "",
            row["product"],
            grouped(row["orders"]),
            grouped(row["pipeline"]),
            grouped(row["total"]),
        )
    return table


def receivables_table(answer: Answer, limit: int | None = None) -> Table:
    """Receivables by age, with the total."""
    rows, total = answer["rows"], answer["total"]
    table = _table(
        f"Receivables as of {answer['as_of']} in {answer['currency']} ({_shown(rows, limit)})",
        [("customer", "")],
        [
            "outstanding",
            "not due",
            *(_days(bucket) for bucket in total["buckets"]),
            "unallocated",
            "items",
            "overdue",
        ],
    )
    for row in rows[:limit]:
        table.add_row(_customer(row), *_amounts(row))
    table.add_section()
    table.add_row("total", *_amounts(total), style="bold")
    for one in answer.get("unconverted", ()):
        table.add_row(
            Text(
                f"{_customer(one)}: {grouped(one['outstanding'])} {one['currency']} without a rate",
                "red",
            )
        )
    return table


def documents_table(answer: Answer) -> Table:
    """Facts, with the fields that every document has."""
    table = _table(
        f"Documents: {answer['document']} ({len(answer['rows'])})",
        [
            ("source", ""),
            ("id", ""),
            ("occurred at", ""),
            ("status", ""),
            ("customer", "dim"),
            ("business date", ""),
        ],
        ["amount", "version"],
    )
    for row in answer["rows"]:
        state = "deleted" if row["deleted"] else row.get("status") or ""
        customer = row.get("customer")
        table.add_row(
            row["source"],
            row["id"],
            row["occurred_at"],
            state,
            _members([customer]) if customer else "",
            business_day(answer["document"], row),
            worth(row),
            str(row["version"]),
        )
    return table


def status_tables(answer: Answer) -> list[RenderableType]:
    """What ``status`` shows."""
    documents = _table("Documents", [("type", "")], ["count", "deleted", "cancelled"])
    for name, one in answer["documents"].items():
        documents.add_row(name, *(f"{one[part]:,}" for part in ("count", "deleted", "cancelled")))
    sources = _table("Sources", [("source", ""), ("newest event", ""), ("", "")], [])
    for one in answer["sources"]:
        sources.add_row(
            one["name"],
            one["newest"] or Text("nothing came", style="dim"),
            Text("silent", style="red") if one["silent"] else "",
        )
    known = all(one["behind"] is not None for one in answer["streams"])
    streams = _table(
        "Streams" if known else "Streams (Kafka does not run)",
        [("stream", ""), ("reads", "dim")],
        ["behind", "dead letters"],
    )
    for one in answer["streams"]:
        behind = "?" if one["behind"] is None else f"{one['behind']:,}"
        streams.add_row(
            one["name"], ", ".join(one["documents"]), behind, f"{one['dead_letters']:,}"
        )
    return [documents, letters_summary(answer["dead_letters_by_reason"]), sources, streams]


def letters_summary(counts: Sequence[Answer]) -> RenderableType:
    """Dead letters by who refused them and why."""
    if not counts:
        return Text("No dead letters.")
    table = _table(
        f"Dead letters ({sum(one['count'] for one in counts):,})",
        [("refused by", ""), ("why", ""), ("document", "")],
        ["count"],
    )
    for one in counts:
        table.add_row(one["stage"], one["code"], one["document"] or "", f"{one['count']:,}")
    return table


def lag_table(answer: Answer) -> Table:
    """Positions against the ends of the logs."""
    total = "Kafka does not run" if answer["total"] is None else f"{answer['total']:,} records"
    table = _table(
        f"Lag: {total}; {answer['outbox']:,} changes wait for the relay",
        [("topic", "")],
        ["partition", "position", "end", "lag", "worker"],
    )
    for row in answer["rows"]:
        named = ("partition", "position", "end", "lag", "worker")
        table.add_row(row["topic"], *("" if row[one] is None else f"{row[one]:,}" for one in named))
    return table


def letters_table(answer: Answer) -> Table:
    """Dead letters, newest first."""
    table = _table(
        f"Dead letters ({len(answer['rows'])})",
        [("id", ""), ("refused by", ""), ("place", ""), ("why", ""), ("done", "dim")],
        [],
    )
    for row in answer["rows"]:
        table.add_row(
            str(row["id"]),
            row["stage"],
            row["place"] or "",
            row["reason"],
            _done(row),
        )
    return table


def _done(letter: Answer) -> str:
    for done in ("replayed", "closed"):
        if at := letter[f"{done}_at"]:
            return f"{done} {at}"
    return ""


def fields_table(answer: Answer) -> Table:
    """One thing with its fields below each other."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in answer.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        table.add_row(Text(name, style="dim"), Text("" if shown is None else str(shown)))
    return table


def replay_table(answer: Answer) -> Table:
    """What became of each dead letter that was tried again."""
    table = _table(
        f"Replayed {answer['replayed']:,}, refused again {answer['failed']:,}",
        [("id", ""), ("", ""), ("why", "")],
        [],
    )
    for row in answer["rows"]:
        state = "replayed" if row["replayed"] else Text("refused", style="red")
        table.add_row(str(row["id"]), state, row["reason"] or "")
    return table


def schemas_table(answer: Answer) -> Table:
    """The subjects of a registry."""
    table = _table(
        f"Schemas ({len(answer['rows'])}, {answer['registry']})",
        [("subject", ""), ("", "dim")],
        ["version", "id"],
    )
    for row in answer["rows"]:
        told = "" if not row["contract"] else "released" if row["released"] else "contract"
        table.add_row(row["subject"], told, str(row["version"]), str(row["id"]))
    return table


def sources_table(answer: Answer) -> Table:
    """The configured sources."""
    table = _table(
        f"Sources ({len(answer['sources'])})",
        [("source", ""), ("kind", ""), ("mapping", ""), ("reads", "dim"), ("last read", "")],
        ["files", "waiting"],
    )
    for one in answer["sources"]:
        named = ("name", "kind", "mapping", "reads")
        table.add_row(
            *(one[name] for name in named),
            Text("paused", style="bold") if one["paused_at"] else one["last_read"] or _NEVER,
            f"{one['files']:,}",
            f"{one['waiting']:,}",
        )
    return table


def findings_table(answer: Answer) -> Table:
    """What was found out about each part of the hub."""
    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "unknown": "dim"}
    columns = [("", ""), ("part", ""), ("found", ""), ("what to do", "bold")]
    table = _table("Doctor", columns, [])
    for one in answer["findings"]:
        state = Text(one["state"], style=styles[one["state"]])
        table.add_row(state, one["part"], Text(one["found"]), Text(one["do"]))
    return table


def cursors_table(answer: Answer) -> Table:
    """How far the parts of a source were read."""
    since = f", paused since {answer['paused_at']}" if answer["paused_at"] else ""
    title = f"Cursors of {answer['source']} ({len(answer['cursors'])}{since})"
    table = _table(title, [("part", ""), ("read to", ""), ("at", "dim")], [])
    for one in answer["cursors"]:
        table.add_row(one["unit"], one["reached"], one["updated_at"])
    return table


def reconciliation_tables(answer: Answer) -> list[Table]:
    """What a source states against what the hub holds."""
    totals = _table(
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
    documents = _table(
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


def reports_table(reports: Sequence[Answer]) -> Table:
    """What was read from each source."""
    named = ("read", "published", "repeated", "rejected", "waiting")
    table = _table("Read", [("source", "")], [*named, "seconds"])
    for one in reports:
        counts = (f"{one[name]:,}" for name in named)
        table.add_row(one["source"], *counts, f"{one['seconds']:.1f}")
    return table


def run_table(before: Mapping[str, DocumentCount], after: Mapping[str, DocumentCount]) -> Table:
    """Documents by type, and how many of them are new since ``before``."""
    table = _table("Documents", [("type", "")], ["count", "new", "deleted", "cancelled"])
    for name, now in after.items():
        counts = (now.count, now.count - before[name].count, now.deleted, now.cancelled)
        table.add_row(name, *(f"{count:,}" for count in counts))
    return table


def _table(title: str, texts: Sequence[tuple[str, str]], numbers: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
    for heading, style in texts:
        table.add_column(heading, style=style, overflow="fold", min_width=min(12, len(heading)))
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def business_day(document: str, row: Answer) -> str:
    """The business date of a document, by its type; empty where it has none."""
    return next((row[name] for name in _DATES.get(document, ()) if row.get(name)), "")


def worth(document: Answer) -> str:
    """What a document says it is worth, without tax; a payment's amount."""
    amount = document.get("net") or document.get("amount")
    return f"{grouped(amount)} {document['currency'] or ''}".strip() if amount else ""


def _shown(rows: Sequence[Any], limit: int | None) -> str:
    if limit is None or len(rows) <= limit:
        return f"{len(rows):,}"
    return f"{limit:,} of {len(rows):,}"


def _members(members: Sequence[Answer]) -> str:
    names = [f"{one['source']} {one['id']}" for one in members]
    more = len(names) - _MEMBERS_SHOWN
    return ", ".join(names[:_MEMBERS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _customer(row: Answer) -> Text:
    """The name, or else the records that the customer is known by."""
    if row["name"]:
        return Text(row["name"])
    return Text(_members(row.get("members", ())) or "nameless", style="dim")


def _days(bucket: Answer) -> str:
    return f"{bucket['from']}+" if bucket["to"] is None else f"{bucket['from']}–{bucket['to']}"


def _amounts(row: Answer) -> list[str]:
    return [
        grouped(row["outstanding"]),
        grouped(row["not_due"]),
        *(grouped(bucket["amount"]) for bucket in row["buckets"]),
        grouped(row["unallocated"]),
        str(row["items"]),
        str(row["overdue_items"]),
    ]
