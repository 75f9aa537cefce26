"""The profile for ERPNext on invented documents as its REST API returns them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from connectors.mapping import parse_mapping
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.rest.source import RestReader
from hub.source_settings import RestSource
from tests.connectors.rest_server import Records, serving
from tests.connectors.sources import FIXTURES, SampleSource, copied, profile

FOLDER = FIXTURES / "erpnext"


@pytest.fixture(scope="module")
def site() -> DryRun:
    return dry_run(profile("erpnext"), str(FOLDER))


def by_id(run: DryRun, document: str) -> dict[str, dict[str, Any]]:
    return {draft.id: draft.body for draft in run.drafts if draft.document == document}


def test_nothing_of_the_fixtures_is_rejected(site: DryRun) -> None:
    assert site.rejections == []


def test_draft_is_no_document_and_an_amended_one_is_cancelled(site: DryRun) -> None:
    orders = by_id(site, "order")
    assert {key: body["status"] for key, body in orders.items()} == {
        "SAL-ORD-2026-00001": "open",
        "SAL-ORD-2026-00003": "cancelled",
        "SAL-ORD-2026-00003-1": "open",
    }
    assert orders["SAL-ORD-2026-00003"]["cancelled_on"] == date(2026, 2, 10)
    assert "ACC-SINV-2026-00004" not in by_id(site, "invoice")
    assert "ACC-PAY-2026-00006" not in by_id(site, "payment")


def test_quantity_is_in_the_unit_of_the_product_and_dates_fall_back_to_the_head(
    site: DryRun,
) -> None:
    lines = by_id(site, "order")["SAL-ORD-2026-00001"]["lines"]
    assert [(line["quantity"], line["net_amount"], line["promised_on"]) for line in lines] == [
        (Decimal("20.0"), Decimal("950.0"), date(2026, 2, 20)),
        (Decimal("3.0"), Decimal("171.0"), date(2026, 3, 1)),
    ]


def test_deliveries_and_invoices_point_at_the_rows_before_them(site: DryRun) -> None:
    ordered = by_id(site, "order")["SAL-ORD-2026-00001"]["lines"][0]["number"]
    (delivered,) = by_id(site, "shipment")["MAT-DN-2026-00001"]["lines"]
    (billed,) = by_id(site, "invoice")["ACC-SINV-2026-00001"]["lines"]
    assert delivered["order_line"] == billed["order_line"] == ordered
    assert billed["shipment_line"] == delivered["number"]
    assert delivered["serial_numbers"] == ["P200-001", "P200-002"]


def test_return_has_negative_quantities_and_its_credit_note_positive_amounts(site: DryRun) -> None:
    (line,) = by_id(site, "shipment")["MAT-DN-2026-00002"]["lines"]
    assert line["quantity"] == Decimal("-1.0")
    note = by_id(site, "invoice")["ACC-SINV-2026-00002"]
    assert (note["kind"], note["net"], note["gross"]) == (
        "credit_note",
        Decimal("47.5"),
        Decimal("56.53"),
    )
    assert note["lines"][0]["quantity"] == Decimal("1.0")
    (allocation,) = note["allocations"]
    assert allocation["invoice"]["id"] == "ACC-SINV-2026-00001"
    assert allocation["amount"] == Decimal("56.53")


def test_rounded_total_is_owed_and_its_schedule_adds_up(site: DryRun) -> None:
    invoice = by_id(site, "invoice")["ACC-SINV-2026-00001"]
    assert invoice["gross"] == Decimal("565.0")
    assert [
        (part["number"], part["due_on"], part["amount"]) for part in invoice["instalments"]
    ] == [
        (1, date(2026, 3, 20), Decimal("282.5")),
        (2, date(2026, 4, 20), Decimal("282.5")),
    ]


def test_cancelled_invoice_is_closed_by_a_cancellation_on_its_day(site: DryRun) -> None:
    invoices = by_id(site, "invoice")
    assert invoices["ACC-SINV-2026-00003"]["status"] == "posted"
    cancellation = invoices["ACC-SINV-2026-00003:cancelled"]
    assert cancellation["cancels"]["id"] == "ACC-SINV-2026-00003"
    assert cancellation["invoiced_on"] == date(2026, 2, 27)
    assert "ACC-SINV-2026-00001:cancelled" not in invoices


def test_payments_are_those_of_customers_in_the_currency_of_their_account(site: DryRun) -> None:
    payments = by_id(site, "payment")
    assert {
        key: (body["kind"], body["amount"], body["currency"], body["rate"])
        for key, body in payments.items()
    } == {
        "ACC-PAY-2026-00001": ("receipt", Decimal("382.5"), "USD", Decimal("0.91")),
        "ACC-PAY-2026-00002": ("refund", Decimal("-50.0"), "USD", Decimal("0.93")),
        "ACC-PAY-2026-00005": ("receipt", Decimal("10.0"), "USD", Decimal("0.91")),
    }
    assert payments["ACC-PAY-2026-00005"]["reversed_on"] == date(2026, 3, 20)
    # The other 100 are an advance on an order; the exchange difference is none of the amount.
    (allocation,) = payments["ACC-PAY-2026-00001"]["allocations"]
    assert (allocation["invoice"]["id"], allocation["amount"]) == (
        "ACC-SINV-2026-00001",
        Decimal("282.5"),
    )


def test_work_order_says_how_far_it_is(site: DryRun) -> None:
    production = by_id(site, "production")
    started, finished = production["MFG-WO-2026-00001"], production["MFG-WO-2026-00002"]
    names = ("quantity_planned", "quantity_finished", "quantity_scrapped")
    assert [started[name] for name in names] == [Decimal("20.0"), Decimal("12.0"), Decimal("1.0")]
    assert (started["status"], started["order_line"]) == ("started", "a1b2c3d4e5")
    assert (finished["status"], finished["finished_on"]) == ("finished", date(2026, 1, 28))
    assert finished["planned_finish_on"] == date(2026, 2, 1)


def test_claim_that_is_never_submitted_is_a_case_and_each_purpose_a_visit(site: DryRun) -> None:
    case = by_id(site, "case")["SER-WRN-2026-00001"]
    assert (case["category"], case["serial_number"]) == ("after_sales", "P200-001")
    assert case["closed_at"] == datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert by_id(site, "equipment")["P200-001"]["warranty_until"] == date(2028, 2, 18)
    visits = by_id(site, "service_visit")
    first, second = visits["MAT-MVS-2026-00001|mv1"], visits["MAT-MVS-2026-00001|mv2"]
    assert first["case"]["id"] == "SER-WRN-2026-00001"
    assert first["completed_at"] == datetime(2026, 3, 5, 8, 30, tzinfo=UTC)
    assert ("case" in second, second["work_done"]) == (False, "Checked")


def test_master_that_was_deleted_is_deleted_and_a_document_stays(site: DryRun) -> None:
    deleted = [(draft.document, draft.id) for draft in site.drafts if draft.body.get("deleted")]
    assert deleted == [("customer", "Old Harbour")]


def test_naive_times_are_those_of_the_site() -> None:
    mapping = parse_mapping("extends: erpnext\ndefaults: {tz: Asia/Kolkata}\n", "sample")
    order = by_id(dry_run(mapping, str(FOLDER)), "order")["SAL-ORD-2026-00001"]
    assert order["recorded_at"] == datetime(2026, 2, 10, 4, 0, 15, 123456, tzinfo=UTC)
    assert order["ordered_on"] == date(2026, 1, 12)


def test_reply_of_a_list_lacks_the_child_tables_and_is_refused(tmp_path: Path) -> None:
    document = json.loads((FOLDER / "Sales Order" / "SAL-ORD-2026-00001.json").read_text())["data"]
    del document["items"], document["sales_team"]
    (tmp_path / "Sales Order.json").write_text(json.dumps({"data": [document]}))
    run = dry_run(profile("erpnext"), str(tmp_path))
    assert [one.code for one in run.rejections] == ["no_lines"]


@pytest.mark.stack
def test_documents_that_come_again_publish_nothing(database_url: str, tmp_path: Path) -> None:
    source = SampleSource(database_url, copied("erpnext", tmp_path), profile("erpnext"))
    source.run()
    once = source.standing()
    assert source.run().published == 0
    assert source.standing() == once
    # Deleted after it was changed last.
    assert once["party.customer.v1", "Old Harbour"]["deleted"] is True


@pytest.fixture
def orders() -> Iterator[tuple[Records, str]]:
    records = Records()
    for file in sorted((FOLDER / "Sales Order").iterdir()):
        document = json.loads(file.read_text())["data"]
        records.put(document.pop("name"), document.pop("modified"), **document)
    with serving(records) as url:
        yield records, url


@pytest.mark.stack
def test_site_that_is_asked_gives_the_documents_of_its_files(
    database_url: str, tmp_path: Path, orders: tuple[Records, str], site: DryRun
) -> None:
    records, url = orders
    whole = profile("erpnext")
    streams = ", ".join(f"{name}: null" for name in whole.streams if name != "order")
    names = [event.name for event in whole.events if event.stream != "order"]
    events = "\n".join(f"- {{name: {name}, emit: null}}" for name in names)
    mapping = parse_mapping(
        f"extends: erpnext\nstreams: {{{streams}}}\nevents:\n{events}\n", "sample"
    )
    sample = SampleSource(database_url, tmp_path, mapping)
    settings = RestSource(
        name="sample",
        kind="rest",
        url=url,
        mapping="unused",
        headers={"Authorization": "Bearer secret"},
        requests_per_second=1000,
    )
    for published in (3, 0):
        with open_door(settings, mapping, sample.log, database_url) as door:
            make_pass(door, RestReader(settings, mapping), True)
            assert (door.report.published, door.report.rejected) == (published, 0)
    expected = by_id(site, "order")
    found = {key: body for (_, key), body in sample.standing().items()}
    assert found.keys() == expected.keys()
    for key, body in expected.items():
        assert found[key]["lines"][0]["quantity"] == body["lines"][0]["quantity"]
        assert found[key]["recorded_at"] == body["recorded_at"]
    assert any("Sales Order/SAL-ORD-2026-00001" in one for one in records.requests)
