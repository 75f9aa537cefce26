"""The profile for Kingdee Cloud on invented replies of ExecuteBillQuery in their real shape."""

from __future__ import annotations

import json
import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from tests.connectors.sources import FIXTURES, SampleSource, contents, copied, profile

FOLDER = FIXTURES / "kingdee_cloud"


@pytest.fixture(scope="module")
def cloud() -> DryRun:
    return dry_run(profile("kingdee_cloud"), str(FOLDER))


def by_id(run: DryRun, document: str) -> dict[str, dict[str, Any]]:
    return {draft.id: draft.body for draft in run.drafts if draft.document == document}


def test_error_in_place_of_rows_and_multiplied_rows_are_rejected(cloud: DryRun) -> None:
    assert sorted((one.place, one.code) for one in cloud.rejections) == [
        ("AR_receivable_20260406.json:5", "check"),
        ("AR_receivable_20260507.json:1", "wrong_columns"),
    ]


def test_only_approved_and_void_orders_count(cloud: DryRun) -> None:
    # 2 is created, 3 in approval, 4 a draft.
    assert {key: body["status"] for key, body in by_id(cloud, "order").items()} == {
        "XSDD000001": "open",
        "XSDD000005": "cancelled",
        "XSDD000006": "closed",
    }


def test_order_is_made_of_the_rows_of_its_newest_approval(cloud: DryRun) -> None:
    order = by_id(cloud, "order")["XSDD000001"]
    # The third line was taken out on the 3rd; what is in work since the 4th (D) is held back.
    assert [(line["number"], line["quantity"]) for line in order["lines"]] == [
        ("100101", Decimal("10.0")),
        ("100102", Decimal("2.5")),
    ]
    first = order["lines"][0]
    assert (first["net_amount"], first["gross_amount"]) == (Decimal("1000.0"), Decimal("1130.0"))
    assert (first["wanted_on"], first["promised_on"]) == (date(2026, 4, 1), date(2026, 4, 5))


def test_return_is_negative_and_its_customer_is_named_otherwise(cloud: DryRun) -> None:
    shipments = by_id(cloud, "shipment")
    assert [line["quantity"] for line in shipments["XSCKD000001"]["lines"]] == [
        Decimal("4.0"),
        Decimal("1.0"),
    ]
    (line,) = shipments["XSTHD000001"]["lines"]
    assert line["quantity"] == Decimal("-1.0")
    assert (line["order"]["id"], line["order_line"]) == ("XSDD000001", "100101")
    assert shipments["XSTHD000001"]["customer"]["id"] == "CUST0001"


def test_head_that_is_repeated_on_each_row_counts_once(cloud: DryRun) -> None:
    invoice = by_id(cloud, "invoice")["AR00000001"]
    assert (invoice["net"], invoice["gross"]) == (Decimal("500.0"), Decimal("565.0"))
    assert [
        (part["number"], part["due_on"], part["amount"]) for part in invoice["instalments"]
    ] == [
        (1, date(2026, 5, 6), Decimal("265.0")),
        (2, date(2026, 6, 5), Decimal("300.0")),
    ]
    assert by_id(cloud, "payment")["SKD00000001"]["amount"] == Decimal("500.0")


def test_red_receivable_is_a_credit_note_with_positive_amounts(cloud: DryRun) -> None:
    note = by_id(cloud, "invoice")["AR00000002"]
    assert (note["kind"], note["net"], note["gross"]) == (
        "credit_note",
        Decimal("100.0"),
        Decimal("113.0"),
    )
    assert note["lines"][0]["quantity"] == Decimal("1.0")
    assert note["instalments"][0]["amount"] == Decimal("113.0")


def test_payments_are_those_of_customers_and_refunds_negative(cloud: DryRun) -> None:
    payments = by_id(cloud, "payment")
    assert {key: (body["kind"], body["amount"]) for key, body in payments.items()} == {
        "SKD00000001": ("receipt", Decimal("500.0")),
        "SKTKD0000001": ("refund", Decimal("-20.0")),
    }
    # The settlement has a row for each side; one of them is the receipt's.
    (allocation,) = payments["SKD00000001"]["allocations"]
    assert (allocation["invoice"]["id"], allocation["amount"]) == ("AR00000001", Decimal("265.0"))


def test_each_row_of_a_production_order_has_its_own_product_and_state(cloud: DryRun) -> None:
    orders = by_id(cloud, "production")
    # MO000002 is being changed.
    assert {key: (body["product"]["id"], body["status"]) for key, body in orders.items()} == {
        "MO000001-1": ("XE215", "started"),
        "MO000001-2": ("XE305", "finished"),
        "MO000003-1": ("XE215", "cancelled"),
    }
    first, second = orders["MO000001-1"], orders["MO000001-2"]
    assert (first["quantity_planned"], first["quantity_finished"]) == (Decimal(10), Decimal(4))
    assert (first["order"]["id"], first["order_line"]) == ("XSDD000001", "100101")
    assert (second["finished_on"], "order" in second) == (date(2026, 3, 13), False)


@pytest.mark.stack
def test_settlement_that_was_undone_is_an_allocation_no_more(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("kingdee_cloud", tmp_path), profile("kingdee_cloud"))
    source.run()
    payment = "finance.payment.v1", "SKD00000001"
    assert len(source.standing()[payment]["allocations"]) == 1
    rows = json.loads((FOLDER / "T_AR_RECMacthLog_20260508.json").read_text())
    other = [
        6002,
        610201,
        "2026-05-09T00:00:00",
        "AR_RECEIVEBILL",
        "SKD9",
        "AR_receivable",
        "AR9",
        1,
    ]
    # The side of the receipt is gone, and another settlement has come.
    source.write("T_AR_RECMacthLog_20260509.json", json.dumps([*rows[1:], other]))
    source.run()
    assert source.standing()[payment]["allocations"] == []
    assert source.standing()[payment]["deleted"] is False


@pytest.mark.stack
def test_replies_cut_into_pages_and_shuffled_give_the_same_documents(
    cloud: DryRun, database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("kingdee_cloud", tmp_path), profile("kingdee_cloud"))
    source.run()
    once = source.standing()
    assert source.run().published == 0
    chance = random.Random(5)
    for file in sorted(source.folder.iterdir()):
        rows = json.loads(file.read_text())
        chance.shuffle(rows)
        if file.name.startswith("T_AR_RECMacthLog"):  # It is read as a whole.
            file.write_text(json.dumps(rows))
            continue
        file.unlink()
        for number, row in enumerate(rows):
            source.write(f"{file.stem}_page{number}.json", json.dumps([row]))
    # Rows that are documents by themselves come again under the versions that they had.
    assert source.run().published == len(by_id(cloud, "production"))
    assert source.standing() == once


@pytest.mark.stack
def test_change_in_work_leaves_the_approved_order_and_its_approval_replaces_it(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, tmp_path, profile("kingdee_cloud"))
    names = ("SAL_SaleOrder_20260302.json", "SAL_SaleOrder_20260303.json")
    for name in names:
        source.write(name, (FOLDER / name).read_text())
        source.run(bounded=False)
    order = contents(source.standing())["sales.order.v1", "XSDD000001"]
    assert len(order["lines"]) == 2
    changed = (FOLDER / "SAL_SaleOrder_20260304.json").read_text()
    source.write("SAL_SaleOrder_20260304.json", changed)
    assert source.run(bounded=False).published == 0
    approved = changed.replace("2026-03-04", "2026-03-05").replace('"D"', '"C"')
    source.write("SAL_SaleOrder_20260305.json", approved)
    assert source.run(bounded=False).published == 1
    order = contents(source.standing())["sales.order.v1", "XSDD000001"]
    assert [line["quantity"] for line in order["lines"]] == [Decimal(999)]
    assert order["deleted"] is False
