"""The generic CSV profiles read files as a spreadsheet writes them: with a mark and `;`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.sources import SampleSource, profile

pytestmark = pytest.mark.stack

Row = dict[str, str]


def write(source: SampleSource, name: str, rows: Sequence[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    source.write(name, text.getvalue(), "utf-8-sig")


def test_invoices_are_joined_with_the_files_of_their_lines_and_instalments(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, tmp_path, profile("csv_invoice"))
    invoice = {
        "id": "R-1",
        "recorded_at": "2026-01-25T10:00:00Z",
        "customer": "K-1",
        "kind": "invoice",
        "invoiced_on": "2026-01-25",
        "net": "100.00",
        "gross": "119.00",
        "currency": "EUR",
        "status": "posted",
        "terms.code": "N30",
        "terms.days": "30",
    }
    other = {**invoice, "id": "R-2", "terms.code": "", "terms.days": ""}
    write(source, "invoice.csv", [invoice, other])
    lines = [
        {"invoice_id": "R-1", "number": "2", "product": "P;2", "net_amount": "40.00"},
        {"invoice_id": "R-1", "number": "1", "product": 'P "1"', "net_amount": "60.00"},
        {"invoice_id": "R-2", "number": "1", "product": "", "net_amount": "100.00"},
    ]
    write(source, "invoice_lines.csv", lines)
    due = {"invoice_id": "R-1", "number": "1", "due_on": "2026-02-24", "amount": "119.00"}
    write(source, "invoice_instalments.csv", [due])
    report = source.run()
    assert (report.published, report.rejected, report.waiting) == (2, 0, 0)
    standing = {key[1]: document for key, document in source.standing().items()}
    first, second = standing["R-1"], standing["R-2"]
    assert [(one["number"], one["product"]["id"], one["net_amount"]) for one in first["lines"]] == [
        ("1", 'P "1"', Decimal(60)),
        ("2", "P;2", Decimal(40)),
    ]
    assert [(one["due_on"], one["amount"]) for one in first["instalments"]] == [
        (date(2026, 2, 24), Decimal(119))
    ]
    assert (first["terms"]["code"], first["terms"]["days"]) == ("N30", 30)
    assert (first["customer"], first["gross"]) == ({"source": "sample", "id": "K-1"}, Decimal(119))
    assert (second["terms"], second["instalments"], len(second["lines"])) == (None, [], 1)
    assert source.run().published == 0


def test_customers_have_their_lists_terms_and_changes(database_url: str, tmp_path: Path) -> None:
    source = SampleSource(database_url, tmp_path, profile("csv_customer"))
    customer = {
        "id": "K-1",
        "recorded_at": "2026-01-25T10:00:00Z",
        "name": "杭州水泵有限公司",
        "phones": "+49 30 1;+49 30 2",
        "terms.days": "14",
        "blocked": "false",
        "same_as.source": "crm",
        "same_as.id": "acc-1",
    }
    write(source, "customer.csv", [customer])
    assert source.run().published == 1
    moved = {**customer, "recorded_at": "2026-01-26T10:00:00Z", "blocked": "true"}
    write(source, "customer.csv", [customer, moved])
    assert source.run().published == 1
    (found,) = source.standing().values()
    assert (found["name"], found["phones"]) == (customer["name"], ["+49 30 1", "+49 30 2"])
    assert (found["blocked"], found["terms"]["days"]) == (True, 14)
    assert found["same_as"] == [{"source": "crm", "id": "acc-1"}]
