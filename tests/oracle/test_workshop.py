"""The workshop's documents, written by hand, give the figures that its README works out by hand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hub.ids import customer_uuid
from tests.oracle.answers import show_receivables
from tests.oracle.check import shown_columns
from tests.oracle.customers import COUNTED_DOCUMENTS, customers
from tests.oracle.demand import demand
from tests.oracle.documents import Documents
from tests.oracle.generate import Event
from tests.oracle.handwritten import (
    allocation,
    customer,
    documents_of,
    exchange_rate,
    invoice,
    opportunity,
    order,
    payment,
    shipment,
)
from tests.oracle.receivables import receivables, total_of

WORKSHOP = Path(__file__).resolve().parents[2] / "examples" / "workshop"
EXPECTED = json.loads((WORKSHOP / "expected.json").read_text(encoding="utf-8"))
AS_OF = date.fromisoformat(EXPECTED["as_of"])

TAX_1, TAX_5, TAX_7 = "91320500MA0010001P", "91320500MA00100054", "91320500MA0010007A"
WRONG = "91320500MA0010015A"

ERP_TAX_IDS = {
    1: TAX_1,
    5: TAX_5,
    7: TAX_7,
    12: "DE811999003",
    13: "000000000000000000",
    14: "000000000000000000",
    15: WRONG,
    16: WRONG,
}
CRM_TAX_IDS = {101: TAX_1, 105: TAX_5.lower(), 107: TAX_7}
CRM_REFERENCES = {
    102: "10002",
    103: "10003",
    104: "10004",
    106: "10006",
    108: "10008",
    109: "10009",
}


def erp(number: int) -> str:
    return f"erp|{number}"


def parties() -> list[Event]:
    records = []
    for number in range(1, 17):
        records.append(customer(erp(10000 + number), tax_id=ERP_TAX_IDS.get(number)))
    for number in range(101, 113):
        other = CRM_REFERENCES.get(number)
        records.append(
            customer(
                f"crm|A-{number}",
                tax_id=CRM_TAX_IDS.get(number),
                same_as=[f"erp|{other}"] if other else [],
            )
        )
    return records


def sold(
    number: int,
    buyer: int,
    on: str,
    lines: list[tuple[str, int, str | None]],
    **more: Any,
) -> Event:
    wanted = [(f"erp|{product}", quantity, day) for product, quantity, day in lines]
    return order(erp(number), erp(buyer), on, wanted, **more)


def orders() -> list[Event]:
    return [
        sold(4001, 10002, "2026-09-18", [("EX-220", 2, "2026-11-15")], opportunity="crm|O-2001"),
        sold(
            4002,
            10003,
            "2026-07-25",
            [("EX-60", 1, "2026-08-10"), ("BK-90", 1, "2026-08-10")],
            rejected=[1],
        ),
        sold(4003, 10004, "2026-07-06", [("EX-350", 1, "2026-08-05")]),
        sold(4004, 10001, "2026-07-01", [("EX-220", 2, "2026-07-08")]),
        sold(4005, 10005, "2026-07-13", [("EX-220", 1, "2026-07-15"), ("BK-90", 1, "2026-07-15")]),
        sold(4006, 10008, "2026-07-01", [("EX-60", 1, "2026-07-01")]),
        sold(
            4007,
            10010,
            "2026-08-03",
            [("EX-60", 2, "2026-10-01")],
            status="cancelled",
            cancelled_on="2026-08-18",
        ),
        sold(4008, 10007, "2026-07-01", [("EX-20", 2, "2026-07-02")]),
        sold(4009, 10009, "2026-07-06", [("BK-90", 10, "2026-07-10")]),
        sold(4010, 10099, "2026-09-20", [("EX-20", 1, "2026-10-20")]),
        sold(4011, 10012, "2026-09-10", [("EX-60", 1, None)]),
        sold(4012, 10014, "2026-09-12", [("BK-90", 2, "2026-10-05")]),
        sold(4013, 10006, "2026-07-20", [("EX-20", 2, "2026-08-03")]),
        sold(4014, 10013, "2026-08-20", [("EX-20", 1, "2026-09-01")]),
    ]


def hoped(
    number: int,
    account: int,
    stage: str,
    opened_on: str,
    line: tuple[str, int | None, str | None],
    close_on: str | None = None,
) -> Event:
    product, quantity, wanted_on = line
    return opportunity(
        f"crm|O-{number}",
        f"crm|A-{account}",
        stage,
        [(f"erp|{product}", quantity, wanted_on)],
        opened_on=opened_on,
        close_on=close_on,
    )


def opportunities() -> list[Event]:
    return [
        hoped(2001, 102, "won", "2026-07-10", ("EX-220", 3, "2026-11-15")),
        hoped(2002, 101, "propose", "2026-08-04", ("EX-350", 2, "2026-12-10")),
        hoped(2003, 104, "develop", "2026-07-28", ("EX-60", 4, None), "2026-10-20"),
        hoped(2004, 110, "qualify", "2026-08-18", ("EX-20", 8, "2026-10-25")),
        hoped(2005, 111, "identify", "2026-09-02", ("EX-220", 1, "2026-12-01")),
        hoped(2006, 103, "lost", "2026-07-05", ("EX-60", 1, "2026-09-20")),
        hoped(2007, 112, "develop", "2026-08-25", ("EX-60", None, "2027-01-15"), "2026-12-15"),
        hoped(2008, 105, "won", "2026-09-07", ("BK-90", 3, "2026-10-12")),
    ]


def shipments() -> list[Event]:
    buyers = [10001, 10004, 10005, 10008, 10007, 10009, 10003, 10006, 10013]
    left = [shipment(erp(6001 + place), erp(buyer)) for place, buyer in enumerate(buyers)]
    return [*left, shipment("erp|6010", "erp|10002", planned_on="2026-11-12")]


def billed(
    number: int, buyer: int, on: str, net: str, gross: str, days: int | None, **more: Any
) -> Event:
    terms = None if days is None else (0, False, days)
    return invoice(erp(number), erp(buyer), on, gross, net=net, **{"terms": terms, **more})


def invoices() -> list[Event]:
    return [
        billed(9001, 10001, "2026-07-08", "1720000", "1943600", 30),
        billed(9002, 10004, "2026-08-06", "1450000", "1638500", 30),
        billed(9003, 10003, "2026-08-10", "310000", "350300", 60),
        billed(9004, 10005, "2026-07-15", "860000", "971800", 30, status="cancelled"),
        billed(
            9005,
            10005,
            "2026-07-22",
            "860000",
            "971800",
            30,
            kind="cancellation",
            cancels="erp|9004",
        ),
        billed(9006, 10005, "2026-07-22", "878000", "992140", 30),
        billed(
            9007,
            10008,
            "2026-07-01",
            "310000",
            "350300",
            None,
            instalments=[
                ("2026-07-31", "105090"),
                ("2026-08-31", "175150"),
                ("2026-10-31", "70060"),
            ],
        ),
        billed(9008, 10009, "2026-05-20", "100", "100", 0),
        billed(9009, 10009, "2026-07-10", "180000", "203400", 30),
        billed(9010, 10007, "2026-07-02", "240000", "271200", 15),
        billed(
            9011,
            10007,
            "2026-08-01",
            "10000",
            "11300",
            None,
            kind="credit_note",
            allocations=[allocation("erp|9010", "11300")],
        ),
        billed(
            9012,
            10006,
            "2026-08-03",
            "45000",
            "45000",
            None,
            terms=(1, True, 0),
            currency="USD",
            rate="7.1",
        ),
        billed(9013, 10006, "2026-09-15", "5000", "5000", None, terms=(1, True, 0), currency="USD"),
        billed(9014, 10010, "2026-06-25", "45000", "50850", None),
        billed(9015, 10013, "2026-09-01", "120000", "135600", 30),
        billed(9016, 10015, "2026-08-20", "45000", "50850", 0),
    ]


def paid(
    number: int, payer: int, on: str, amount: str, bill: int | None = None, **more: Any
) -> Event:
    allocations = [] if bill is None else [allocation(erp(bill), amount)]
    return payment(erp(number), erp(payer), on, amount, *allocations, **more)


def payments() -> list[Event]:
    return [
        paid(7001, 10003, "2026-07-20", "200000", 9003),
        paid(7002, 10001, "2026-08-03", "1000000", 9001),
        paid(7003, 10001, "2026-08-05", "943600", 9001),
        paid(7004, 10005, "2026-08-20", "992140", 9006),
        paid(7005, 10008, "2026-08-15", "140120", 9007),
        paid(7006, 10007, "2026-07-30", "250000", 9010),
        paid(7007, 10009, "2026-06-02", "99.99", 9008),
        paid(7008, 10006, "2026-09-10", "20000", 9012, currency="USD", rate="7.05"),
        paid(7010, 10002, "2026-09-22", "583080"),
        paid(7011, 10010, "2026-07-05", "50850", 9014, reversed_on="2026-07-12"),
        paid(7012, 10011, "2026-09-05", "1000"),
        paid(7013, 10015, "2026-08-20", "50850", 9016),
    ]


def rates() -> list[Event]:
    return [
        exchange_rate("erp|r1", "USD", "7.15", "2026-07-01"),
        exchange_rate("erp|r2", "USD", "7.12", "2026-09-01"),
        exchange_rate("erp|r3", "USD", "7.09", "2026-09-28"),
    ]


@cache
def workshop() -> Documents:
    return documents_of(
        *parties(),
        *orders(),
        *opportunities(),
        *shipments(),
        *invoices(),
        *payments(),
        *rates(),
    )


def test_every_customer_has_the_members_counts_revenue_and_tier_worked_out_by_hand() -> None:
    found = {}
    for one in customers(workshop(), AS_OF, EXPECTED["currency"]).values():
        row: dict[str, Any] = {"members": list(one.members)}
        row |= {f"{kind}s": one.counts[kind] for kind in COUNTED_DOCUMENTS}
        row |= {"revenue": f"{one.revenue:.2f}", "tier": one.tier}
        found[one.members[0]] = row
    assert found == {row["members"][0]: row for row in EXPECTED["customers"]}


def test_demand_is_as_worked_out_by_hand() -> None:
    found = demand(workshop(), AS_OF)
    shown = [
        {
            "product": product,
            "month": month,
            "orders": f"{row.orders.normalize():f}",
            "pipeline": f"{row.pipeline.normalize():f}",
            "total": f"{row.total.normalize():f}",
        }
        for (product, month), row in sorted(found.items())
    ]
    assert shown == EXPECTED["demand"]


@pytest.mark.parametrize("as_of", list(EXPECTED["receivables"]))
def test_receivables_are_as_worked_out_by_hand(as_of: str) -> None:
    day = date.fromisoformat(as_of)
    expected = EXPECTED["receivables"][as_of]
    named = customers(workshop(), day, EXPECTED["currency"])
    rows = receivables(workshop(), day, EXPECTED["currency"])
    answer = show_receivables(rows, named, day, EXPECTED["currency"])
    by_member = {
        member: hub_id
        for hub_id, one in named.items()
        for member in one.members
        if member in expected["rows"]
    }
    found = {row["id"]: figures(row) for row in answer["rows"]}
    assert found == {by_member[key]: numbers(row) for key, row in expected["rows"].items()}
    assert figures(answer["total"]) == numbers(expected["total"])
    assert total_of(rows).outstanding == Decimal(expected["total"][7])


def figures(row: dict[str, Any]) -> list[Decimal]:
    columns = shown_columns(row)
    buckets = ["bucket 1–30", "bucket 31–60", "bucket 61–90", "bucket 91–120", "bucket 121–"]
    names = ["not due", *buckets, "unallocated", "outstanding", "items", "overdue items"]
    return [columns[name] for name in names]


def numbers(row: list[Any]) -> list[Decimal]:
    return [Decimal(str(value)) for value in row]


def test_the_nameless_customer_has_the_id_of_its_only_key() -> None:
    assert str(customer_uuid("erp|10099")) in customers(workshop(), AS_OF, EXPECTED["currency"])
