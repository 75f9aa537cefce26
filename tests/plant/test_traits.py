"""The plant has the traits that make a real one awkward: in demand, production, terms and names."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from plant.documents import (
    CRM,
    ERP,
    SERVICE,
    Customer,
    Equipment,
    Opportunity,
    Order,
    OrderLine,
    Product,
    Production,
)
from plant.market.opening import open_plant
from plant.market.terms import due_on
from plant.parameters import Parameters
from plant.playing import EACH_DAY
from plant.systems.spelling import spelled
from plant.truth import Truth
from plant.world import World
from tests.plant.collected import Collected, invoices, large, orders

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


def test_production_slips_sometimes_by_weeks() -> None:
    planned: dict[int, date] = {}
    for document, _ in large().stream:
        if isinstance(document, Production):
            planned.setdefault(document.key, document.planned_finish_on)
    days = [
        (each.finished_on - planned[key]).days
        for key, each in large().newest[Production].items()
        if isinstance(each, Production) and each.finished_on is not None
    ]
    assert len(days) > 500
    assert 0.1 < sum(late > 2 for late in days) / len(days) < 0.5
    assert 0.01 < sum(late > 14 for late in days) / len(days) < 0.2


def test_invoices_fall_due_by_the_terms_of_their_customer() -> None:
    agreed: dict[str, set[int]] = defaultdict(set)
    own = others = 0
    for invoice in invoices(large()):
        if invoice.kind == "invoice":
            customer = large().newest[Customer][invoice.customer]
            assert isinstance(customer, Customer)
            assert invoice.instalments[0].due_on == due_on(invoice.invoiced_on, invoice.terms)
            assert len(invoice.instalments) == invoice.terms.instalments
            agreed[customer.terms.code].add(customer.key)
            own += invoice.terms == customer.terms
            # Large machines may be paid in three parts, whatever was agreed otherwise.
            others += invoice.terms != customer.terms and invoice.terms.instalments == 3
    assert own + others == sum(each.kind == "invoice" for each in invoices(large()))
    assert 0 < others < own / 20
    assert len(agreed) > 7
    assert max(len(each) for each in agreed.values()) < sum(map(len, agreed.values())) / 2


def test_who_pays_in_advance_has_no_credit() -> None:
    customers = [each for each in large().newest[Customer].values() if isinstance(each, Customer)]
    for each in customers:
        assert (each.terms.code == "PRE") == (each.credit_limit == 0)
    assert any(each.credit_limit == 0 for each in customers)
    assert any(each.credit_limit is None for each in customers)


def test_payers_are_of_four_kinds_and_pay_as_these_do() -> None:
    payers = large().truth.payers
    counts = Counter(payers.values())
    for kind, share in (("prompt", 55), ("sloppy", 25), ("disputing", 12), ("failing", 8)):
        assert abs(100 * counts[kind] / len(payers) - share) < 7, kind
    charged: dict[str, int] = defaultdict(int)
    late: dict[str, int] = defaultdict(int)
    contested: dict[str, int] = defaultdict(int)
    for invoice in invoices(large()):
        kind = payers[invoice.customer]
        charged[kind] += len(invoice.instalments)
        contested[kind] += bool(invoice.disputes)
    for one in large().truth.late.values():
        late[payers[one.customer]] += 1
    shares = {kind: late[kind] / charged[kind] for kind in counts}
    assert shares["prompt"] < shares["sloppy"] < shares["failing"]
    assert contested["disputing"] / charged["disputing"] == max(
        contested[kind] / charged[kind] for kind in counts
    )


def test_customers_and_groups_are_the_same_under_several_spellings() -> None:
    customers = {
        key: each for key, each in large().newest[Customer].items() if isinstance(each, Customer)
    }
    groups: dict[int, list[Customer]] = defaultdict(list)
    for each in customers.values():
        if each.parent is not None:
            groups[each.parent].append(each)
    assert len(groups) > 3
    for parent, members in groups.items():
        for each in members:
            assert each.name.brand == customers[parent].name.brand
            assert each.name.legal != customers[parent].name.legal
    for some in (list(customers.values()), [each for found in groups.values() for each in found]):
        names = [{spelled(7, system, each).name for system in (ERP, CRM, SERVICE)} for each in some]
        assert sum(len(found) > 1 for found in names) > 0.8 * len(some)
        assert sum(len(found) == 3 for found in names) > 0.3 * len(some)
