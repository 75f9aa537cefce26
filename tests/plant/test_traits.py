"""What makes demand hard to foretell is in the plant: seasons, change, new products, rare parts."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from plant.documents import Equipment, Opportunity, Order, OrderLine, Product
from plant.market.opening import open_plant
from plant.parameters import Parameters
from plant.playing import EACH_DAY
from plant.truth import Truth
from plant.world import World
from tests.plant.collected import Collected, large, orders

MONTHS = 24


def products() -> dict[int, Product]:
    found = large().newest[Product].values()
    return {each.key: each for each in found if isinstance(each, Product)}


def lines(*, machines: bool) -> list[tuple[Order, OrderLine]]:
    known = products()
    return [
        (order, line)
        for order in orders(large())
        for line in order.lines
        if known[line.product].is_machine == machines
    ]


def test_more_is_ordered_in_spring_than_in_winter() -> None:
    by_month: dict[int, int] = defaultdict(int)
    for order in orders(large()):
        by_month[order.ordered_on.month] += 1
    spring = by_month[3] + by_month[4] + by_month[5]
    winter = by_month[12] + by_month[1] + by_month[2]
    assert spring > 1.4 * winter


def test_customers_that_grow_order_more_from_year_to_year_than_those_that_shrink() -> None:
    collected = Collected()
    world = World(Parameters.of(300, 24, 7), collected, Truth())
    world.play(open_plant, EACH_DAY)
    staying = {key: one for key, one in world.buyers.items() if one.leaving_on is None}
    grow = {key for key, one in staying.items() if one.growth > 1.15}
    shrink = {key for key, one in staying.items() if one.growth < 0.9}
    assert min(len(grow), len(shrink)) > 20

    def change(group: set[int]) -> float:
        years = [one.ordered_on.year for one in orders(collected) if one.customer in group]
        return years.count(2025) / years.count(2024)

    assert change(grow) > 1.3 * change(shrink)


def test_products_have_successors_that_are_ordered_in_their_place() -> None:
    replaced_on: dict[int, date] = {}
    successors: set[int] = set()
    for document, at in large().stream:
        if isinstance(document, Product) and document.replaced_by is not None:
            replaced_on.setdefault(document.key, at.date())
            successors.add(document.replaced_by)
    assert len(replaced_on) > 5
    old = new = 0
    for order in orders(large()):
        for line in order.lines:
            replaced = replaced_on.get(line.product)
            old += replaced is not None and order.ordered_on > replaced
            new += line.product in successors and line.product not in replaced_on
    assert new > 100
    assert old < new / 10


def test_many_parts_are_wanted_in_some_months_only() -> None:
    months: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for order, line in lines(machines=False):
        months[line.product].add((order.ordered_on.year, order.ordered_on.month))
    rare = [found for found in months.values() if len(found) < MONTHS * 2 / 3]
    assert len(rare) > len(months) / 3


def test_who_has_more_machines_orders_more_parts() -> None:
    machines: dict[int, int] = defaultdict(int)
    for each in large().newest[Equipment].values():
        assert isinstance(each, Equipment)
        machines[each.customer] += 1
    parts: dict[int, int] = defaultdict(int)
    for order, _ in lines(machines=False):
        parts[order.customer] += 1
    ranked = sorted(machines, key=lambda customer: (machines[customer], customer))
    third = len(ranked) // 3
    few, many = ranked[:third], ranked[-third:]
    assert sum(parts[one] for one in many) > 2 * sum(parts[one] for one in few)


def test_some_wins_were_never_ordered() -> None:
    ordered = {order.opportunity for order in orders(large())}
    ordered.update(large().truth.announced.values())
    until = large().stream[-1][1].date()
    won = [
        each.key
        for each in large().newest[Opportunity].values()
        if isinstance(each, Opportunity) and each.outcome == "won" and not each.deleted
        if each.closed_on is not None and (until - each.closed_on).days > 120
    ]
    never = [key for key in won if key not in ordered]
    assert 0 < len(never) < len(won) / 3
