"""Tables of documents: what the hub holds of one type, and what a run brought of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from ops.presenting.console import Answer
from ops.presenting.layout import grouped, members_in_words, plain_table
from sinks.projection import DATES

if TYPE_CHECKING:
    from ops.status import DocumentCount

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


def documents_table(answer: Answer) -> Table:
    """Facts, with the fields that every document has."""
    table = plain_table(
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
            members_in_words([customer]) if customer else "",
            business_day(answer["document"], row),
            worth(row),
            str(row["version"]),
        )
    return table


def business_day(document: str, row: Answer) -> str:
    """The business date of a document, by its type; empty where it has none."""
    return next((row[name] for name in _DATES.get(document, ()) if row.get(name)), "")


def worth(document: Answer) -> str:
    """What a document says it is worth, without tax; a payment's amount."""
    amount = document.get("net") or document.get("amount")
    return f"{grouped(amount)} {document['currency'] or ''}".strip() if amount else ""


def run_table(before: Mapping[str, DocumentCount], after: Mapping[str, DocumentCount]) -> Table:
    """Documents by type, and how many of them are new since ``before``."""
    table = plain_table("Documents", [("type", "")], ["count", "new", "deleted", "cancelled"])
    for name, now in after.items():
        counts = (now.count, now.count - before[name].count, now.deleted, now.cancelled)
        table.add_row(name, *(f"{count:,}" for count in counts))
    return table
