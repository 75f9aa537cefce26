"""The production lines: what each can do in a week, as it is planned, lost and extended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from plant.chance import happens
from plant.documents import Capacity, Product
from plant.market.seasons import is_working
from plant.works.state import Line
from plant.world import World

_WEEK = timedelta(days=7)
_WEEKS_AHEAD = 8
_WORKDAYS = 6
_SHIFT_HOURS = 8
_LEAST_HOURS = 48.0
#: About one breakdown of a line in two years.
_BREAKDOWN = 0.009
#: Units that are ordered in a week by the average customer, with an eye to growth.
_MACHINES_PER_CUSTOMER = 0.02
_PARTS_PER_CUSTOMER = 1.1
#: The share of a week's hours that is booked before the next week is begun.
_FULL = 0.92
_LONG_WAIT_DAYS, _LITTLE_WORK = 18, 0.3
_MORE, _LESS = 1.2, 0.94


def hours_of(product: Product) -> float:
    """Return the hours of its line that one of a product takes."""
    cost = float(product.cost)
    return 30.0 + cost / 9000 if product.is_machine else 0.05 + cost / 2500


def line_of(world: World, product: Product) -> Line:
    """Return the line that makes a product; it is set up with its first one."""
    line = world.works.lines.get(product.line)
    if line is None:
        hours = max(_LEAST_HOURS, _expected_hours(world, product.line))
        line = world.works.lines[product.line] = Line(product.line, _whole_shifts(hours))
        monday = monday_of(world.today)
        for week in range(_WEEKS_AHEAD):
            _plan_week(world, line, monday + week * _WEEK)
    return line


def book(line: Line, day: date, hours: float) -> None:
    """Reckon with work that is to start on a day, or no longer (negative hours)."""
    line.booked[monday_of(day)] += hours


def first_free_day(world: World, line: Line, not_before: date) -> date:
    """Return the first day from ``not_before`` on in a week that has hours left."""
    week = monday_of(world.today)
    carried = sum(hours for first, hours in line.booked.items() if first < week)
    carried -= min(line.spare_hours, 0.0)
    while True:
        planned = line.weeks.get(week)
        hours = float(planned.hours) if planned else line.weekly_hours
        load = carried + line.booked.get(week, 0.0)
        if hours and load < hours * _FULL:
            day = max(not_before, week + timedelta(days=int(_WORKDAYS * load / hours)))
            if day < week + _WEEK:
                return day
        carried = max(0.0, load - hours)
        week += _WEEK


def monday_of(day: date) -> date:
    """Return the first day of a week."""
    return day - timedelta(days=day.weekday())


def begin_week(world: World) -> None:
    """Plan one more week of each line, and tell which lines stand still in this one."""
    for product in world.products.values():
        line_of(world, product)
    chance = world.chance("lines")
    monday = world.today
    for line in world.works.lines.values():
        line.weeks = {first: week for first, week in line.weeks.items() if first >= monday}
        last = monday + (_WEEKS_AHEAD - 1) * _WEEK
        if last not in line.weeks:
            _plan_week(world, line, last)
        if happens(chance, _BREAKDOWN):
            line.stopped_until = monday + timedelta(days=6)
            _correct_week(world, line, monday, Decimal(0))
        if monday.day <= 7:
            _change_shifts(world, line)


def hours_today(world: World, line: Line) -> float:
    """Return the hours that a line works today."""
    monday = monday_of(world.today)
    workdays = _workdays(monday)
    if not is_working(world.today) or not workdays:
        return 0.0
    return float(line.weeks[monday].hours) / workdays


def _expected_hours(world: World, name: str) -> float:
    """Return the hours that a line's products will take in a week, by how often they are wanted."""
    weight = world.market.weight
    made_here = [each for each in world.products.values() if each.line == name]
    rate = _MACHINES_PER_CUSTOMER if made_here[0].is_machine else _PARTS_PER_CUSTOMER
    of_its_kind = sum(
        weight.get(each.key, 0)
        for each in world.products.values()
        if each.is_machine == made_here[0].is_machine
    )
    hours = sum(hours_of(each) * weight.get(each.key, 0) for each in made_here) / of_its_kind
    return rate * world.parameters.customers * hours


def _plan_week(world: World, line: Line, monday: date) -> None:
    hours = Decimal(round(line.weekly_hours * _workdays(monday) / _WORKDAYS))
    planned = Capacity(
        world.new_key("capacity"), line.name, monday, monday + timedelta(days=6), hours
    )
    line.weeks[monday] = planned
    world.record(planned)


def _correct_week(world: World, line: Line, monday: date, hours: Decimal) -> None:
    planned = line.weeks[monday]
    if planned.hours != hours:
        line.weeks[monday] = replace(planned, hours=hours)
        world.record(line.weeks[monday])


def _change_shifts(world: World, line: Line) -> None:
    """Add hours from the third week on where new orders wait long, or take some away."""
    coming = [world.today + week * _WEEK for week in range(_WEEKS_AHEAD // 2)]
    load = sum(line.booked.get(monday, 0.0) for monday in coming)
    if (first_free_day(world, line, world.today) - world.today).days > _LONG_WAIT_DAYS:
        factor = _MORE
    elif load < _LITTLE_WORK * line.weekly_hours * len(coming):
        factor = _LESS
    else:
        return
    line.weekly_hours = _whole_shifts(max(_LEAST_HOURS, line.weekly_hours * factor))
    for monday in sorted(line.weeks):
        if monday >= world.today + 2 * _WEEK:
            hours = Decimal(round(line.weekly_hours * _workdays(monday) / _WORKDAYS))
            _correct_week(world, line, monday, hours)


def _whole_shifts(hours: float) -> float:
    return float(-(-hours // _SHIFT_HOURS) * _SHIFT_HOURS)


def _workdays(monday: date) -> int:
    return sum(is_working(monday + timedelta(days=offset)) for offset in range(7))
