"""The works of the sample plant: what is made, shipped, served and called about hangs together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest

from plant import playing
from plant.documents import (
    SERVICE,
    Call,
    Capacity,
    Case,
    Customer,
    Document,
    Equipment,
    Order,
    OrderLine,
    Product,
    Production,
    ServiceVisit,
    Shipment,
    Stock,
)
from plant.market import customers, people, products
from plant.market.state import Progress
from plant.parameters import FIRST_DAY, Parameters
from plant.truth import Truth
from plant.works import making
from plant.world import World

D = TypeVar("D", bound=Document)


@dataclass
class Recorder:
    """Keeps what is recorded."""

    recorded: list[tuple[datetime, Document]] = field(default_factory=list)

    def take(self, document: Document, at: datetime) -> None:
        self.recorded.append((at, document))

    def end_day(self, day: date) -> None:
        pass

    def versions(self, kind: type[D]) -> dict[int, list[D]]:
        found: dict[int, list[D]] = defaultdict(list)
        for _, document in self.recorded:
            if isinstance(document, kind):
                found[document.key].append(document)
        return found

    def last(self, kind: type[D]) -> dict[int, D]:
        return {key: versions[-1] for key, versions in self.versions(kind).items()}


@dataclass
class Played:
    recorder: Recorder
    truth: Truth


def played(count: int, months: int, seed: int = 5, until: date | None = None) -> Played:
    recorder = Recorder()
    truth = playing.play(Parameters.of(count, months, seed, until), recorder)
    return Played(recorder, truth)


@pytest.fixture(scope="module")
def two_years() -> Played:
    return played(300, 24)


def machine_line(world: World, quantity: int, wanted_in_days: int = 20) -> OrderLine:
    machine = next(each for each in world.products.values() if each.is_machine)
    wanted_on = world.today + timedelta(days=wanted_in_days)
    one = Decimal(1)
    return OrderLine(10, machine.key, Decimal(quantity), one, one, one, wanted_on, None)


def place(world: World, *lines: OrderLine) -> Order:
    """Place an order without the market: just what the works see of it."""
    customer = next(iter(world.buyers.values())).document
    order = Order(
        world.new_key("order"),
        customer.key,
        world.today,
        customer.currency,
        Decimal(1),
        customer.owner,
        customer.terms,
        None,
        False,
        lines,
        "open",
    )
    world.orders[order.key] = order
    world.market.progress[order.key] = Progress()
    making.take_order(world, order)
    return order


def works_alone(days: int, opening: Callable[[World], None]) -> tuple[World, Recorder]:
    """Play the works of a tiny plant alone, with the orders of ``opening``."""
    recorder = Recorder()
    until = FIRST_DAY + timedelta(days=days)
    world = World(Parameters.of(5, 24, 5, until), recorder, Truth())

    def open_plant(world: World) -> None:
        world.rates.update({"EUR": Decimal("7.8"), "USD": Decimal("7.2")})
        products.open_catalogue(world)
        people.hire_everybody(world)
        customers.open_files(world)
        world.works.technicians = tuple(world.employees)
        opening(world)

    world.play(open_plant, (making.daily,))
    return world, recorder


def cancel(world: World, order: Order) -> None:
    cancelled = replace(order, status="cancelled", cancelled_on=world.today)
    world.orders[order.key] = cancelled
    making.take_order(world, cancelled)


def sums_of(recorder: Recorder, order: int | None = None) -> Counter[tuple[int, int]]:
    """The quantities that were dispatched, by order line; what came back is not counted."""
    sums: Counter[tuple[int, int]] = Counter()
    for shipment in recorder.last(Shipment).values():
        if shipment.dispatched_on is not None:
            for line in shipment.lines:
                if line.quantity > 0 and order in (None, line.order):
                    sums[line.order, line.order_line] += int(line.quantity)
    return sums


def test_production_order_for_a_machine_runs_from_planned_to_finished() -> None:
    _, recorder = works_alone(120, lambda world: void(place(world, machine_line(world, 2))))
    productions = recorder.versions(Production).values()
    [versions] = [each for each in productions if each[0].planned == 2 and each[0].order]
    statuses = list(dict.fromkeys(version.status for version in versions))
    assert statuses == ["planned", "released", "started", "finished"]
    assert versions[-1].finished == 2
    assert versions[-1].finished_on is not None


def test_production_order_is_cancelled_with_an_order_that_is_not_started() -> None:
    def opening(world: World) -> None:
        order = place(world, machine_line(world, 1, wanted_in_days=90))
        world.later(world.today + timedelta(days=3), partial(cancel, order=order))

    world, recorder = works_alone(150, opening)
    [production] = [p for p in recorder.last(Production).values() if p.order is not None]
    assert production.status == "cancelled"
    assert production.started_on is None
    assert not sums_of(recorder, production.order)
    assert world.works.shelves[production.product].reserved == 0


def test_machine_that_nobody_wants_any_more_goes_to_the_next_customer() -> None:
    placed: list[int] = []

    def opening(world: World) -> None:
        order = place(world, machine_line(world, 1))
        placed.append(order.key)
        [job] = [job for job in world.works.jobs.values() if job.document.order == order.key]
        start_on = job.document.planned_start_on
        world.later(start_on + timedelta(days=4), partial(cancel, order=order))
        world.later(start_on + timedelta(days=90), order_the_same)

    def order_the_same(world: World) -> None:
        placed.append(place(world, machine_line(world, 1)).key)

    _, recorder = works_alone(200, opening)
    first, second = placed
    [made] = [each for each in recorder.last(Production).values() if each.order in placed]
    assert (made.order, made.status) == (first, "finished")
    assert sums_of(recorder, first) == {}
    assert sums_of(recorder, second) == {(second, 10): 1}


def test_line_that_is_rejected_before_its_shipment_leaves_is_not_shipped() -> None:
    placed: list[int] = []

    def opening(world: World) -> None:
        part = next(each for each in world.products.values() if not each.is_machine)
        world.works.shelves[part.key].on_hand = Decimal(50)
        one = Decimal(1)
        wanted_on = world.today + timedelta(days=30)
        lines = [
            OrderLine(number, part.key, Decimal(3), one, one, one, wanted_on, None)
            for number in (10, 20)
        ]
        order = place(world, *lines)
        placed.append(order.key)
        world.later(world.today + timedelta(days=5), partial(reject, order=order))

    def reject(world: World, order: Order) -> None:
        changed = replace(order, lines=(order.lines[0], replace(order.lines[1], rejected=True)))
        world.orders[order.key] = changed
        making.take_order(world, changed)

    _, recorder = works_alone(60, opening)
    [order] = placed
    assert sums_of(recorder, order) == {(order, 10): 3}


def void(_: object) -> None:
    """Drop what an action returns."""


def test_no_more_is_shipped_than_is_ordered(two_years: Played) -> None:
    orders = two_years.recorder.last(Order)
    for (order, number), shipped in sums_of(two_years.recorder).items():
        [line] = [line for line in orders[order].lines if line.number == number]
        assert shipped <= line.quantity
        assert not line.rejected


def test_some_shipments_are_cancelled_and_some_leave_with_less_than_was_planned(
    two_years: Played,
) -> None:
    cancelled = struck = 0
    orders = two_years.recorder.last(Order)
    for versions in two_years.recorder.versions(Shipment).values():
        planned, last = versions[0], versions[-1]
        if last.status == "cancelled":
            cancelled += 1
            assert all(version.dispatched_on is None for version in versions)
            lines = {line.number: line for line in orders[last.lines[0].order].lines}
            order_is_cancelled = orders[last.lines[0].order].status == "cancelled"
            assert order_is_cancelled or all(lines[e.order_line].rejected for e in last.lines)
        else:
            struck += sum(e.quantity for e in last.lines) < sum(e.quantity for e in planned.lines)
    assert cancelled > 2
    assert struck > 2


def test_what_was_wanted_months_ago_has_been_shipped(two_years: Played) -> None:
    shipped = sums_of(two_years.recorder)
    last_day = two_years.recorder.recorded[-1][0].date()
    old = [
        shipped[order.key, line.number] >= line.quantity
        for order in two_years.recorder.last(Order).values()
        if order.status != "cancelled" and not order.deleted
        for line in order.lines
        if not line.rejected
        and line.promised_on is not None
        and line.promised_on < last_day - timedelta(days=60)
    ]
    assert len(old) > 500
    assert sum(old) / len(old) > 0.99


def test_lines_are_promised_and_hardly_ever_before_they_are_wanted(two_years: Played) -> None:
    lines = [line for order in two_years.recorder.last(Order).values() for line in order.lines]
    early = [line.promised_on < line.wanted_on for line in lines if line.promised_on is not None]
    assert len(early) > 0.9 * len(lines)
    # A day that is put off when the goods are already on their way is confirmed no more.
    assert sum(early) / len(early) < 0.01


def test_some_shipments_are_late_and_most_are_not(two_years: Played) -> None:
    late = [
        shipment.delivered_on > shipment.promised_on
        for shipment in two_years.recorder.last(Shipment).values()
        if shipment.delivered_on and shipment.promised_on
    ]
    assert 0.08 < sum(late) / len(late) < 0.35


def test_a_shipment_goes_from_planned_to_delivered(two_years: Played) -> None:
    ranks = ["planned", "dispatched", "delivered"]
    for versions in two_years.recorder.versions(Shipment).values():
        if versions[-1].status == "cancelled":
            assert all(version.dispatched_on is None for version in versions)
            continue
        places = [ranks.index(version.status) for version in versions]
        assert places == sorted(places)
        last = versions[-1]
        if last.delivered_on is not None:
            assert last.dispatched_on is not None
            assert last.planned_on <= last.dispatched_on < last.delivered_on
    kinds = {
        line.quantity > 0 for s in two_years.recorder.last(Shipment).values() for line in s.lines
    }
    assert kinds == {True, False}


def test_some_goods_come_back(two_years: Played) -> None:
    shipments = two_years.recorder.last(Shipment).values()
    back = sum(shipment.lines[0].quantity < 0 for shipment in shipments)
    assert 0.005 < back / len(shipments) < 0.1


def test_orders_are_shipped_in_parts(two_years: Played) -> None:
    shipments = Counter(
        shipment.lines[0].order
        for shipment in two_years.recorder.last(Shipment).values()
        if shipment.lines[0].quantity > 0 and shipment.dispatched_on
    )
    assert 0.05 < sum(count > 1 for count in shipments.values()) / len(shipments) < 0.4


def test_no_serial_number_is_shipped_twice(two_years: Played) -> None:
    shipped = Counter(
        serial_number
        for shipment in two_years.recorder.last(Shipment).values()
        for line in shipment.lines
        if line.quantity > 0 and shipment.dispatched_on
        for serial_number in line.serial_numbers
    )
    assert len(shipped) > 100
    assert max(shipped.values()) == 1


def test_machine_that_arrived_is_in_the_field_with_its_serial_number(two_years: Played) -> None:
    recorder = two_years.recorder
    owners = {each.serial_number: each.customer for each in recorder.last(Equipment).values()}
    last_day = recorder.recorded[-1][0].date()
    machines = {key for key, each in recorder.last(Product).items() if each.is_machine}
    arrived = [
        (serial_number, shipment.customer)
        for shipment in recorder.last(Shipment).values()
        if shipment.delivered_on and shipment.delivered_on < last_day - timedelta(days=10)
        for line in shipment.lines
        if line.product in machines and line.quantity > 0
        for serial_number in line.serial_numbers
    ]
    assert arrived
    assert all(owners[serial_number] == customer for serial_number, customer in arrived)


def test_operating_hours_never_fall_and_a_retired_machine_stays_so(two_years: Played) -> None:
    for versions in two_years.recorder.versions(Equipment).values():
        hours = [version.hours for version in versions]
        assert hours == sorted(hours)
        assert not any(version.retired for version in versions[:-1])


def test_service_knows_whom_it_serves(two_years: Played) -> None:
    known: set[int] = set()
    for _, document in two_years.recorder.recorded:
        if isinstance(document, Customer) and SERVICE in document.known_in:
            known.add(document.key)
        if isinstance(document, Case | ServiceVisit | Equipment):
            assert document.customer in known


def test_exactly_one_part_is_forged_and_bears_the_number_of_another(two_years: Played) -> None:
    [(machine, serial_number, visit)] = two_years.truth.forged
    recorder = two_years.recorder
    built_in = {
        key
        for key, versions in recorder.versions(Equipment).items()
        for version in versions
        if any(part.serial_number == serial_number for part in version.parts)
    }
    assert machine in built_in
    assert len(built_in) <= 2
    assert serial_number in {p.serial_number for p in recorder.last(ServiceVisit)[visit].parts}
    others = Counter(
        part.serial_number
        for each in recorder.last(Equipment).values()
        for part in each.parts
        if part.serial_number != serial_number
    )
    assert max(others.values()) == 1


def test_capacity_shrinks_in_the_week_of_a_holiday(two_years: Played) -> None:
    first_plans = [versions[0] for versions in two_years.recorder.versions(Capacity).values()]
    by_week = {(each.line, each.first): each.hours for each in first_plans}
    for line in {each.line for each in first_plans}:
        national_day = by_week[line, date(2024, 9, 30)]
        assert national_day < by_week[line, date(2024, 9, 23)] / 2


def test_stock_is_counted_only_where_it_changed_and_is_never_negative(two_years: Played) -> None:
    for versions in two_years.recorder.versions(Stock).values():
        quantities = [version.quantity for version in versions]
        assert min(quantities) >= 0
        assert all(one != other for one, other in pairwise(quantities))


def test_nothing_is_recorded_before_it_happened(two_years: Played) -> None:
    for at, document in two_years.recorder.recorded:
        match document:
            case Call():
                assert document.started_at <= at
            case Case():
                times = [document.opened_at, document.answered_at, document.closed_at]
                told = [time for time in times if time is not None]
                assert told == sorted(told)
                assert told[-1] <= at
            case ServiceVisit() if document.completed_at is not None:
                assert document.arrived_at is not None
                assert document.arrived_at < document.completed_at <= at


def test_cases_are_of_every_category_and_some_are_never_answered(two_years: Played) -> None:
    cases = two_years.recorder.last(Case).values()
    assert {case.category for case in cases} == {
        "quality",
        "delivery",
        "after_sales",
        "billing",
        "request",
    }
    unanswered = sum(case.answered_at is None for case in cases) / len(cases)
    assert 0.005 < unanswered < 0.15


def test_customers_call_more_and_with_less_success_before_they_leave(two_years: Played) -> None:
    lost = two_years.truth.lost
    before: list[Call] = []
    otherwise: list[Call] = []
    for call in two_years.recorder.last(Call).values():
        if call.customer in lost:
            days = (lost[call.customer].on - call.started_at.date()).days
            (before if 0 <= days <= 60 else otherwise).append(call)
    earlier_days = sum((each.on - FIRST_DAY).days - 60 for each in lost.values())
    assert len(lost) > 3
    assert len(before) / (60 * len(lost)) > 2 * len(otherwise) / earlier_days
    assert share(before, "abandoned") > share(otherwise, "abandoned")
    assert share(before, "resolved") < share(otherwise, "resolved")


def test_earlier_plant_is_the_beginning_of_the_later_one() -> None:
    whole = played(12, 4).recorder.recorded
    earlier = played(12, 4, until=date(2024, 3, 7)).recorder.recorded
    assert earlier
    assert whole[: len(earlier)] == earlier
    assert whole[len(earlier)][0].date() > date(2024, 3, 7)


def share(calls: list[Call], name: str) -> float:
    return float(sum(getattr(call, name) for call in calls) / len(calls))
