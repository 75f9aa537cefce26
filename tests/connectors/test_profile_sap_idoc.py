"""The profile for SAP IDocs on invented ones with the segments and traps of the real ones."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from connectors.mapping.values import Draft
from tests.connectors.sources import FIXTURES, SampleSource, contents, copied, profile

FOLDER = FIXTURES / "sap_idoc"


@pytest.fixture(scope="module")
def idocs() -> DryRun:
    return dry_run(profile("sap_idoc"), str(FOLDER))


def newest(run: DryRun, document: str) -> dict[str, dict[str, Any]]:
    drafts: dict[str, Draft] = {}
    for draft in run.drafts:
        if draft.document == document:
            before = drafts.get(draft.id)
            if before is None or draft.changed > before.changed:
                drafts[draft.id] = draft
    return {key: draft.body for key, draft in drafts.items()}


def test_what_cannot_be_told_is_rejected_with_its_reason(idocs: DryRun) -> None:
    assert sorted((one.place, one.code) for one in idocs.rejections) == [
        ("delivery_others.xml:4", "unknown_value"),  # an action that is not known
        ("invoices.xml:4", "check"),  # neither total is the sum of the lines
        ("invoices.xml:5", "unknown_value"),  # a type of invoice that nobody has mapped
        ("material.xml:1", "unknown_message"),
        ("order_incoming.xml:1", "no_key"),  # the customer's number alone
    ]


def test_padded_customer_numbers_lose_their_zeros_and_others_keep_them(idocs: DryRun) -> None:
    assert set(newest(idocs, "customer")) == {"12345", "12346", "12347", "00A0099"}


def test_of_two_idocs_of_one_second_the_later_number_stands(idocs: DryRun) -> None:
    customer = newest(idocs, "customer")["12345"]
    assert customer["name"] == "Ruhr Pumpen GmbH"
    assert customer["terms"] == {"code": "Z030"}, "of the first sales area"


def test_deletion_flag_and_deleting_message_both_delete(idocs: DryRun) -> None:
    assert {key: body["deleted"] for key, body in newest(idocs, "customer").items()} == {
        "12345": False,
        "00A0099": False,
        "12346": True,  # LOEVM
        "12347": True,  # MSGFN 003
    }
    contacts = newest(idocs, "contact")
    assert {key: body["deleted"] for key, body in contacts.items()} == {"77": False, "78": True}
    assert contacts["77"]["customer"]["id"] == "12345"


def test_order_is_read_by_its_qualifiers(idocs: DryRun) -> None:
    order = newest(idocs, "order")["5001"]
    assert order["customer"]["id"] == "12345", "AG, neither WE nor RE"
    assert order["ordered_on"] == date(2026, 3, 2)
    assert order["status"] == "open"
    assert order["terms"]["days"] == 30, "net payment, not the 14 days with a discount"
    lines = {line["number"]: line for line in order["lines"]}
    assert [lines[number]["product"]["id"] for number in ("10", "20")] == ["4711", "PX-0042"]
    assert lines["10"]["wanted_on"] == date(2026, 4, 1)
    assert lines["20"]["wanted_on"] == date(2026, 4, 15), "the line's own date"
    assert lines["10"]["promised_on"] == date(2026, 4, 9), "the last with a quantity"
    assert "promised_on" not in lines["30"]


def test_price_counts_per_so_many_units_where_no_net_value_is_stated(idocs: DryRun) -> None:
    lines = {line["number"]: line for line in newest(idocs, "order")["5001"]["lines"]}
    assert lines["10"]["net_amount"] == Decimal("12.50")
    assert lines["20"]["net_amount"] == Decimal("0.15"), "3 × 50.00 per 1000"


def test_customer_may_stand_as_lifnr(idocs: DryRun) -> None:
    assert newest(idocs, "order")["5002"]["customer"]["id"] == "12346"


def test_trailing_minus_is_a_minus(idocs: DryRun) -> None:
    line = newest(idocs, "order")["5001"]["lines"][3]
    assert (line["quantity"], line["net_amount"]) == (Decimal("-2.000"), Decimal("-60.00"))


def test_order_whose_lines_are_all_rejected_is_cancelled(idocs: DryRun) -> None:
    orders = newest(idocs, "order")
    assert (orders["5002"]["status"], orders["5002"]["cancelled_on"]) == (
        "cancelled",
        date(2026, 3, 3),
    )
    assert [line["rejected"] for line in orders["5001"]["lines"]] == [False, False, True, False]


def test_delivery_follows_its_actions(idocs: DryRun) -> None:
    shipments = newest(idocs, "shipment")
    left = shipments["80000001"]
    assert (left["status"], left["dispatched_on"]) == ("dispatched", date(2026, 4, 2))
    assert (left["planned_on"], left["promised_on"]) == (date(2026, 4, 2), date(2026, 4, 3))
    assert left["carrier"] == "Nordspedition"
    assert left["deleted"] is False
    assert shipments["80000002"]["deleted"] is True
    delivered = shipments["80000003"]
    assert (delivered["status"], delivered["delivered_on"]) == ("delivered", date(2026, 4, 8))


def test_first_action_is_planned_and_has_not_left(idocs: DryRun) -> None:
    first = min(
        (draft for draft in idocs.drafts if draft.id == "80000001"), key=lambda one: one.changed
    )
    assert first.body["status"] == "planned"
    assert "dispatched_on" not in first.body


def test_delivery_lines_name_order_and_serial_numbers(idocs: DryRun) -> None:
    lines = newest(idocs, "shipment")["80000001"]["lines"]
    assert [
        (line["number"], line["order"]["id"], line["order_line"], line["product"]["id"])
        for line in lines
    ] == [("10", "5001", "10", "4711"), ("20", "5001", "20", "PX-0042")]
    assert [line["serial_numbers"] for line in lines] == [["SN-1", "SN-2"], ["SN-3"]]


def test_item_above_a_batch_split_is_no_line_and_a_return_is_negative(idocs: DryRun) -> None:
    shipments = newest(idocs, "shipment")
    assert [line["number"] for line in shipments["80000003"]["lines"]] == ["900001"]
    assert shipments["84000001"]["lines"][0]["quantity"] == Decimal("-1.000")


def test_net_is_the_total_that_the_lines_make_whichever_sumid_it_has(idocs: DryRun) -> None:
    invoices = newest(idocs, "invoice")
    assert {key: (body["kind"], body["net"], body["gross"]) for key, body in invoices.items()} == {
        "90000001": ("invoice", Decimal("7.65"), Decimal("9.10")),
        "90000002": ("invoice", Decimal("100.00"), Decimal("119.00")),  # 010 and 011 exchanged
        "90000003": ("credit_note", Decimal("20.00"), Decimal("23.80")),  # 20.00-
    }
    assert invoices["90000003"]["lines"][0]["net_amount"] == Decimal("20.00")


def test_invoice_is_due_on_its_date_or_by_its_terms(idocs: DryRun) -> None:
    invoices = newest(idocs, "invoice")
    assert invoices["90000001"]["terms"]["days"] == 30
    assert invoices["90000001"]["instalments"] == []
    (instalment,) = invoices["90000002"]["instalments"]
    assert (instalment["due_on"], instalment["amount"]) == (date(2026, 5, 10), Decimal("119.00"))


def test_invoice_names_payer_order_and_delivery(idocs: DryRun) -> None:
    invoice = newest(idocs, "invoice")["90000001"]
    assert invoice["customer"]["id"] == "12398", "RG, the payer"
    assert (invoice["order"]["id"], invoice["shipment"]["id"]) == ("5001", "80000001")
    line = invoice["lines"][1]
    assert (line["order_line"], line["shipment"]["id"], line["shipment_line"]) == (
        "20",
        "80000001",
        "20",
    )


@pytest.mark.stack
def test_files_in_another_order_and_twice_give_the_same_documents(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("sap_idoc", tmp_path), profile("sap_idoc"))
    source.run()
    once = source.standing()
    assert source.run().published == 0
    files = sorted(source.folder.iterdir())
    random.Random(7).shuffle(files)
    for number, file in enumerate(files):
        file.rename(file.with_name(f"{number:02}_{file.name}"))
    source.run()
    assert source.standing() == once
    assert contents(once)["logistics.shipment.v1", "80000001"]["status"] == "dispatched"
