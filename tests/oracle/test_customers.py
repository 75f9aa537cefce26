"""Identity, counts, revenue and tiers of the oracle."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.ids import customer_uuid
from tests.oracle.customers import (
    Customer,
    customers,
    is_social_credit_code,
    tiers_of,
    valid_tax_id,
)
from tests.oracle.generate import Event, social_credit_code
from tests.oracle.handwritten import (
    customer,
    documents_of,
    exchange_rate,
    invoice,
    order,
    payment,
    shipment,
)

ONE, OTHER = social_credit_code(1), social_credit_code(2)


def all_of(*events: Event, as_of: date = date(2026, 9, 30)) -> dict[str, Customer]:
    return customers(documents_of(*events), as_of, "CNY")


def groups_of(*events: Event) -> list[tuple[str, ...]]:
    return sorted(found.members for found in all_of(*events).values())


def revenue_of(*events: Event) -> Decimal:
    return all_of(*events)[str(customer_uuid("erp|C"))].revenue


def test_the_check_digit_of_a_social_credit_code_must_be_right() -> None:
    assert is_social_credit_code("91350100M000100Y43")
    assert not is_social_credit_code("91350100M000100Y44")
    assert not is_social_credit_code("91350100I000100Y43")


def test_placeholders_and_wrong_codes_are_no_tax_ids() -> None:
    for text in (None, "", "0", "000000000000000000", "unknown", "n/a", "91350100M000100Y44"):
        assert valid_tax_id(text) is None
    assert valid_tax_id(" 91350100m000100y43 ") == "91350100M000100Y43"
    assert valid_tax_id("DE 811-999-003") == "DE811999003"


def test_a_cross_reference_or_an_equal_tax_id_makes_one_customer() -> None:
    assert groups_of(
        customer("erp|1", tax_id=ONE),
        customer("crm|A", same_as=["erp|1"]),
        customer("crm|B", tax_id=ONE.lower()),
        customer("crm|C", tax_id="000000000000000000"),
        customer("erp|2", tax_id="000000000000000000"),
    ) == [("crm|A", "crm|B", "erp|1"), ("crm|C",), ("erp|2",)]


def test_the_id_is_that_of_the_smallest_member() -> None:
    found = all_of(customer("erp|1"), customer("crm|A", same_as=["erp|1"]))
    assert list(found) == [str(customer_uuid("crm|A"))]


def test_a_union_of_two_different_tax_ids_is_refused() -> None:
    assert groups_of(
        customer("erp|1", tax_id=ONE),
        customer("erp|2", tax_id=OTHER, same_as=["erp|1"]),
    ) == [("erp|1",), ("erp|2",)]


def test_links_are_taken_in_the_order_of_their_keys() -> None:
    # crm|A—erp|1 comes before crm|A—erp|2, so the latter would bring a second tax id.
    assert groups_of(
        customer("crm|A", same_as=["erp|2", "erp|1"]),
        customer("erp|1", tax_id=ONE),
        customer("erp|2", tax_id=OTHER),
    ) == [("crm|A", "erp|1"), ("erp|2",)]


def test_a_deleted_record_links_nothing() -> None:
    assert groups_of(customer("erp|1"), customer("crm|A", same_as=["erp|1"], deleted=True)) == [
        ("erp|1",)
    ]


def test_a_customer_that_is_only_named_stands_without_a_name() -> None:
    (found,) = all_of(order("erp|4010", "erp|C", "2026-09-20", [])).values()
    assert (found.members, found.names, found.counts["order"]) == (("erp|C",), (), 1)


def test_documents_are_counted_and_deleted_ones_are_not() -> None:
    (found,) = all_of(
        order("erp|1", "erp|C", "2026-09-20", []),
        order("erp|2", "erp|C", "2026-09-20", [], deleted=True),
        shipment("erp|3", "erp|C"),
        shipment("erp|4", None),
        invoice("erp|5", "erp|C", "2026-09-20", "10"),
        payment("erp|6", "erp|C", "2026-09-20", "10"),
    ).values()
    assert found.counts == {"order": 1, "shipment": 1, "invoice": 1, "payment": 1}


def test_documents_count_from_their_business_date() -> None:
    (found,) = all_of(
        order("erp|1", "erp|C", "2026-10-01", []),
        shipment("erp|3", "erp|C", planned_on="2026-10-01"),
        shipment("erp|4", "erp|C", planned_on="2026-09-30"),
        invoice("erp|5", "erp|C", "2026-10-01", "10"),
        payment("erp|6", "erp|C", "2026-10-01", "10"),
    ).values()
    assert found.counts == {"order": 0, "shipment": 1, "invoice": 0, "payment": 0}


def test_revenue_is_twelve_months_of_net_invoices_less_credit_notes() -> None:
    assert revenue_of(
        invoice("erp|1", "erp|C", "2025-09-30", "1"),
        invoice("erp|2", "erp|C", "2025-10-01", "113", net="100"),
        invoice("erp|3", "erp|C", "2026-09-30", "20"),
        invoice("erp|4", "erp|C", "2026-10-01", "4000"),
        invoice("erp|5", "erp|C", "2026-01-01", "33", net="30", kind="credit_note"),
    ) == Decimal(90)


def test_a_cancellation_takes_back_the_whole_net_once_on_its_own_date() -> None:
    bill = invoice("erp|1", "erp|C", "2025-09-01", "113", net="100")
    late = invoice("erp|2", "erp|C", "2026-01-01", "1", kind="cancellation", cancels="erp|1")
    again = invoice("erp|3", "erp|C", "2026-02-01", "1", kind="cancellation", cancels="erp|1")
    early = invoice("erp|3", "erp|C", "2025-08-01", "1", kind="cancellation", cancels="erp|1")
    assert revenue_of(bill, late) == revenue_of(bill, late, again) == Decimal(-100)
    assert revenue_of(bill, early, late) == 0


def test_revenue_in_another_currency_is_rounded_once_at_the_end() -> None:
    assert revenue_of(
        invoice("erp|1", "erp|C", "2026-09-01", "0.01", currency="USD", rate="7.5"),
        invoice("erp|2", "erp|C", "2026-09-01", "0.01", currency="USD"),
        invoice("erp|3", "erp|C", "2026-09-01", "0.01", currency="EUR"),
        exchange_rate("erp|r", "USD", "7.4", "2026-09-02"),
    ) == Decimal("0.15")


def test_the_pyramid_rounds_its_limits_up_and_breaks_ties_by_id() -> None:
    revenues = {f"c{number:02}": Decimal(100 - number) for number in range(30)}
    revenues["c01"] = revenues["c00"]
    revenues["none"] = Decimal(0)
    tiers = tiers_of(revenues)
    assert [tiers[f"c{number:02}"] for number in range(8)] == [
        "vip",
        "large",
        "medium",
        "medium",
        "medium",
        "medium",
        "small",
        "small",
    ]
    assert "none" not in tiers
