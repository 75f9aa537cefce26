"""The profile for camt.053 on invented statements of two versions, and a 054 beside them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from tests.connectors.sources import FIXTURES, SampleSource, contents, copied, profile

ACCOUNT = "DE02120300000000202051"
KESSLER, LINDNER = "DE75512108001245126199", "DE89370400440532013000"
FIRST = FIXTURES / "camt_053" / "camt.053_2026-02-03.xml"
LATER = FIXTURES / "camt_053" / "camt.053_2026-02-04.xml"


@pytest.fixture(scope="module")
def statements() -> DryRun:
    return dry_run(profile("camt_053"), str(FIXTURES / "camt_053"))


def payments(run: DryRun) -> dict[str, dict[str, Any]]:
    found = [draft for draft in run.drafts if draft.document == "payment"]
    assert len({draft.id for draft in found}) == len(found)
    return {draft.id.removeprefix(f"{ACCOUNT}|"): draft.body for draft in found}


def changed(tmp_path: Path, file: Path, old: str, new: str) -> DryRun:
    text = file.read_text()
    assert old in text
    (tmp_path / file.name).write_text(text.replace(old, new))
    return dry_run(profile("camt_053"), str(tmp_path))


def test_booked_receipts_and_what_was_taken_back_are_payments(statements: DryRun) -> None:
    assert statements.rejections == []
    # Not: 0004 to a supplier, 0005 that came back from it, and entries PDNG and INFO.
    assert {
        key: (body["kind"], str(body["amount"]), body["customer"]["id"])
        for key, body in payments(statements).items()
    } == {
        "2026020300001": ("receipt", "1190.00", KESSLER),
        "2026020300002|1": ("receipt", "100.00", KESSLER),
        "2026020300002|2": ("receipt", "50.00", LINDNER),
        "2026020300003": ("refund", "-80.00", LINDNER),
        "2026020400001|1": ("receipt", "300.00", KESSLER),
        "2026020400001|2": ("receipt", "200.00", KESSLER),
        "2026020400002": ("receipt", "92.10", "GB33BUKB20201555555555"),
    }


def test_remittance_is_the_reference_text_and_no_allocation(statements: DryRun) -> None:
    found = payments(statements)
    assert found["2026020300001"]["reference"] == "RE 4711 vom 05.01.2026 Danke"
    assert found["2026020300002|2"]["reference"] == "RF18539007547034"
    assert not any(body.get("allocations") for body in found.values())


def test_booking_is_a_day_or_an_instant_in_the_zone_of_the_bank(statements: DryRun) -> None:
    found = payments(statements)
    assert found["2026020300001"]["received_on"] == date(2026, 2, 3)
    assert found["2026020400001|1"]["received_on"] == date(2026, 2, 5), "23:30 UTC"


def test_single_part_in_the_payers_currency_is_what_was_booked(statements: DryRun) -> None:
    body = payments(statements)["2026020400002"]
    assert (body["amount"], body["currency"]) == (Decimal("92.10"), "EUR")


def test_payer_is_named_once_per_account(statements: DryRun) -> None:
    names = {
        draft.id: draft.body["name"] for draft in statements.drafts if draft.document == "customer"
    }
    assert names == {
        KESSLER: "Kessler Pumpen GmbH",
        LINDNER: "Lindner Anlagenbau AG",
        "GB33BUKB20201555555555": "Harbour Pumps Ltd",
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "codes"),
    [
        (FIRST, '<Amt Ccy="EUR">150.00</Amt>', '<Amt Ccy="EUR">149.00</Amt>', ["check", "check"]),
        # Charges are taken away from what their batch has.
        (LATER, '<Amt Ccy="EUR">498.50</Amt>', '<Amt Ccy="EUR">501.50</Amt>', ["check"] * 3),
        (FIRST, "<AcctSvcrRef>2026020300001</AcctSvcrRef>", "", ["no_reference"]),
    ],
)
def test_entry_that_cannot_be_trusted_is_refused(
    tmp_path: Path, file: Path, old: str, new: str, codes: list[str]
) -> None:
    assert [one.code for one in changed(tmp_path, file, old, new).rejections] == codes


def test_entry_without_details_names_nobody_and_is_refused(tmp_path: Path) -> None:
    text = FIRST.read_text().replace("TxDtls>", "Other>")
    (tmp_path / "whole.xml").write_text(text)
    run = dry_run(profile("camt_053"), str(tmp_path))
    assert payments(run) == {}
    # Two receipts and one that was taken back.
    assert [one.code for one in run.rejections] == ["no_payer"] * 3


def test_status_is_read_in_both_ways_that_it_is_written(tmp_path: Path) -> None:
    run = changed(tmp_path, FIRST, "<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>")
    assert len(payments(run)) == 4
    run = changed(tmp_path, FIRST, "<Sts>BOOK</Sts>", "<Sts><Cd>PDNG</Cd></Sts>")
    assert payments(run) == {}


@pytest.mark.stack
def test_statements_that_come_again_and_notifications_count_nothing_twice(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("camt_053", tmp_path), profile("camt_053"))
    source.run()
    once = contents(source.standing())
    assert sum(topic == "finance.payment.v1" for topic, _ in once) == 7
    assert source.run().published == 0
    # The bank sends the day once more in a later message.
    text = FIRST.read_text().replace("STM-20260203", "STM-20260203-R")
    source.write("again.xml", text.replace("2026-02-03T20:15", "2026-02-05T20:15"))
    source.run()
    again = contents(source.standing())
    assert again.keys() == once.keys()
    amounts = {key: body["amount"] for key, body in again.items() if "amount" in body}
    assert amounts == {key: body["amount"] for key, body in once.items() if "amount" in body}
