"""Cases: what customers ask for or complain about, who answers when, and how content they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from plant.chance import happens, lognormal
from plant.documents import SERVICE, Case
from plant.works.introducing import introduce
from plant.works.moments import in_office_hours, yesterday
from plant.works.moods import is_unhappy
from plant.world import Problem, World

_ORIGINATORS = ("Operator", "Workshop", "Purchasing", "Site manager", "Accounts")
_NEVER_ANSWERED, _NEVER_ANSWERED_UNHAPPY = 0.025, 0.15
_ANSWERED_DAYS = 0.7
_CLOSED_DAYS = {"low": 9.0, "medium": 12.0, "high": 16.0, "critical": 20.0}
#: A complaint about money takes longer than a repair.
_HELD_BACK = 2.2
_RATED = 0.6


def complain(
    world: World,
    customer: int,
    category: str,
    severity: str,
    text: str,
    *,
    order: int | None = None,
    shipment: int | None = None,
    invoice: int | None = None,
    serial_number: str | None = None,
    problem: Problem | None = None,
    is_mended: bool = False,
) -> int:
    """Open a case of yesterday and return its key.

    ``problem`` is settled when the case is closed. A case that ``is_mended`` is closed by its
    visit; any other closes by itself, if it is answered at all.
    """
    chance = world.chance("complaining")
    introduce(world, customer, SERVICE)
    works = world.works
    case = Case(
        key=world.new_key("case"),
        customer=customer,
        category=category,
        severity=severity,
        originator=chance.choice(_ORIGINATORS),
        owner=chance.choice(works.technicians),
        text=text,
        opened_at=in_office_hours(chance, yesterday(world)),
        answered_at=None,
        closed_at=None,
        rating=None,
        order=order,
        shipment=shipment,
        invoice=invoice,
        serial_number=serial_number,
    )
    works.cases[case.key] = case
    works.open_cases[customer] += 1
    if problem is not None:
        problem.evidence += (("case", case.key),)
        problem.complained_on = case.opened_at.date()
    world.record(case)
    world.troubles[customer].append((case.opened_at.date(), "case", case.key))
    never = _NEVER_ANSWERED_UNHAPPY if is_unhappy(world, customer) else _NEVER_ANSWERED
    if not is_mended and happens(chance, never):
        gives_up_on = world.today + timedelta(days=chance.randrange(60, 130))
        world.later(gives_up_on, partial(_give_up, key=case.key, problem=problem))
        return case.key
    answer_on = world.today + timedelta(days=round(lognormal(chance, _ANSWERED_DAYS, 1.1)))
    world.later(answer_on, partial(_answer, key=case.key))
    if not is_mended:
        days = lognormal(chance, _CLOSED_DAYS[severity], 0.7)
        days *= _HELD_BACK if problem is not None else 1.0
        close_on = answer_on + timedelta(days=1 + round(days))
        world.later(close_on, partial(close, key=case.key, problem=problem))
    return case.key


def close(world: World, key: int, problem: Problem | None = None) -> None:
    """Close a case of which the customer is told yesterday, and settle what it held back."""
    chance = world.chance("complaining")
    if problem is not None:
        problem.until = world.today
    case = world.works.cases.pop(key)
    _count_closed(world, case.customer)
    closed_at = in_office_hours(chance, yesterday(world))
    if closed_at <= (case.answered_at or case.opened_at):
        closed_at = (case.answered_at or case.opened_at) + timedelta(minutes=40)
    rating = None
    if happens(chance, _RATED):
        rating = _rating(world, case, (closed_at - case.opened_at).days)
    world.record(
        replace(
            case,
            answered_at=case.answered_at or closed_at,
            closed_at=closed_at,
            rating=rating,
        )
    )


def _answer(world: World, key: int) -> None:
    case = world.works.cases.get(key)
    if case is None:
        return
    answered_at = in_office_hours(world.chance("complaining"), yesterday(world))
    if answered_at <= case.opened_at:
        answered_at = case.opened_at + timedelta(minutes=25)
    case = world.works.cases[key] = replace(case, answered_at=answered_at)
    world.record(case)


def _give_up(world: World, key: int, problem: Problem | None) -> None:
    """Let the customer ask no more; the case stays open for ever."""
    if problem is not None:
        problem.until = world.today
    _count_closed(world, world.works.cases.pop(key).customer)


def _count_closed(world: World, customer: int) -> None:
    counts = world.works.open_cases
    counts[customer] -= 1
    if not counts[customer]:
        del counts[customer]


def _rating(world: World, case: Case, days: int) -> int:
    content = 4.6 - 0.04 * min(days, 40)
    content -= 1.6 if is_unhappy(world, case.customer) else 0.0
    content -= 0.5 if case.severity in ("high", "critical") else 0.0
    return min(5, max(1, round(world.chance("complaining").gauss(content, 0.8))))
