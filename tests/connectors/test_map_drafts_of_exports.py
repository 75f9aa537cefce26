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
    assert draft.unused == ()


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


WITH_STATUS = """\
Deal - ID,Deal - Title,Deal - Organization,Deal - Value,Deal - Currency,Deal - Stage,\
Deal - Status,Deal - Expected close date,Deal - Won time,Deal - Lost time
1,Acme pumps,Acme Corp,12000,EUR,Proposal Made,open,2026-12-20,,
2,Birch retrofit,Birch Ltd,8000,EUR,Qualified,won,2026-12-10,2026-10-10 10:11:12,
3,Acme spares,Acme Corp,500,EUR,Qualified,lost,2026-12-11,,2026-10-12 09:11:12
"""


def test_a_status_of_won_and_lost_goes_before_the_stage_beside_it() -> None:
    draft = drafted(WITH_STATUS, "opportunity")
    assert "Proposal Made: TODO" in line_of(draft, "stage")
    assert "allowed: develop, identify, lost" in line_of(draft, "stage")
    ran = run(draft, WITH_STATUS, **{"Proposal Made": "propose"})
    assert ran.rejections == []
    bodies = ran.bodies("opportunity")
    assert [body["stage"] for body in bodies] == ["propose", "won", "lost"]
    assert [str(body.get("closed_on")) for body in bodies] == ["None", "2026-10-10", "2026-10-12"]
    assert draft.unused == ()


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ("Stage", "Status"),
        ("Pipeline Step", "Status"),
        ("Status", "Stage"),
        ("Phase", "State/Status"),
    ],
)
def test_which_column_has_the_stages_is_told_by_the_values(step: str, status: str) -> None:
    text = (
        f"Deal ID,{step},{status},Close Date\n1,Qualified,Open,2026-12-01\n"
        "2,Proposal,Won,2026-10-02\n3,Demo,,2026-12-03\n4,Proposal,Lost,2026-10-04\n"
    )
    ran = run(drafted(text, "opportunity"), text)
    assert ran.rejections == []
    bodies = ran.bodies("opportunity")
    assert [body["stage"] for body in bodies] == ["qualify", "won", "develop", "lost"]
    assert ["closed_on" in body for body in bodies] == [False, True, False, True]
    assert all("expected_close_on" in body for body in bodies)


def test_a_status_that_nobody_knows_is_left_to_a_person_beside_the_stage() -> None:
    draft = drafted(WITH_STATUS.replace(",lost,", ",deleted,"), "opportunity")
    assert "deleted: TODO" in line_of(draft, "stage")
    assert "Deal - Status: won, lost, or null where Deal - Stage says it" in line_of(draft, "stage")


def test_a_status_says_nothing_beside_stages_that_are_won_and_lost() -> None:
    text = SALESFORCE.replace("Probability (%)", "Status")
    for status, number in (("Open", "10"), ("Closed", "100"), ("Open", "0")):
        text = text.replace(f",{number},2026", f",{status},2026")
    ran = run(drafted(text, "opportunity"), text, currency="EUR")
    assert [body["stage"] for body in ran.bodies("opportunity")] == ["identify", "won", "lost"]


def test_open_alone_says_no_stage() -> None:
    text = "Deal ID,Status\n1,Open\n2,Won\n"
    assert "Open: TODO, Won: won" in line_of(drafted(text, "opportunity"), "stage")


@pytest.mark.parametrize(
    "name",
    ["Tax Amount", "Discount Amount", "VAT Amount", "Total Tax", "TotalQty", "Tax %", "税额金额"],
)
def test_an_amount_beside_that_of_the_document_is_left_to_a_person(name: str) -> None:
    text = f"Invoice No,Customer,Invoice Date,{name},Currency\n1,C,2026-01-02,5.50,EUR\n"
    for document in ("invoice", "payment"):
        for field in ("net", "gross") if document == "invoice" else ("amount",):
            line = line_of(drafted(text, document), field)
            assert line.startswith(f"{field}: TODO")
            assert "%" in name or name in line


@pytest.mark.parametrize(
    "name", ["Amount incl. Tax", "Amount without tax", "Total after discount", "Net amount"]
)
def test_an_amount_with_or_without_tax_is_that_of_the_document(name: str) -> None:
    text = f"Invoice No,Customer,Invoice Date,{name},Tax Amount,Currency\n1,C,2026-01-02,5,1,EUR\n"
    draft = drafted(text, "invoice")
    ran = run(draft, text)
    assert [str(body["gross"]) for body in ran.bodies("invoice")] == ["5"]
    assert "with or without tax? (beside it: Tax Amount)" in draft.text


PARTLY = """\
Bill No,Client,Issued,Pay by,Total,{said},Currency,Last payment date
A-1,Meier,2026-08-01,2026-09-01,119.00,{all},EUR,2026-08-20
A-2,Schulz,2026-08-05,2026-09-05,238.00,{some},EUR,2026-09-20
A-3,Kurz,2026-08-09,2026-09-09,59.50,{none},EUR,
A-4,Kurz,2026-09-09,2026-10-09,59.50,{bit},EUR,
"""
PAID = {"all": "119.00", "some": "100.00", "none": "0.00", "bit": "9.50"}
RESTS = {"all": "0.00", "some": "138.00", "none": "59.50", "bit": "50.00"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, PAID) for name in ("Amount Paid", "Paid to date", "Total received", "已付金额")),
        *((name, RESTS) for name in ("Balance", "Amount Due", "Outstanding", "Open Amount")),
        ("Balance", {**RESTS, "all": ""}),
        ("Balance", {one: f"${value}" for one, value in RESTS.items()}),
    ],
)
def test_a_payment_is_what_was_paid_of_the_invoice(name: str, values: dict[str, str]) -> None:
    text = PARTLY.format(said=name, **values)
    draft = drafted(text, "invoice", "payment")
    ran = run(draft, text)
    assert ran.rejections == []
    assert [str(body["gross"]) for body in ran.bodies("invoice")] == ["119.00", "238.00"] + [
        "59.50"
    ] * 2
    payments = ran.bodies("payment")
    assert [Decimal(str(body["amount"])) for body in payments] == [Decimal(119), Decimal(100)]
    allocated = [one["amount"] for body in payments for one in entries(body, "allocations")]
    assert allocated == [body["amount"] for body in payments]
    assert (
        "# 1 record (record 4) says that something was paid but not when: no payment" in draft.text
    )
    assert ("an empty Balance is taken as 0" in draft.text) == ("" in values.values())


def test_a_payment_of_which_no_column_says_how_much_is_said_to_be_in_full() -> None:
    for text in (PARTLY.format(said="Remark", **dict.fromkeys(PAID, "x")), QUICKBOOKS):
        whole = text.replace("Open Balance", "Shade")
        amount = line_of(drafted(whole, "payment"), "amount")
        assert amount.endswith("# no column says how much was paid: taken as paid in full")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**RESTS, "all": "119.00"}, "record 1 has 119.00 and 119.00"),
        ({**RESTS, "some": "900.00"}, "record 2 has 238.00 and 900.00"),
        ({**RESTS, "some": "-1.00"}, "record 2 has 238.00 and -1.00"),
    ],
)
def test_a_balance_that_is_no_rest_of_a_paid_invoice_is_left_to_a_person(
    values: dict[str, str], said: str
) -> None:
    draft = drafted(PARTLY.format(said="Balance", **values), "invoice", "payment")
    amount = f"amount: TODO   # {{decimal: Total}}, or less Balance? {said}"
    assert [line.strip() for line in draft.text.splitlines()].count(amount) == 2


def test_two_columns_that_say_what_is_left_are_left_to_a_person() -> None:
    text = PARTLY.format(said="Balance,Open Amount", **{one: f"{RESTS[one]},1" for one in RESTS})
    draft = drafted(text, "payment")
    assert "which says what is still to be paid: Balance, Open Amount?" in line_of(draft, "amount")


def test_an_export_of_payments_alone_has_their_own_amounts() -> None:
    text = "Payment ID,Customer,Payment Date,Amount,Balance,Currency\nP1,C,2026-01-02,5,3,EUR\n"
    draft = drafted(text, "payment")
    assert line_of(draft, "amount") == "amount: {decimal: Amount}"


def test_a_flag_of_what_is_paid_is_no_amount() -> None:
    text = PARTLY.format(said="Paid", all="1", some="1", none="0", bit="0")
    draft = drafted(text, "invoice", "payment")
    assert "{decimal: Paid}" not in draft.text


def test_a_date_of_something_else_is_not_the_date_of_the_document() -> None:
    text = PARTLY.format(said="Amount Paid", **PAID).replace("Issued", "Print")
    assert line_of(drafted(text, "invoice"), "invoiced_on").startswith("invoiced_on: TODO")


GERMAN_BILLS = """\
Ref;Debtor;Debtor name;Issue date;Due by;Net value;Gross value;CCY;Outstanding amount;Cleared
RB-1;D100;Nordbau GmbH;03.08.2026;02.09.2026;1.000,00;1.190,00;EUR;0,00;28.08.2026
RB-2;D200;Alpenwerk AG;15.08.2026;04.09.2026;2.500,00;2.975,00;EUR;975,00;10.09.2026
RB-3;D100;Nordbau GmbH;11.09.2026;11.10.2026;400,00;476,00;EUR;476,00;
"""
DEALS = """\
Deal No,Deal,Org,Pipeline Stage,Deal Status,Forecast Value,Curr.,Added,Est. close,Closed,Rep
77,Pump station,Nordbau GmbH,Qualified,Open,40000,EUR,2026-09-01,2026-12-15,,Ida Kern
78,Retrofit,Alpenwerk AG,Proposal,Won,12500,EUR,2026-08-11,2026-10-30,2026-10-28,Tom Berg
"""


def test_what_is_due_and_paid_of_an_invoice_is_gross() -> None:
    draft = drafted(GERMAN_BILLS, "invoice", "payment", "customer")
    ran = run(draft, GERMAN_BILLS)
    assert (ran.rejections, draft.todos, draft.unused) == ([], 0, ())
    due = [one["amount"] for body in ran.bodies("invoice") for one in entries(body, "instalments")]
    assert due == [Decimal(1190), Decimal(2975), Decimal(476)]
    assert [body["net"] for body in ran.bodies("invoice")] == [Decimal(1000), 2500, 400]
    assert [body["amount"] for body in ran.bodies("payment")] == [Decimal(1190), Decimal(2000)]
    assert {body["name"] for body in ran.bodies("customer")} == {"Nordbau GmbH", "Alpenwerk AG"}


def test_a_deal_is_known_by_its_number_and_not_by_its_title() -> None:
    draft = drafted(DEALS, "opportunity", "customer")
    ran = run(draft, DEALS)
    assert (ran.rejections, draft.todos, draft.unused) == ([], 0, ())
    first, second = ran.bodies("opportunity")
    assert plain(first, "id", "title", "opened_on", "stage") == [
        "77",
        "Pump station",
        "2026-09-01",
        "qualify",
    ]
    assert plain(second, "expected_close_on", "closed_on", "stage") == [
        "2026-10-30",
        "2026-10-28",
        "won",
    ]
    assert customers_of([first, second]) == ["Nordbau GmbH", "Alpenwerk AG"]


SHORT = """\
Inv #,Cust #,Cust Name,Inv Dt,Net Due Dt,Inv Amt,Amt Pd,Pd Dt,Currency
9001,500,Ridge Inc,09/14/2026,10/14/2026,"1,200.00","1,200.00",10/10/2026,USD
9002,501,Lake LLC,09/20/2026,10/20/2026,"3,000.00",500.00,10/25/2026,USD
"""
OUTCOMES = """\
Opp #,Opp Name,Account Name,Sales Stage,Outcome,Opened,Expected Close Date,Actual Close
O-1,Crane,Ridge Inc,Discovery,,09/14/2026,12/31/2026,
O-2,Hoist,Lake LLC,Negotiation,Won,07/02/2026,09/30/2026,09/28/2026
O-3,Winch,Ridge Inc,Discovery,Open,08/01/2026,10/15/2026,
"""


def test_words_that_are_cut_short_are_known() -> None:
    draft = drafted(SHORT, "invoice", "payment", "customer")
    ran = run(draft, SHORT)
    assert (ran.rejections, draft.todos, draft.unused) == ([], 0, ())
    first, _ = ran.bodies("invoice")
    assert plain(first, "id", "invoiced_on", "gross") == ["9001", "2026-09-14", "1200.00"]
    assert [str(body["amount"]) for body in ran.bodies("payment")] == ["1200.00", "500.00"]
    made = [(body["id"], body["name"]) for body in ran.bodies("customer")]
    assert made == [("500", "Ridge Inc"), ("501", "Lake LLC")]


def test_an_outcome_that_open_opportunities_lack_rejects_none_of_them() -> None:
    draft = drafted(OUTCOMES, "opportunity")
    ran = run(draft, OUTCOMES)
    assert (ran.rejections, draft.unused) == ([], ())
    bodies = ran.bodies("opportunity")
    assert [body["stage"] for body in bodies] == ["qualify", "won", "qualify"]
    assert [body.get("outcome") for body in bodies] == [None, "won", None]
    assert [str(body.get("closed_on")) for body in bodies] == ["None", "2026-09-28", "None"]
