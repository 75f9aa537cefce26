"""The shipped profiles on invented records with the formats and traps of the real ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from connectors.mapping import load_mapping
from tests.connectors.sources import FIXTURES, profile

Bodies = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def s4() -> DryRun:
    return dry_run(profile("sap_s4_o2c"), str(FIXTURES / "s4"))


@pytest.fixture(scope="module")
def northwind() -> DryRun:
    return dry_run(profile("northwind"), str(FIXTURES / "northwind"))


def by_id(run: DryRun, document: str) -> Bodies:
    return {draft.id: draft.body for draft in run.drafts if draft.document == document}


def test_nothing_of_the_fixtures_is_rejected(s4: DryRun, northwind: DryRun) -> None:
    assert s4.rejections == []
    assert northwind.rejections == []


def test_s4_customer_marked_for_archiving_is_archived_and_not_deleted(s4: DryRun) -> None:
    customers = by_id(s4, "customer")
    assert {key: body["archived"] for key, body in customers.items()} == {
        "500001": False,
        "500002": True,
    }
    assert customers["500001"]["name"] == "Müller Pumpen"
    assert customers["500001"]["city"] == "Pune"
    assert "street" not in customers["500002"]
    assert not any("deleted" in body for body in customers.values())


def test_s4_product_is_named_in_english(s4: DryRun) -> None:
    assert by_id(s4, "product")["P-1"]["name"] == "Pump"


def test_s4_order_whose_lines_are_all_rejected_is_cancelled(s4: DryRun) -> None:
    orders = by_id(s4, "order")
    assert {key: body["status"] for key, body in orders.items()} == {
        "9001": "open",
        "9002": "cancelled",
        "9003": "open",
    }
    # 20:15 UTC is the next day at the plant.
    assert orders["9002"]["cancelled_on"] == date(2025, 12, 5)
    assert "cancelled_on" not in orders["9001"]


def test_s4_promise_is_the_last_schedule_date_with_a_confirmed_quantity(s4: DryRun) -> None:
    lines = by_id(s4, "order")["9001"]["lines"]
    assert [(line["number"], line["promised_on"]) for line in lines] == [
        ("10", date(2025, 12, 28)),
        ("20", date(2025, 12, 21)),
    ]
    assert "promised_on" not in by_id(s4, "order")["9002"]["lines"][0]


def test_s4_delivery_has_left_only_with_its_goods_movement(s4: DryRun) -> None:
    shipments = by_id(s4, "shipment")
    assert shipments["7001"]["status"] == "dispatched"
    assert shipments["7001"]["dispatched_on"] == date(2025, 12, 23)
    assert shipments["7001"]["promised_on"] == date(2025, 12, 28)
    assert shipments["7002"]["status"] == "planned"
    assert "dispatched_on" not in shipments["7002"]


def test_s4_delivery_lines_meet_their_order_lines_without_leading_zeros(s4: DryRun) -> None:
    shipment = by_id(s4, "shipment")["7001"]
    assert shipment["customer"] == {"source": "sample", "id": "500001"}
    assert [
        (line["number"], line["order"]["id"], line["order_line"], line["product"]["id"])
        for line in shipment["lines"]
    ] == [("10", "9001", "10", "P-1"), ("20", "9001", "20", "P-2")]


def test_s4_gross_is_the_journals_or_else_net_and_says_so(s4: DryRun) -> None:
    invoices = by_id(s4, "invoice")
    assert {
        key: (body["kind"], body["net"], body["gross"], body["gross_is_net"])
        for key, body in invoices.items()
    } == {
        "8001": ("invoice", Decimal("100.00"), Decimal("118.00"), False),
        "8002": ("invoice", Decimal("200.00"), Decimal("236.00"), False),
        "8003": ("cancellation", Decimal("200.00"), Decimal("236.00"), False),
        "8004": ("invoice", Decimal("55.50"), Decimal("55.50"), True),
    }
    assert invoices["8003"]["cancels"] == {"source": "sample", "id": "8002"}


def test_s4_invoice_reaches_its_order_in_two_hops(s4: DryRun) -> None:
    (line,) = by_id(s4, "invoice")["8004"]["lines"]
    assert (line["shipment"]["id"], line["shipment_line"]) == ("7002", "10")
    assert (line["order"]["id"], line["order_line"]) == ("9003", "10")


def test_s4_terms_of_payment_are_carried_by_their_code(s4: DryRun) -> None:
    assert by_id(s4, "order")["9001"]["terms"] == {"code": "Z009"}
    # Those of the order, two hops away.
    assert by_id(s4, "invoice")["8004"]["terms"] == {"code": "Z009"}
    customers = by_id(s4, "customer")
    assert customers["500001"]["terms"] == {"code": "Z009"}, "of the first sales area"
    assert "terms" not in customers["500002"]


def test_s4_site_gives_the_codes_of_terms_their_days(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        """
extends: sap_s4_o2c
events:
- emit: invoice
  fields:
    terms:
      record:
        months: {const: 0}
        end_of_month: {const: false}
        days:
          map: {Z001: 0, Z009: 30}
          of: {first: $ordered.customerPaymentTerms, over: $bill_item}
          otherwise: reject
"""
    )
    run = dry_run(load_mapping(str(site), "sample"), str(FIXTURES / "s4"))
    terms = by_id(run, "invoice")["8004"]["terms"]
    assert (terms["code"], terms["days"]) == ("Z009", 30)


def test_s4_clearing_by_a_reversal_is_no_payment(s4: DryRun) -> None:
    assert by_id(s4, "payment") == {}


def test_northwind_line_amount_is_exact_and_lines_are_in_order(northwind: DryRun) -> None:
    orders = by_id(northwind, "order")
    assert [(line["number"], line["net_amount"]) for line in orders["501"]["lines"]] == [
        ("11", Decimal("168")),
        ("42", Decimal("83.3")),
    ]
    assert orders["502"]["lines"][0]["net_amount"] == Decimal("93.2995")
    assert {body["currency"] for body in orders.values()} == {"USD"}


def test_northwind_order_that_was_not_shipped_is_planned(northwind: DryRun) -> None:
    shipments = by_id(northwind, "shipment")
    assert [shipments[key]["status"] for key in ("501", "502", "503")] == [
        "dispatched",
        "dispatched",
        "planned",
    ]
    late = shipments["502"]
    assert late["dispatched_on"] > late["promised_on"]
    assert late["carrier"] == "Harbour Express"


def test_northwind_field_over_two_lines_is_one_field(northwind: DryRun) -> None:
    assert by_id(northwind, "customer")["QUAYS"]["street"] == "Dock 4\nHarbour East"


def test_northwind_employee_names_the_manager_without_decimals(northwind: DryRun) -> None:
    assert by_id(northwind, "employee")["1"]["manager"] == {"source": "sample", "id": "2"}
