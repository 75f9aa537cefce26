"""Demand by plain values: what orders and opportunities ask of production (DOMAIN §4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.policy import Policy
from streams.demand.rules import (
    Line,
    Month,
    demand_by_month,
    lines_of_opportunity,
    lines_of_order,
)
from tests.streams.documents import day, days, reference

POLICY = Policy()
AS_OF = day("2026-06-30")


def opportunity(stage: str = "qualify", **more: Any) -> dict[str, Any]:
    return {
        "stage": stage,
        "outcome": stage if stage in ("won", "lost") else None,
        "opened_on": day("2026-01-10"),
        "occurred_at": datetime(2026, 1, 12, 23, 0, tzinfo=UTC),
        "expected_close_on": None,
        "lines": [wished()],
        **more,
    }


def wished(
    product: str | None = "erp|EX", quantity: int | None = 4, wanted_on: str | None = "2026-09-15"
) -> dict[str, Any]:
    return {
        "number": "1",
        "product": reference(product) if product else None,
        "quantity": None if quantity is None else Decimal(quantity),
        "wanted_on": day(wanted_on) if wanted_on else None,
    }


def order(quantity: int = 3, wanted_on: str | None = "2026-09-20", **more: Any) -> dict[str, Any]:
    return {
        "ordered_on": day("2026-05-05"),
        "status": "open",
        "cancelled_on": None,
        "opportunity": None,
        "lines": [{**wished(quantity=quantity, wanted_on=wanted_on), "rejected": False}],
        **more,
    }


def lines(*documents: dict[str, Any]) -> list[Line]:
    found = []
    for number, document in enumerate(documents):
        read = lines_of_opportunity if "stage" in document else lines_of_order
        found += read(f"crm|{number}", document, POLICY.order_to_delivery_days)
    return found


def demand(*documents: dict[str, Any], as_of: date = AS_OF) -> dict[str, tuple[str, str]]:
    """Return by product and month what orders and pipeline come to."""
    found = demand_by_month(lines(*documents), as_of, POLICY.stage_chances, POLICY.chance_threshold)
    return {
        f"{product} {month:%Y-%m}": (f"{one.orders.normalize():f}", f"{one.pipeline.normalize():f}")
        for (product, month), one in found.items()
    }


# --- the demand date


def test_a_line_counts_in_the_month_in_which_it_is_wanted() -> None:
    assert demand(order()) == {"erp|EX 2026-09": ("3", "0")}


def test_an_opportunity_line_without_a_date_is_wanted_30_days_after_the_expected_close() -> None:
    undated = opportunity(lines=[wished(wanted_on=None)], expected_close_on=day("2026-08-02"))
    assert demand(undated) == {"erp|EX 2026-09": ("0", "1")}


def test_an_order_line_without_a_date_is_wanted_30_days_after_the_order() -> None:
    assert demand(order(wanted_on=None)) == {"erp|EX 2026-06": ("3", "0")}


# --- the pipeline


@pytest.mark.parametrize(
    ("stage", "units"), [("qualify", "1"), ("develop", "2"), ("propose", "3"), ("won", "4")]
)
def test_an_opportunity_counts_with_the_default_chance_of_its_stage(stage: str, units: str) -> None:
    assert demand(opportunity(stage)) == {"erp|EX 2026-09": ("0", units)}


@pytest.mark.parametrize("stage", ["identify", "lost"])
def test_a_chance_below_the_threshold_is_left_out(stage: str) -> None:
    assert demand(opportunity(stage)) == {}


@pytest.mark.parametrize(
    "line", [wished(product=None), wished(quantity=None), wished(wanted_on=None)]
)
def test_a_line_without_product_quantity_or_date_is_left_out(line: dict[str, Any]) -> None:
    assert demand(opportunity(lines=[line])) == {}


def test_an_opportunity_counts_from_the_day_on_which_it_was_opened() -> None:
    assert demand(opportunity(), as_of=day("2026-01-09")) == {}
    assert demand(opportunity(), as_of=day("2026-01-10")) != {}


def test_an_opportunity_that_does_not_say_when_it_was_opened_counts_from_its_event() -> None:
    unknown = opportunity(opened_on=None)
    assert demand(unknown, as_of=day("2026-01-11")) == {}
    assert demand(unknown, as_of=day("2026-01-12")) != {}


def test_the_outcome_has_the_last_word_over_the_stage() -> None:
    assert demand(opportunity("propose", outcome="lost")) == {}


# --- orders


def test_a_rejected_line_asks_for_nothing() -> None:
    refused = order()
    refused["lines"][0]["rejected"] = True
    assert demand(refused) == {}


def test_an_order_counts_from_its_date_until_it_is_cancelled() -> None:
    cancelled = order(status="cancelled", cancelled_on=day("2026-06-10"))
    assert demand(cancelled, as_of=day("2026-05-04")) == {}
    assert demand(cancelled, as_of=day("2026-05-05")) == {"erp|EX 2026-09": ("3", "0")}
    assert demand(cancelled, as_of=day("2026-06-09")) == {"erp|EX 2026-09": ("3", "0")}
    assert demand(cancelled, as_of=day("2026-06-10")) == {}


def test_an_order_that_was_cancelled_on_an_unknown_date_counts_on_none() -> None:
    assert demand(order(status="cancelled")) == {}


def test_an_order_takes_its_quantity_from_the_won_opportunity_that_it_names() -> None:
    won = opportunity("won", lines=[wished(quantity=4, wanted_on="2026-10-01")])
    taken = order(3, opportunity=reference("crm|0"))
    assert demand(won, taken) == {"erp|EX 2026-09": ("3", "0"), "erp|EX 2026-10": ("0", "1")}


def test_orders_beyond_the_won_quantity_leave_no_pipeline() -> None:
    taken = order(9, opportunity=reference("crm|0"))
    assert demand(opportunity("won"), taken) == {"erp|EX 2026-09": ("9", "0")}


def test_the_earliest_line_of_a_won_opportunity_is_covered_first() -> None:
    both = [wished(quantity=2, wanted_on="2026-11-01"), wished(quantity=2, wanted_on="2026-10-01")]
    for number, line in enumerate(both):
        line["number"] = str(number)
    taken = order(3, opportunity=reference("crm|0"))
    assert demand(opportunity("won", lines=both), taken) == {
        "erp|EX 2026-09": ("3", "0"),
        "erp|EX 2026-10": ("0", "0"),
        "erp|EX 2026-11": ("0", "1"),
    }


def test_an_order_does_not_take_from_an_opportunity_that_is_open() -> None:
    taken = order(3, opportunity=reference("crm|0"))
    assert demand(opportunity("propose"), taken) == {"erp|EX 2026-09": ("3", "3")}


def test_a_returned_order_line_adds_nothing_to_what_was_won() -> None:
    returned = order(-2, opportunity=reference("crm|0"))
    assert demand(opportunity("won"), returned) == {"erp|EX 2026-09": ("-2", "4")}


# --- what holds for all of them

quantities = st.integers(min_value=0, max_value=9).map(Decimal)


@st.composite
def any_lines(draw: st.DrawFn) -> list[Line]:
    found = []
    for number in range(draw(st.integers(min_value=0, max_value=8))):
        key = draw(st.sampled_from(["crm|1", "crm|2"]))
        stage = draw(st.none() | st.sampled_from(sorted(POLICY.stage_chances)))
        named = draw(st.sampled_from([None, "crm|1", "crm|2"])) if stage is None else key
        found.append(
            Line(
                "order" if stage is None else "opportunity",
                key,
                str(number),
                draw(st.sampled_from([None, "erp|A", "erp|B"])),
                draw(st.none() | days),
                draw(st.none() | quantities),
                stage,
                draw(days),
                draw(st.none() | days),
                named,
            )
        )
    return found


def totals(found: list[Line], as_of: date) -> dict[tuple[str, date], Month]:
    return demand_by_month(found, as_of, POLICY.stage_chances, POLICY.chance_threshold)


@given(any_lines(), days, st.randoms())
def test_the_order_of_arrival_does_not_matter(found: list[Line], as_of: date, rng: Any) -> None:
    expected = totals(found, as_of)
    rng.shuffle(found)
    assert totals(found, as_of) == expected


@given(any_lines(), days)
def test_orders_are_the_sum_of_their_lines_and_the_pipeline_is_never_below_zero(
    found: list[Line], as_of: date
) -> None:
    standing = [
        one
        for one in found
        if one.since <= as_of
        and (one.until is None or one.until > as_of)
        and one.product_key
        and one.demand_on
        and one.quantity is not None
    ]
    ordered = sum((one.quantity or 0 for one in standing if one.stage is None), Decimal(0))
    months = totals(found, as_of).values()
    assert sum((month.orders for month in months), Decimal(0)) == ordered
    most = sum((one.quantity or 0 for one in standing if one.stage is not None), Decimal(0))
    assert 0 <= sum((month.pipeline for month in months), Decimal(0)) <= most
    assert all(month.pipeline >= 0 for month in months)
    assert all(month.total == month.orders + month.pipeline for month in months)
