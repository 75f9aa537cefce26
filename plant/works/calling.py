"""Calls to the call centre: who calls why, how long it takes, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

from plant.chance import Weighted, happens, lognormal, poisson
from plant.documents import CALLS, ERP, Call
from plant.market import customers
from plant.names.persons import person_name
from plant.works.complaining import complain
from plant.works.introducing import introduce
from plant.works.moments import at, yesterday
from plant.works.moods import is_unhappy
from plant.world import Problem, World

_LOOKS_AGAIN_DAYS = 30
_STRANGERS_A_DAY = 0.0005
_PROVOKED = 0.6
_ASKS_IN_WRITING = 0.12
_CUSTOMERS_EACH_AGENT = 120
_RECOGNISED, _RECOGNISED_BY_OTHER_PHONE = 0.97, 0.45
_USES_MAIN_PHONE, _USES_SECOND_PHONE = 0.6, 0.8
_PATIENCE_S = 420.0
_RATED = 0.3
_QUEUES = {
    "parts enquiry": "parts",
    "order status": "sales",
    "quotation": "sales",
    "breakdown": "service",
    "technical question": "service",
    "invoice": "accounts",
    "complaint": "service",
    "other": "sales",
}
_TOPICS = Weighted(
    (
        ("parts enquiry", 30.0),
        ("order status", 18.0),
        ("quotation", 12.0),
        ("technical question", 18.0),
        ("breakdown", 8.0),
        ("invoice", 6.0),
        ("complaint", 4.0),
        ("other", 4.0),
    )
)
_TOPICS_UNHAPPY = Weighted(
    (("complaint", 45.0), ("order status", 15.0), ("invoice", 15.0), ("breakdown", 25.0))
)
_REQUESTS = {
    "technical question": "Asks for advice on operation",
    "parts enquiry": "Asks for the right spare part",
    "quotation": "Asks for a quotation",
}
#: By hour: how likely calls are, and the usual wait in seconds.
_HOURS = Weighted(((8, 8.0), (9, 15.0), (10, 16.0), (11, 11.0), (12, 4.0), (13, 8.0),
                   (14, 13.0), (15, 12.0), (16, 8.0), (17, 4.0), (18, 1.0)))  # fmt: skip
_WAITS_S = {9: 55, 10: 80, 11: 60, 14: 60, 15: 50}
_WAIT_S = 25


@dataclass(frozen=True, slots=True)
class _Caller:
    phone: str
    customer: int | None
    unhappy: bool


def daily(world: World) -> None:
    """Reckon with new customers, and let strangers call."""
    everybody, works = world.market.everybody, world.works
    while works.heard_of < len(everybody):
        _await_call(world, everybody[works.heard_of])
        works.heard_of += 1
    chance = world.chance("calling")
    for _ in range(poisson(chance, _STRANGERS_A_DAY * world.parameters.customers)):
        topic = _TOPICS.draw(chance)
        _record(world, chance, _Caller(_mobile(chance), None, False), topic)


def provoke(world: World, customer: int, topic: str) -> None:
    """Let a customer call soon about something that went wrong, if it is the one to call."""
    chance = world.chance("calling")
    if happens(chance, _PROVOKED):
        call_on = world.today + timedelta(days=1 + chance.randrange(4))
        world.later(call_on, partial(_call, customer=customer, topic=topic))


def _await_call(world: World, customer: int) -> None:
    days = world.chance("calling").expovariate(_calls_a_day(world, customer))
    if days > _LOOKS_AGAIN_DAYS:
        again_on = world.today + timedelta(days=_LOOKS_AGAIN_DAYS)
        world.later(again_on, partial(_await_call, customer=customer))
    else:
        call_on = world.today + timedelta(days=1 + int(days))
        world.later(call_on, partial(_call_and_await, customer=customer))


def _calls_a_day(world: World, customer: int) -> float:
    buyer = world.buyers[customer]
    if customers.is_gone(world, customer):
        return 0.0003
    if ERP not in buyer.document.known_in:
        return 0.001
    rate = 0.008 + 0.002 * min(len(buyer.machines), 40)
    rate += 0.012 * min(world.works.open_cases.get(customer, 0), 3)
    return rate + 0.05 if is_unhappy(world, customer) else rate


def _call_and_await(world: World, customer: int) -> None:
    _call(world, customer, None)
    _await_call(world, customer)


def _call(world: World, customer: int, topic: str | None) -> None:
    chance = world.chance("calling")
    unhappy = is_unhappy(world, customer)
    topic = topic or (_TOPICS_UNHAPPY if unhappy else _TOPICS).draw(chance)
    document = world.buyers[customer].document
    recognised = _RECOGNISED
    if happens(chance, _USES_MAIN_PHONE):
        phone = document.phone
    elif document.second_phone is not None and happens(chance, _USES_SECOND_PHONE):
        phone = document.second_phone
    else:
        phone, recognised = _mobile(chance), _RECOGNISED_BY_OTHER_PHONE
    known = customer if happens(chance, recognised) else None
    if known is not None:
        introduce(world, customer, CALLS)
    call = _record(world, chance, _Caller(phone, known, unhappy), topic)
    if topic == "complaint" and not call.resolved and not call.abandoned:
        _complain(world, chance, customer)
    elif topic in _REQUESTS and not call.abandoned and happens(chance, _ASKS_IN_WRITING):
        complain(world, customer, "request", "low", _REQUESTS[topic])


def _complain(world: World, chance: Random, customer: int) -> None:
    """Open a case of a complaint that a call did not settle, about the newest order if it can."""
    order = world.works.last_order.get(customer)
    problem = None
    if order in world.orders:
        since = yesterday(world)
        problem = Problem("after_sales", since, None, ())
        world.problems[order].append(problem)
    severity = chance.choice(("low", "medium", "high"))
    text = chance.choice(("Service does not call back", "Technician did not come", "Rude answer"))
    complain(world, customer, "after_sales", severity, text, order=order, problem=problem)


def _record(world: World, chance: Random, caller: _Caller, topic: str) -> Call:
    """Record a call of yesterday."""
    hour = _HOURS.draw(chance)
    waited_s = round(lognormal(chance, _WAITS_S.get(hour, _WAIT_S), 0.9))
    if caller.unhappy:
        waited_s = round(waited_s * 1.7)
    patience_s = chance.expovariate(1 / _PATIENCE_S) * (0.4 if caller.unhappy else 1.0)
    abandoned = patience_s < waited_s
    resolved = not abandoned and happens(chance, 0.4 if caller.unhappy else 0.8)
    rating = None
    if not abandoned and happens(chance, _RATED):
        content = (4.5 if resolved else 2.6) - (1.0 if caller.unhappy else 0.0)
        rating = min(5, max(1, round(chance.gauss(content, 0.8))))
    call = Call(
        key=world.new_key("call"),
        caller=caller.phone,
        customer=None if abandoned and happens(chance, 0.5) else caller.customer,
        queue=_QUEUES[topic],
        agent="" if abandoned else chance.choice(_agents(world)),
        started_at=at(yesterday(world), hour + chance.random()),
        waited_s=min(waited_s, round(patience_s)) if abandoned else waited_s,
        talked_s=0 if abandoned else 20 + round(lognormal(chance, 170, 0.8)),
        abandoned=abandoned,
        topic=topic,
        resolved=resolved,
        rating=rating,
    )
    world.record(call)
    if call.customer is not None and not resolved:
        world.troubles[call.customer].append((call.started_at.date(), "call", call.key))
    return call


def _agents(world: World) -> tuple[str, ...]:
    if not world.works.agents:
        count = 4 + world.parameters.customers // _CUSTOMERS_EACH_AGENT
        chance = world.chance("agents")
        world.works.agents = tuple(person_name(chance, "zh")[0] for _ in range(count))
    return world.works.agents


def _mobile(chance: Random) -> str:
    return f"+861{chance.choice('3578')}{chance.randrange(10**9):09d}"
