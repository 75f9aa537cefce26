"""The profile for Kingdee K/3 on invented rows of its tables, as exports and in a database."""

from __future__ import annotations

import csv
import random
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.dry_run import DryRun, dry_run, dry_run_of
from connectors.mapping import load_mapping
from tests.connectors.sources import FIXTURES, SampleSource, copied, profile
from tests.connectors.tables import TableSource, source_url

__all__ = ["source_url"]

FOLDER = FIXTURES / "kingdee_k3"


@pytest.fixture(scope="module")
def k3() -> DryRun:
    return dry_run(profile("kingdee_k3"), str(FOLDER))


def by_id(run: DryRun, document: str) -> dict[str, dict[str, Any]]:
    return {draft.id: draft.body for draft in run.drafts if draft.document == document}


def test_settlement_with_several_invoices_is_rejected_and_nothing_else(k3: DryRun) -> None:
    assert [(one.place, one.code) for one in k3.rejections] == [
        ("t_RP_NewReceiveBill.csv:7", "several_invoices")
    ]


def test_parties_are_known_by_their_numbers(k3: DryRun) -> None:
    customers = by_id(k3, "customer")
    assert {key: body["deleted"] for key, body in customers.items()} == {
        "01.001": False,
        "01.002": False,
        "01.003": True,
    }
    assert customers["01.001"]["tax_id"] == "91350100M000100Y43"
    assert customers["01.001"]["phones"] == ["0512-5550001"], "NULL is no number"
    assert list(by_id(k3, "employee")) == ["E01"], "of all items only the employees"


def test_only_audited_orders_that_are_not_void_changed_or_of_another_class_count(
    k3: DryRun,
) -> None:
    # 1003 draft, 1004 void, 1005 replaced by a change, 1006 of the class 1007100.
    assert list(by_id(k3, "order")) == ["SEOrder:1001", "SEOrder:1002", "SEOrder:1007"]
    assert by_id(k3, "order")["SEOrder:1002"]["status"] == "closed"


def test_order_line_counts_in_its_own_unit_and_has_its_own_date(k3: DryRun) -> None:
    first, second = by_id(k3, "order")["SEOrder:1001"]["lines"]
    assert first["quantity"] == Decimal(10), "FAuxQty, not the 120 of FQty"
    assert (first["wanted_on"], first["promised_on"]) == (date(2026, 4, 1), date(2026, 4, 5))
    assert second["wanted_on"] == date(2026, 4, 15)
    assert "promised_on" not in second


def test_tax_rate_and_tax_amount_of_an_order_line_are_a_discount(k3: DryRun) -> None:
    line = by_id(k3, "order")["SEOrder:1001"]["lines"][0]
    # FTaxAmount is 50.00 of discount, FTaxAmt the 123.50 of tax.
    assert (line["net_amount"], line["gross_amount"]) == (Decimal("950.00"), Decimal("1073.50"))


def test_currency_is_in_iso_4217(k3: DryRun) -> None:
    orders = by_id(k3, "order")
    assert (orders["SEOrder:1001"]["currency"], orders["SEOrder:1002"]["currency"]) == (
        "CNY",
        "USD",
    )


def test_shipments_are_the_sales_bills_and_red_ones_negative(k3: DryRun) -> None:
    shipments = by_id(k3, "shipment")
    assert {key: body["lines"][0]["quantity"] for key, body in shipments.items()} == {
        "21:1001": Decimal(4),
        "21:1002": Decimal(-1),  # red, written as -1
        "21:1004": Decimal(-2),  # red, written as 2
    }
    assert shipments["21:1001"]["customer"]["id"] == "01.001", "FSupplyID is the customer"
    line = shipments["21:1001"]["lines"][0]
    assert (line["order"]["id"], line["order_line"]) == ("SEOrder:1001", "1")
    assert "order" not in shipments["21:1004"]["lines"][0]


def test_tax_comes_on_top_of_a_vat_invoice_and_is_within_an_ordinary_one(k3: DryRun) -> None:
    assert {
        key: (body["kind"], body["net"], body["gross"])
        for key, body in by_id(k3, "invoice").items()
    } == {
        "80:1001": ("invoice", Decimal("380.00"), Decimal("429.40")),
        "86:1002": ("invoice", Decimal("2000.00"), Decimal("2000.00")),
        "80:1003": ("credit_note", Decimal("95.00"), Decimal("107.35")),  # red, -95.00
        "86:1005": ("credit_note", Decimal("100.00"), Decimal("113.00")),  # red, 113.00
        "80:1006": ("invoice", Decimal("100.00"), Decimal("113.00")),
    }


def test_invoice_names_order_shipment_and_plan(k3: DryRun) -> None:
    invoices = by_id(k3, "invoice")
    invoice = invoices["80:1001"]
    # The contact of the supplier's invoice with the same FInvoiceID is another one.
    assert [(part["due_on"], part["amount"]) for part in invoice["instalments"]] == [
        (date(2026, 5, 3), Decimal("229.40")),
        (date(2026, 6, 3), Decimal("200.00")),
    ]
    line = invoice["lines"][0]
    assert (line["order"]["id"], line["shipment"]["id"]) == ("SEOrder:1001", "21:1001")
    assert "shipment" not in invoices["80:1006"]["lines"][0], "it was made from an order notice"


def test_payment_is_a_receipt_an_advance_or_a_refund(k3: DryRun) -> None:
    assert {key: (body["kind"], body["amount"]) for key, body in by_id(k3, "payment").items()} == {
        "601": ("receipt", Decimal("300.00")),
        "602": ("receipt", Decimal("500.00")),
        "603": ("refund", Decimal("-20.00")),
    }


def test_settlement_with_an_invoice_is_an_allocation_and_with_an_opening_item_is_not(
    k3: DryRun,
) -> None:
    (allocation,) = by_id(k3, "payment")["601"]["allocations"]
    assert (allocation["invoice"]["id"], allocation["amount"], allocation["allocated_on"]) == (
        "80:1001",
        Decimal("250.00"),
        date(2026, 5, 4),
    )


def test_production_order_has_the_status_of_its_work_and_the_quantities_of_its_unit(
    k3: DryRun,
) -> None:
    orders = by_id(k3, "production")
    # 2004 is void.
    assert {key: body["status"] for key, body in orders.items()} == {
        "ICMO:2001": "started",
        "ICMO:2002": "finished",
        "ICMO:2003": "planned",
        "ICMO:2005": "released",
    }
    started = orders["ICMO:2001"]
    assert (started["quantity_planned"], started["quantity_finished"]) == (Decimal(10), Decimal(4))
    assert (started["product"]["id"], started["order"]["id"]) == ("XE215", "SEOrder:1001")
    assert (started["production_line"], "finished_on" in started) == ("D05", False)
    assert orders["ICMO:2002"]["finished_on"] == date(2026, 3, 13)
    assert "order" not in orders["ICMO:2002"], "it is made for stock"


def test_stock_is_the_sum_of_its_batches_on_the_day_of_the_export(k3: DryRun) -> None:
    stock = by_id(k3, "stock")
    assert {key: (body["site"], body["quantity"]) for key, body in stock.items()} == {
        "ICInventory:301:171": ("W01", Decimal("48.5")),
        "ICInventory:301:172": ("172", Decimal(-1)),
        "ICInventory:302:171": ("W01", Decimal(7)),
    }
    midnight = datetime(2026, 4, 29, 16, tzinfo=UTC)  # the 30th in Shanghai
    assert {body["counted_at"] for body in stock.values()} == {midnight}


@pytest.mark.stack
def test_stock_that_is_in_no_newer_export_is_gone_and_a_batch_leaves_its_sum(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("kingdee_k3", tmp_path), profile("kingdee_k3"))
    source.run()
    head, first, *_, last = (FOLDER / "ICInventory" / "20260430.csv").read_text().splitlines()
    source.write("ICInventory/20260507.csv", "\n".join((head, first, last)) + "\n")
    assert source.run().rejected == 0
    standing = source.standing()
    stock = {
        key: standing["supply.stock.v1", f"ICInventory:{key}"] for key in ("301:171", "301:172")
    }
    assert (stock["301:171"]["quantity"], stock["301:171"]["deleted"]) == (Decimal(36), False)
    assert stock["301:172"]["deleted"] is True


@pytest.mark.stack
def test_rows_in_another_order_and_twice_give_the_same_documents(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("kingdee_k3", tmp_path), profile("kingdee_k3"))
    source.run()
    once = source.standing()
    assert source.run().published == 0
    for file in sorted(source.folder.rglob("*.csv")):
        head, *lines = file.read_text().splitlines(keepends=True)
        random.Random(3).shuffle(lines)
        file.write_text(head + "".join(lines))
    assert source.run().published == 0
    assert source.standing() == once


@pytest.mark.stack
def test_what_was_shipped_changes_the_order_line_and_not_the_order(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("kingdee_k3", tmp_path), profile("kingdee_k3"))
    source.run()
    file = source.folder / "SEOrderEntry.csv"
    file.write_text(file.read_text().replace(",NULL,0,0", ",NULL,3,3"))
    assert source.run().published == 0


TEXTS = ("FNumber", "FName", "FShortName", "FBillNo", "FTaxNum", "FPhone", "FBatchNo")


def column_type(name: str, values: list[str | None]) -> str:
    """The type that the column has in a real table, as far as its values tell."""
    filled = [value for value in values if value is not None]
    for pattern, found in (
        (r"-?\d+", "integer"),
        (r"-?\d+(\.\d+)?", "numeric(23, 10)"),
        (r"\d{4}-\d\d-\d\d .*", "timestamp"),
    ):
        if filled and name not in TEXTS and all(re.fullmatch(pattern, value) for value in filled):
            return found
    return "varchar(200)"


def fill_tables(source: TableSource) -> None:
    for file in sorted(FOLDER.rglob("*.csv")):
        with file.open(encoding="utf-8", newline="") as opened:
            head, *lines = csv.reader(opened)
        rows = [[None if value in ("", "NULL") else value for value in line] for line in lines]
        columns = ", ".join(
            f'"{name}" {column_type(name, [row[at] for row in rows])}'
            for at, name in enumerate(head)
        )
        table = file.stem if file.parent == FOLDER else file.parent.name
        source.execute(f'CREATE TABLE "{table}" ({columns})')
        values = ", ".join(f":{name}" for name in head)
        source.execute(
            f'INSERT INTO "{table}" VALUES ({values})',
            [dict(zip(head, row, strict=True)) for row in rows],
        )


@pytest.fixture(params=["postgresql", "sqlite"])
def tables(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> TableSource:
    url = f"sqlite:///{tmp_path / 'k3.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("source_url")
    source = TableSource(database_url, url, profile("kingdee_k3"))
    fill_tables(source)
    return source


@pytest.mark.stack
def test_database_gives_the_documents_of_the_exports(tables: TableSource, k3: DryRun) -> None:
    found = dry_run_of(tables.mapping, tables.tables().portions({}, final=True))
    # The table of the stock says no day, so nothing is told of it.
    expected = {(one.document, one.id): one.body for one in k3.drafts if one.document != "stock"}
    assert {(one.document, one.id): one.body for one in found.drafts} == expected
    report = tables.run()
    assert (report.published, report.rejected) == (len(expected), len(k3.rejections))
    assert tables.run().published == 0


@pytest.mark.stack
def test_stock_in_a_database_is_counted_on_the_day_that_a_site_s_query_says(
    database_url: str, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    query = 'SELECT *, \'2026-04-30\' AS "FCountedOn" FROM "ICInventory"'
    overlay = {"extends": "kingdee_k3", "streams": {"stock": {"table": {"query": query}}}}
    site.write_text(yaml.safe_dump(overlay))
    made = load_mapping(str(site), "sample")
    source = TableSource(database_url, f"sqlite:///{tmp_path / 'k3.db'}", made)
    fill_tables(source)
    source.run()
    (stock,) = [body for key, body in source.standing().items() if key[1] == "ICInventory:301:171"]
    assert stock["quantity"] == Decimal("48.5")


@pytest.mark.stack
def test_deleted_draft_voided_bill_and_undone_settlement_are_seen(tables: TableSource) -> None:
    tables.run()
    tables.execute('DELETE FROM "t_RP_NewCheckInfo" WHERE "FGroupID" = \'71\'')
    tables.execute('DELETE FROM "SEOrderEntry" WHERE "FInterID" = \'1007\'')
    tables.execute('DELETE FROM "SEOrder" WHERE "FInterID" = \'1007\'')
    tables.execute('UPDATE "ICSale" SET "FCancellation" = \'1\' WHERE "FInterID" = \'1006\'')
    tables.run()
    standing = tables.standing()
    assert standing["finance.payment.v1", "601"]["allocations"] == []
    assert standing["sales.order.v1", "SEOrder:1007"]["deleted"] is True
    assert standing["finance.invoice.v1", "80:1006"]["deleted"] is True
    assert standing["sales.order.v1", "SEOrder:1001"]["deleted"] is False
