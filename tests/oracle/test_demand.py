"""Orders and pipeline of the oracle."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.oracle.demand import demand
from tests.oracle.generate import Event
from tests.oracle.handwritten import documents_of, opportunity, order, product

AS_OF = date(2026, 9, 30)


def demand_of(*events: Event, as_of: date = AS_OF) -> dict[tuple[str, str], tuple[str, str]]:
    found = demand(documents_of(*events), as_of)
    return {
        place: (f"{row.orders.normalize():f}", f"{row.pipeline.normalize():f}")
        for place, row in found.items()
    }


def test_an_order_line_counts_in_the_month_in_which_it_is_wanted() -> None:
    lines = [("erp|E", 2, "2026-11-15"), ("erp|E", 3, None), ("erp|F", 9, "2026-11-15")]
    assert demand_of(order("erp|1", "erp|C", "2026-09-10", lines, rejected=[2])) == {
        ("erp|E", "2026-11"): ("2", "0"),
        ("erp|E", "2026-10"): ("3", "0"),
    }


def test_an_order_counts_from_its_date_until_it_is_cancelled() -> None:
    lines = [("erp|E", 2, "2026-11-15")]
    cancelled = order(
        "erp|1", "erp|C", "2026-09-10", lines, status="cancelled", cancelled_on="2026-09-20"
    )
    assert demand_of(cancelled, as_of=date(2026, 9, 9)) == {}
    assert demand_of(cancelled, as_of=date(2026, 9, 19)) != {}
    assert demand_of(cancelled, as_of=date(2026, 9, 20)) == {}
    undated = order("erp|1", "erp|C", "2026-09-10", lines, status="cancelled")
    assert demand_of(undated, as_of=date(2026, 9, 19)) == {}


def test_the_pipeline_weighs_open_opportunities_by_the_chance_of_their_stage() -> None:
    lines = [("erp|E", 8, "2026-10-25")]
    stages = ("identify", "qualify", "develop", "propose", "won", "lost")
    found = {
        stage: demand_of(opportunity("crm|1", "crm|A", stage, lines)).get(("erp|E", "2026-10"))
        for stage in stages
    }
    assert found == {
        "identify": None,
        "qualify": ("0", "2"),
        "develop": ("0", "4"),
        "propose": ("0", "6"),
        "won": ("0", "8"),
        "lost": None,
    }


def test_a_line_without_product_quantity_or_date_is_left_out() -> None:
    assert demand_of(
        opportunity("crm|1", "crm|A", "propose", [(None, 1, "2026-10-01")]),
        opportunity("crm|2", "crm|A", "propose", [("erp|E", None, "2026-10-01")]),
        opportunity("crm|3", "crm|A", "propose", [("erp|E", 1, None)]),
        opportunity("crm|4", "crm|A", "propose", [("erp|E", 4, None)], close_on="2026-10-20"),
    ) == {("erp|E", "2026-11"): ("0", "3")}


def test_an_opportunity_counts_from_the_day_on_which_it_was_opened() -> None:
    later = opportunity(
        "crm|1", "crm|A", "won", [("erp|E", 1, "2027-01-01")], opened_on="2026-10-01"
    )
    assert demand_of(later) == {}


def test_orders_take_their_quantity_from_the_won_opportunity_earliest_line_first() -> None:
    won = opportunity(
        "crm|1", "crm|A", "won", [("erp|E", 3, "2026-11-15"), ("erp|E", 2, "2026-10-15")]
    )
    from_it = order(
        "erp|1", "erp|C", "2026-09-18", [("erp|E", 3, "2026-11-15")], opportunity="crm|1"
    )
    other = order("erp|2", "erp|C", "2026-09-18", [("erp|E", 1, "2026-11-15")])
    assert demand_of(won, from_it, other) == {
        ("erp|E", "2026-11"): ("4", "2"),
    }
    more = order("erp|3", "erp|C", "2026-09-18", [("erp|E", 7, "2026-12-15")], opportunity="crm|1")
    assert demand_of(won, from_it, more) == {
        ("erp|E", "2026-11"): ("3", "0"),
        ("erp|E", "2026-12"): ("7", "0"),
    }


def test_products_that_are_cross_referenced_are_one() -> None:
    found = demand_of(
        product("erp|E", same_as=["crm|P"]),
        opportunity("crm|1", "crm|A", "won", [("crm|P", 3, "2026-11-15")]),
        order("erp|1", "erp|C", "2026-09-18", [("erp|E", 1, "2026-11-15")], opportunity="crm|1"),
    )
    assert found == {("crm|P", "2026-11"): ("1", "2")}


def test_orders_and_pipeline_make_the_total() -> None:
    (row,) = demand(
        documents_of(
            opportunity("crm|1", "crm|A", "qualify", [("erp|E", 1, "2026-11-15")]),
            order("erp|1", "erp|C", "2026-09-18", [("erp|E", 1, "2026-11-01")]),
        ),
        AS_OF,
    ).values()
    assert row.total == Decimal("1.25")
