"""Tables of the views: customers, demand and receivables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer
from ops.presenting.layout import grouped, members_in_words, plain_table


def customers_table(answer: Answer, limit: int | None = None) -> Table:
    """Customers with tier and revenue."""
    rows = answer["rows"]
    currency = rows[0]["currency"] if rows else ""
    table = plain_table(
        f"Customers ({_shown(rows, limit)})",
        [("customer", ""), ("known as", "dim"), ("tier", ""), ("lifecycle", "")],
        [f"revenue {currency}", "orders", "invoices", "payments"],
    )
    for row in rows[:limit]:
        table.add_row(
            row["name"] or Text("nameless", style="dim"),
            members_in_words(row["members"]),
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
    table = plain_table(
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
    table = plain_table(
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


def _shown(rows: Sequence[Any], limit: int | None) -> str:
    if limit is None or len(rows) <= limit:
        return f"{len(rows):,}"
    return f"{limit:,} of {len(rows):,}"


def _customer(row: Answer) -> Text:
    """The name, or else the records that the customer is known by."""
    if row["name"]:
        return Text(row["name"])
    return Text(members_in_words(row.get("members", ())) or "nameless", style="dim")


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
