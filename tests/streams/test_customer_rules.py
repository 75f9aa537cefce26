"""Customers by plain values: who is one, what they are worth, where they stand (DOMAIN §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.policy import Policy
from streams.customers.rules import (
    CROSS_REFERENCE,
    TAX_ID,
    Billed,
    Buying,
    LifecyclePolicy,
    Record,
    chance_alive,
    group_records,
    lifecycle,
    months_before,
    record_of,
    revenue_by_customer,
    tiers,
    usual_gap,
    valid_tax_id,
)
from tests.oracle.generate import social_credit_code
from tests.streams.documents import day, reference

ONE, OTHER = social_credit_code(1), social_credit_code(2)
SHARES = Policy().tier_shares
LIFECYCLE = LifecyclePolicy(12, 3.0, 180, 0.5, 2.0)


def record(key: str, tax_id: str | None = None, *same_as: str) -> Record:
    return Record(key, tax_id, same_as)


def groups(*records: Record) -> dict[str, str]:
    return dict(group_records(records).smallest)


# --- identity


def test_a_cross_reference_makes_two_records_one_customer_called_by_the_smaller_key() -> None:
    assert groups(record("erp|1"), record("crm|9", None, "erp|1")) == {
        "crm|9": "crm|9",
        "erp|1": "crm|9",
    }


def test_an_equal_tax_id_makes_two_records_one_customer() -> None:
    found = group_records([record("erp|1", ONE), record("crm|9", ONE), record("erp|2", OTHER)])
    assert found.smallest == {"crm|9": "crm|9", "erp|1": "crm|9", "erp|2": "erp|2"}
    (link,) = found.links
    assert (link.rule, link.evidence, link.refused) == (TAX_ID, ONE, None)


def test_a_link_keeps_the_rule_and_who_stated_it() -> None:
    (link,) = group_records([record("erp|1"), record("crm|9", None, "erp|1")]).links
    assert (link.left, link.right, link.rule) == ("crm|9", "erp|1", CROSS_REFERENCE)
    assert link.evidence == "stated by crm|9"


def test_a_cross_reference_between_different_tax_ids_is_refused_and_says_why() -> None:
    found = group_records([record("erp|1", ONE), record("crm|9", OTHER, "erp|1")])
    assert found.smallest == {"erp|1": "erp|1", "crm|9": "crm|9"}
    (link,) = found.links
    assert link.refused == f"different tax ids: {', '.join(sorted((ONE, OTHER)))}"


def test_a_record_that_is_only_named_by_another_joins_its_customer() -> None:
    assert groups(record("erp|5", None, "crm|1")) == {"erp|5": "crm|1", "crm|1": "crm|1"}


def test_a_customer_that_is_named_but_not_introduced_stands_alone() -> None:
    assert group_records([], ["erp|7"]).smallest == {"erp|7": "erp|7"}


def test_a_record_that_names_itself_links_nothing() -> None:
    document = {"tax_id": None, "same_as": [reference("erp|1"), reference("erp|2")]}
    assert record_of("erp|1", document).same_as == ("erp|2",)


@pytest.mark.parametrize(
    "placeholder",
    [None, "", "0", "000000000000000000", "unknown", "n/a", "91350100M000100Y44", "1111222", "X-1"],
)
def test_a_placeholder_or_a_wrong_check_digit_is_no_tax_id(placeholder: str | None) -> None:
    assert valid_tax_id(placeholder) is None


@pytest.mark.parametrize(
    ("stated", "spelled"),
    [(" 91350100m000100y43 ", "91350100M000100Y43"), ("DE 811-999-003", "DE811999003")],
)
def test_a_tax_id_has_one_spelling(stated: str, spelled: str) -> None:
    assert valid_tax_id(stated) == spelled


keys = st.sampled_from([f"{source}|{number}" for source in ("erp", "crm") for number in range(5)])
records = st.dictionaries(
    keys, st.tuples(st.sampled_from([None, None, ONE, OTHER]), st.sets(keys, max_size=2))
).map(
    lambda stated: [
        Record(key, tax_id, tuple(sorted(same - {key}))) for key, (tax_id, same) in stated.items()
    ]
)


@given(records, st.randoms())
def test_groups_do_not_depend_on_the_order_of_arrival(stated: list[Record], rng: Any) -> None:
    expected = group_records(stated)
    rng.shuffle(stated)
    found = group_records(stated)
    assert (found.smallest, found.links) == (expected.smallest, expected.links)


@given(records)
def test_no_customer_has_two_tax_ids_and_equal_tax_ids_are_one_customer(
    stated: list[Record],
) -> None:
    smallest = group_records(stated).smallest
    by_group: dict[str, set[str]] = {}
    for one in stated:
        if one.tax_id:
            by_group.setdefault(smallest[one.key], set()).add(one.tax_id)
    assert all(len(tax_ids) == 1 for tax_ids in by_group.values())
    assert len({(*tax_ids,) for tax_ids in by_group.values()}) == len(by_group)


@given(records)
def test_a_group_is_called_by_its_smallest_member_by_code_point(stated: list[Record]) -> None:
    smallest = group_records(stated).smallest
    for group in set(smallest.values()):
        assert min(key for key, found in smallest.items() if found == group) == group


@given(records, records)
def test_a_group_grows_no_larger_than_the_records_that_a_chain_of_links_joins(
    stated: list[Record], others: list[Record]
) -> None:
    """So it is enough to regroup the records that a changed one may be linked to."""
    apart = [
        Record(
            f"far-{one.key}",
            f"{one.tax_id}X" if one.tax_id else None,
            tuple(f"far-{key}" for key in one.same_as),
        )
        for one in others
    ]
    alone, together = group_records(stated).smallest, group_records([*stated, *apart]).smallest
    assert {key: together[key] for key in alone} == alone


# --- value


def invoiced(key: str, net: str | None, on: str = "2026-05-01", kind: str = "invoice") -> Billed:
    amount = None if net is None else Decimal(net)
    return Billed(key, kind, "erp|C", day(on), amount, None)


def cancelling(key: str, cancels: str, on: str) -> Billed:
    return Billed(key, "cancellation", "erp|C", day(on), Decimal(1), cancels)


def revenue(*billed: Billed, since: str = "2025-09-30", until: str = "2026-09-30") -> Decimal:
    return revenue_by_customer(billed, day(since), day(until)).get("erp|C", Decimal(0))


def test_revenue_is_invoiced_net_of_credit_notes_of_the_last_twelve_months() -> None:
    assert (
        revenue(
            invoiced("erp|1", "100"),
            invoiced("erp|2", "30", kind="credit_note"),
            invoiced("erp|3", "7", "2025-09-30"),
            invoiced("erp|4", "8", "2025-10-01"),
            invoiced("erp|5", "9", "2026-10-01"),
        )
        == 78
    )


def test_a_cancellation_takes_the_whole_net_back_once_on_its_own_date() -> None:
    bill = invoiced("erp|1", "100", "2026-05-01")
    twice = [
        cancelling("erp|c1", "erp|1", "2026-07-01"),
        cancelling("erp|c2", "erp|1", "2026-08-01"),
    ]
    assert revenue(bill, *twice, until="2026-06-30") == 100
    assert revenue(bill, *twice, until="2026-07-01") == 0
    assert revenue(bill, *twice, since="2026-06-01") == -100


def test_a_cancellation_of_an_unknown_invoice_takes_nothing_back() -> None:
    assert revenue(invoiced("erp|1", "100"), cancelling("erp|c", "erp|2", "2026-07-01")) == 100


def test_an_invoice_without_a_known_rate_is_outside_the_revenue() -> None:
    assert revenue(invoiced("erp|1", None), invoiced("erp|2", "5")) == 5


@pytest.mark.parametrize(
    ("on", "months", "before"),
    [
        ("2026-09-30", 12, "2025-09-30"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2026-01-31", 2, "2025-11-30"),
        ("2026-12-15", 12, "2025-12-15"),
        ("2026-01-01", 1, "2025-12-01"),
    ],
)
def test_months_before_a_day_end_within_the_month(on: str, months: int, before: str) -> None:
    assert months_before(day(on), months) == day(before)


def pyramid(revenues: dict[str, Decimal]) -> dict[str, str]:
    return tiers(revenues, vip=SHARES.vip, large=SHARES.large, medium=SHARES.medium)


def test_the_pyramid_of_a_hundred_customers_is_1_4_15_80() -> None:
    found = pyramid({f"{number:03}": Decimal(1000 - number) for number in range(100)})
    assert [list(found.values()).count(tier) for tier in ("vip", "large", "medium", "small")] == [
        1,
        4,
        15,
        80,
    ]
    assert (found["000"], found["004"], found["019"], found["020"]) == (
        "vip",
        "large",
        "medium",
        "small",
    )


def test_limits_of_the_pyramid_are_rounded_up_and_ties_broken_by_id() -> None:
    assert pyramid({"b": Decimal(5), "a": Decimal(5), "c": Decimal(1)}) == {
        "a": "vip",
        "b": "small",
        "c": "small",
    }


def test_a_customer_without_revenue_has_no_tier() -> None:
    assert pyramid({"a": Decimal(0), "b": Decimal(-3), "c": Decimal("0.01")}) == {"c": "vip"}


@given(st.dictionaries(st.text(max_size=3), st.integers(-5, 50).map(Decimal), max_size=60))
def test_more_revenue_never_makes_a_lower_tier(revenues: dict[str, Decimal]) -> None:
    rank = {"vip": 0, "large": 1, "medium": 2, "small": 3}
    found = pyramid(revenues)
    ordered = sorted(found, key=lambda key: (-revenues[key], key))
    assert [rank[found[key]] for key in ordered] == sorted(rank[found[key]] for key in ordered)


# --- lifecycle and churn


@pytest.mark.parametrize(
    ("repeats", "recency", "age", "expected"),
    [(2, 30.43, 38.86, 0.7266), (1, 1.71, 38.86, 0.2122), (0, 0, 38.86, 1.0)],
)
def test_the_chance_that_a_customer_is_alive_is_that_of_the_check(
    repeats: int, recency: float, age: float, expected: float
) -> None:
    assert round(chance_alive(repeats, recency, age, Buying()), 4) == expected


def standing(*order_days: str, as_of: str = "2026-06-30", gap_of_tier: float | None = None) -> str:
    return lifecycle([day(one) for one in order_days], day(as_of), gap_of_tier, LIFECYCLE, Buying())


def test_a_customer_without_an_order_is_a_prospect() -> None:
    assert standing() == "prospect"


def test_a_customer_is_churned_after_three_usual_gaps_but_not_before_180_days() -> None:
    weekly = ["2025-11-01", "2025-11-08", "2025-11-15"]
    assert standing(*weekly, as_of="2026-05-14") != "churned"  # 180 days
    assert standing(*weekly, as_of="2026-05-15") == "churned"
    quarterly = ["2025-01-01", "2025-04-01", "2025-06-30"]
    assert standing(*quarterly, as_of="2026-03-27") != "churned"  # 3 × 90 days
    assert standing(*quarterly, as_of="2026-03-28") == "churned"
    uneven = ["2025-01-01", "2025-03-02", "2025-05-02"]  # 60 and 61 days, usually 60.5
    assert standing(*uneven, as_of="2025-10-30") != "churned"  # 181 days
    assert standing(*uneven, as_of="2025-10-31") == "churned"  # 182 > 3 × 60.5


def test_a_customer_with_few_orders_takes_the_usual_gap_of_its_tier() -> None:
    assert standing("2026-02-01", gap_of_tier=30.0) == "at_risk"
    assert standing("2026-02-01", gap_of_tier=None) == "new"
    assert standing("2025-06-01", gap_of_tier=200.0) == "existing"


def test_a_customer_is_at_risk_below_the_chance_of_the_policy() -> None:
    days, as_of = [day("2026-01-01"), day("2026-01-08")], day("2026-06-01")
    alive = chance_alive(1, 1, 151 / 7, Buying())

    def at(chance: float) -> str:
        return lifecycle(days, as_of, None, replace(LIFECYCLE, at_risk_chance=chance), Buying())

    assert [at(alive), at(alive + 0.001)] == ["new", "at_risk"]


def test_a_customer_is_new_within_twelve_months_of_its_first_order() -> None:
    assert standing("2025-07-01", "2026-05-30", "2026-06-01", as_of="2026-06-30") == "new"
    assert standing("2025-06-30", "2026-05-30", "2026-06-01", as_of="2026-06-30") == "existing"


def test_the_usual_gap_is_the_median_and_needs_three_order_days() -> None:
    first = date(2026, 1, 1)
    assert usual_gap([first, first + timedelta(10)]) is None
    assert usual_gap([first, first + timedelta(10), first + timedelta(40)]) == 20.0
