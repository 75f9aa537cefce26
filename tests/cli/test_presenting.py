"""Tables name what they show, also where a source gave no name."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from ops.answers import nameless_ids, with_members
from ops.presenting.documents import documents_table
from ops.presenting.views import receivables_table

AMOUNTS = {
    "outstanding": "1.00",
    "not_due": "1.00",
    "buckets": [],
    "unallocated": "0.00",
    "items": 1,
    "overdue_items": 0,
}


def printed(table: Table) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_a_customer_without_a_name_is_shown_by_its_records() -> None:
    answer: dict[str, Any] = {
        "as_of": "2026-03-31",
        "currency": "EUR",
        "total": AMOUNTS,
        "rows": [{"id": "7", "name": None, **AMOUNTS}, {"id": "8", "name": "Adler", **AMOUNTS}],
        "unconverted": [{"id": "9", "name": None, "currency": "XAU", "outstanding": "2"}],
    }
    assert nameless_ids(answer) == ["7", "9"]
    known = with_members(answer, {"7": [("books", "C1")], "9": [("books", "C9")]})
    assert known["rows"][0]["members"] == [{"source": "books", "id": "C1"}]
    assert "members" not in known["rows"][1]
    shown = printed(receivables_table(known))
    assert "books C1" in shown
    assert "Adler" in shown
    assert "books C9: 2 XAU" in shown


def test_documents_are_listed_with_customer_business_date_and_amount() -> None:
    invoice = {
        "source": "erp",
        "id": "9002",
        "occurred_at": "2026-08-06T00:00:00Z",
        "deleted": False,
        "version": 1,
        "status": "posted",
        "customer": {"source": "erp", "id": "10004"},
        "invoiced_on": "2026-08-06",
        "net": "1450000",
        "currency": "CNY",
    }
    product = {**dict.fromkeys(("source", "id", "occurred_at"), "x"), "deleted": True, "version": 2}
    shown = printed(documents_table({"document": "invoice", "rows": [invoice, product]}))
    for words in ("status", "customer", "erp 10004", "2026-08-06 ", "1,450,000 CNY", "deleted"):
        assert words in shown
