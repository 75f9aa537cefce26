"""Exports with the heads of well-known systems are drafted right, or what is open says TODO."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.drafting.draft import Drafted
from tests.connectors.test_map_drafts import drafted, entries, plain, run

SALESFORCE = """\
Opportunity ID,Opportunity Name,Account Name,Stage,Amount,Close Date,Probability (%),\
Created Date,Opportunity Owner
0061,Acme - 200 pumps,Acme Corp,Prospecting,12000.00,2026-12-20,10,2026-10-01,Ann Lee
0062,Birch - retrofit,Birch Ltd,Closed Won,8000.00,2026-10-15,100,2026-09-01,Bo Ray
0063,Acme - spares,Acme Corp,Closed Lost,900.00,2026-10-19,0,2026-09-08,Bo Ray
"""
HUBSPOT = """\
Record ID,Deal Name,Deal Stage,Amount,Close Date,Associated Company,Deal owner,Create Date
201,Pumps for Acme,Qualification,12000,2026-12-20 10:00,Acme Corp,Ann Lee,2026-10-01 09:00
202,Retrofit Birch,Closed Won,8000,2026-10-15 12:00,Birch Ltd,Bo Ray,2026-09-01 08:00
203,Spares,Qualification,500,2026-12-21 12:00,Acme Corp,Bo Ray,2026-09-02 08:00
"""
PIPEDRIVE = """\
Deal - ID,Deal - Title,Deal - Organization,Deal - Value,Deal - Currency,Deal - Stage,\
Deal - Expected close date
1,Acme pumps,Acme Corp,12000,EUR,Proposal,2026-12-20
2,Birch retrofit,Birch Ltd,8000,EUR,Qualified,2026-12-10
"""
NAV = """\
Document No.,Customer No.,Posting Date,Due Date,Remaining Amount,Original Amount,\
Currency Code,Closed at Date
103001,10000,2026-01-23,2026-02-22,0.00,1180.50,EUR,2026-02-15
103002,20000,2026-02-24,2026-03-26,700.00,750.00,EUR,
"""
QUICKBOOKS = """\
Invoice No.,Company,Invoice Date,Due Date,Open Balance,Amount,Currency,Paid Date
1001,Acme Corp,01/23/2026,02/22/2026,$0.00,"$1,234.50",USD,02/15/2026
1002,Birch Ltd,02/24/2026,03/26/2026,$700.00,$700.00,USD,
"""


def line_of(draft: Drafted, field: str) -> str:
    """The first line of a draft that fills a field."""
    return next(
        line.strip() for line in draft.text.splitlines() if line.strip().startswith(f"{field}: ")
    )


def customers_of(bodies: list[Any]) -> list[str]:
    return [body["customer"]["id"] for body in bodies]


@pytest.mark.parametrize(
    ("text", "answers", "customers", "titles"),
    [
        (
            SALESFORCE,
            {"currency": "USD"},
            ["Acme Corp", "Birch Ltd", "Acme Corp"],
            ["Acme - 200 pumps", "Birch - retrofit", "Acme - spares"],
        ),
        (
            HUBSPOT,
            {"currency": "USD"},
            ["Acme Corp", "Birch Ltd", "Acme Corp"],
            ["Pumps for Acme", "Retrofit Birch", "Spares"],
        ),
    ],
)
def test_the_company_of_an_opportunity_is_its_customer(
    text: str, answers: dict[str, str], customers: list[str], titles: list[str]
) -> None:
    ran = run(drafted(text, "opportunity", "customer"), text, **answers)
    assert ran.rejections == []
    bodies = ran.bodies("opportunity")
    assert customers_of(bodies) == customers
    assert [body["title"] for body in bodies] == titles
    assert not any("company" in body for body in bodies)
    made = {(body["id"], body["name"]) for body in ran.bodies("customer")}
    assert made == {(name, name) for name in customers}


def test_the_document_before_each_name_of_a_column_says_nothing() -> None:
    draft = drafted(PIPEDRIVE, "opportunity", "customer")
    assert "occurred_at: " not in draft.text
    assert line_of(draft, "customer") == "customer: {reference: Deal - Organization}"
    assert line_of(draft, "title") == "title: Deal - Title"
    assert line_of(draft, "amount") == "amount: {decimal: Deal - Value}"
    assert line_of(draft, "expected_close_on").endswith("{date: Deal - Expected close date}")
    assert "\n  key: Deal - Organization\n" in draft.text


@pytest.mark.parametrize("text", [SALESFORCE, HUBSPOT])
def test_customers_of_a_deal_export_are_the_companies_and_not_the_deals(text: str) -> None:
    ran = run(drafted(text, "customer"), text)
    assert {(body["id"], body["name"]) for body in ran.bodies("customer")} == {
        ("Acme Corp", "Acme Corp"),
        ("Birch Ltd", "Birch Ltd"),
    }


def test_a_deal_export_without_a_company_leaves_the_key_of_customers_to_a_person() -> None:
    draft = drafted("Record ID,Deal Name,Amount\n1,Pumps,5\n2,Spares,6\n", "customer")
    assert "\n  key: TODO" in draft.text
    assert "name: Deal Name" not in draft.text


def test_a_company_of_codes_beside_a_customer_is_our_own() -> None:
    text = "Invoice No.,Company,Customer No.,Invoice Date,Amount,Currency\n" + "".join(
        f"{number},{1000 + number % 2},C-{number},2026-01-0{number},5,EUR\n"
        for number in range(1, 6)
    )
    draft = drafted(text, "invoice")
    ran = run(draft, text)
    assert ran.rejections == []
    first, *_ = ran.bodies("invoice")
    assert (first["company"], customers_of([first])) == ("1001", ["C-1"])
    alone = drafted(text.replace("Customer No.", "Remark"), "invoice")
    assert line_of(alone, "customer") == "customer: {reference: Company}"
    assert "company: Company" not in alone.text


@pytest.mark.parametrize("name", ["Company", "Associated Company", "Account", "Organization"])
def test_a_column_called_so_is_the_customer_of_an_invoice(name: str) -> None:
    text = QUICKBOOKS.replace(",Company,", f",{name},")
    draft = drafted(text, "invoice")
    assert customers_of(run(draft, text).bodies("invoice")) == ["Acme Corp", "Birch Ltd"]
    assert "\n    company: " not in draft.text


@pytest.mark.parametrize("text", [SALESFORCE, HUBSPOT])
def test_the_close_date_of_an_open_opportunity_is_expected(text: str) -> None:
    ran = run(drafted(text, "opportunity"), text, currency="USD")
    by_stage = {body["stage"]: body for body in ran.bodies("opportunity")}
    for stage, body in by_stage.items():
        assert "expected_close_on" in body
        assert ("closed_on" in body) == (stage in ("won", "lost"))
    assert plain(by_stage["won"], "expected_close_on", "closed_on") == ["2026-10-15"] * 2


def test_a_close_date_that_open_opportunities_lack_is_when_they_were_closed() -> None:
    text = SALESFORCE.replace("2026-12-20", "")
    draft = drafted(text, "opportunity")
    assert line_of(draft, "closed_on") == "closed_on: {date: Close Date}"
    assert "expected_close_on: " not in draft.text


def test_a_close_date_beside_stages_that_say_no_end_is_left_to_a_person() -> None:
    for text in (SALESFORCE.replace("Closed ", "X-"), SALESFORCE.replace("Stage", "Remark")):
        draft = drafted(text, "opportunity")
        assert line_of(draft, "closed_on").startswith("closed_on: TODO")
        assert line_of(draft, "expected_close_on") == "expected_close_on: {date: Close Date}"


def test_what_remains_of_an_amount_is_not_the_amount_of_the_invoice() -> None:
    draft = drafted(NAV, "invoice", "payment")
    ran = run(draft, NAV)
    assert ran.rejections == []
    assert [str(body["gross"]) for body in ran.bodies("invoice")] == ["1180.50", "750.00"]
    (payment,) = ran.bodies("payment")
    assert plain(payment, "amount", "received_on") == ["1180.50", "2026-02-15"]
    (allocation,) = entries(payment, "allocations")
    assert (allocation["invoice"]["id"], str(allocation["amount"])) == ("103001", "1180.50")
    assert draft.unused == ("Remaining Amount",)


@pytest.mark.parametrize(
    "name", ["Remaining Amount", "Open Amount", "Outstanding Amount", "Balance", "Amount Paid"]
)
def test_an_amount_that_is_a_part_alone_is_left_to_a_person(name: str) -> None:
    text = NAV.replace("Remaining Amount", name).replace("Original Amount", "Remark")
    draft = drafted(text, "invoice")
    for field in ("net", "gross", "amount"):
        assert line_of(draft, field).startswith(f"{field}: TODO")
        assert f"only a part: {name}" in line_of(draft, field)


def test_a_key_that_a_payment_names_by_a_reference_is_allocated() -> None:
    text = "Payment ID,Customer,Bill Ref,Payment Date,Amount,Currency\nP1,C,R1,2026-01-02,5,EUR\n"
    (payment,) = run(drafted(text, "payment"), text).bodies("payment")
    assert [one["invoice"]["id"] for one in entries(payment, "allocations")] == ["R1"]


def test_amounts_with_the_sign_of_a_currency_are_read() -> None:
    ran = run(drafted(QUICKBOOKS, "invoice", "payment"), QUICKBOOKS)
    assert ran.rejections == []
    assert [str(body["gross"]) for body in ran.bodies("invoice")] == ["1234.50", "700.00"]
    assert [str(body["amount"]) for body in ran.bodies("payment")] == ["1234.50"]
    behind = QUICKBOOKS.replace('"$1,234.50"', '"1.234,50 €"').replace("$700.00", '"700,00 €"')
    ran = run(drafted(behind, "invoice"), behind)
    assert [str(body["gross"]) for body in ran.bodies("invoice")] == ["1234.50", "700.00"]


def test_amounts_with_several_signs_are_left_to_a_person() -> None:
    draft = drafted(QUICKBOOKS.replace("$700.00", "€700.00"), "invoice")
    assert line_of(draft, "gross").startswith("gross: TODO")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("Probability (%)", ("10", "100", "0"), ["0.10", "1.00", "0.00"]),
        ("Probability %", ("60%", "100%", "0.5%"), ["0.60", "1.00", "0.005"]),
        ("Probability", ("60", "100", "0"), ["0.60", "1.00", "0.00"]),
        ("Probability", ("0.6", "1", "0"), ["0.6", "1", "0"]),
        ("Probability (%)", ("0.6", "1", "0"), None),
        ("Probability", ("0.6", "60", "0"), None),
        ("Probability", ("160", "60", "0"), None),
    ],
)
def test_a_probability_in_percent_becomes_a_part_of_one(
    name: str, values: tuple[str, ...], expected: list[str] | None
) -> None:
    text = f"Opportunity ID,Stage,Create Date,{name}\n" + "".join(
        f"{number},Won,2026-01-01,{value}\n" for number, value in enumerate(values)
    )
    draft = drafted(text, "opportunity")
    if expected is None:
        assert line_of(draft, "probability").startswith("probability: TODO")
        return
    bodies = run(draft, text).bodies("opportunity")
    assert [body["probability"] for body in bodies] == list(map(Decimal, expected))


def test_the_column_that_is_the_key_is_used() -> None:
    assert drafted("Nr,City,Remark\nA,Ulm,x\nB,Ulm,x\n", "customer").unused == ("Remark",)
