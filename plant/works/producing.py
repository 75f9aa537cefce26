"""Production orders: booked on a line, started in turn, finished, sometimes late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from typing import Any

from plant.chance import happens, lognormal
from plant.documents import Product, Production
from plant.market.seasons import working
from plant.works.lines import book, first_free_day, hours_of, hours_today, line_of
from plant.works.state import ZERO, Job, Line, Made
from plant.world import World

_RELEASED_DAYS_BEFORE = 5
_MISSING_MATERIAL = 0.08
_REWORK = 0.09


def earliest_finish(world: World, product: Product) -> date:
    """Return when a production order of this product that is planned today would be finished."""
    line = line_of(world, product)
    start = first_free_day(world, line, world.today + timedelta(days=2))
    lead = product.lead_time_days * (0.8 if product.is_machine else 0.5)
    return max(start + timedelta(days=days_of(product)), world.today + timedelta(days=round(lead)))


def days_of(product: Product) -> int:
    """Return the days from start to finish of a production order."""
    return max(2, product.lead_time_days // (2 if product.is_machine else 3))


def plan(
    world: World,
    product: Product,
    quantity: Decimal,
    finish_on: date,
    made: Made,
    order: tuple[int, int] | None = None,
) -> Job:
    """Plan a production order to be finished on a day, for (order, line) or for the shelf."""
    line = line_of(world, product)
    days = days_of(product)
    start_on = max(world.today, finish_on - timedelta(days=days))
    start_on = working(first_free_day(world, line, start_on))
    document = Production(
        world.new_key("production"),
        product.key,
        line.name,
        planned=quantity,
        finished=ZERO,
        scrapped=ZERO,
        planned_start_on=start_on,
        planned_finish_on=start_on + timedelta(days=days),
        started_on=None,
        finished_on=None,
        order=order[0] if order else None,
        order_line=order[1] if order else None,
        status="planned",
    )
    job = Job(document, hours_of(product) * float(quantity), days, made)
    world.works.jobs[document.key] = job
    _queue(line, job)
    world.record(document)
    release_on = start_on - timedelta(days=_RELEASED_DAYS_BEFORE)
    world.later(release_on, partial(_release, key=document.key))
    return job


def reduce(world: World, key: int, quantity: Decimal) -> None:
    """Plan less, or cancel: possible until a production order is started."""
    job = world.works.jobs[key]
    document = job.document
    if document.started_on is not None:
        return
    line = world.works.lines[document.line]
    left = document.planned - quantity
    hours = job.hours * float(max(left, ZERO) / document.planned)
    book(line, document.planned_start_on, hours - job.hours)
    job.hours = hours
    if left > 0:
        _record(world, job, planned=left)
    else:
        _record(world, job, status="cancelled")
        del world.works.jobs[key]


def work_a_day(world: World) -> None:
    """Let each line work today: start what is due, as far as its hours reach."""
    for line in world.works.lines.values():
        line.spare_hours = min(line.spare_hours, 0.0) + hours_today(world, line)
        while line.waiting and line.spare_hours > 0.0 and line.waiting[0][0] <= world.today:
            _, key = heappop(line.waiting)
            job = world.works.jobs.get(key)
            if job is not None:
                _start(world, line, job)


def _queue(line: Line, job: Job) -> None:
    heappush(line.waiting, (job.document.planned_start_on, job.document.key))
    book(line, job.document.planned_start_on, job.hours)


def _release(world: World, key: int) -> None:
    job = world.works.jobs.get(key)
    if job is not None and job.document.status == "planned":
        _record(world, job, status="released")


def _start(world: World, line: Line, job: Job) -> None:
    chance = world.chance("producing")
    book(line, job.document.planned_start_on, -job.hours)
    document = job.document
    if not job.delayed and happens(chance, _MISSING_MATERIAL):
        job.delayed = True
        wait = timedelta(days=3 + round(lognormal(chance, 6, 0.7)))
        _record(
            world,
            job,
            planned_start_on=world.today + wait,
            planned_finish_on=world.today + wait + timedelta(days=job.days),
            status="released",
        )
        _queue(line, job)
        return
    line.spare_hours -= job.hours
    _record(world, job, started_on=world.today, status="started")
    days = job.days * chance.uniform(0.8, 1.05)
    if happens(chance, _REWORK):
        days += lognormal(chance, 7, 0.6)
    finish_on = world.today + timedelta(days=max(1, round(days)))
    if document.order is not None and document.planned > 1 and happens(chance, 0.6):
        halfway = world.today + (finish_on - world.today) / 2
        world.later(halfway, partial(_finish_half, key=document.key))
    world.later(finish_on, partial(_finish, key=document.key))


def _finish_half(world: World, key: int) -> None:
    job = world.works.jobs.get(key)
    if job is None or _put_off(world, job, _finish_half):
        return
    half = job.document.planned // 2
    _record(world, job, finished=half)
    job.made(world, job.document, half)


def _finish(world: World, key: int) -> None:
    job = world.works.jobs[key]
    if _put_off(world, job, _finish):
        return
    del world.works.jobs[key]
    document = job.document
    scrapped = ZERO
    if document.order is None:
        share = world.chance("producing").choice((0.0, 0.0, 0.02, 0.06))
        scrapped = Decimal(int(float(document.planned) * share))
    good = document.planned - document.finished - scrapped
    _record(
        world,
        job,
        finished=document.finished + good,
        scrapped=scrapped,
        finished_on=world.today,
        status="finished",
    )
    job.made(world, job.document, good)


def _put_off(world: World, job: Job, finish: Callable[..., None]) -> bool:
    """Wait for the next working day, and until the line runs again."""
    line = world.works.lines[job.document.line]
    day = world.today
    if line.stopped_until is not None and line.stopped_until >= day:
        day = line.stopped_until + timedelta(days=1)
    day = working(day)
    if day > world.today:
        world.later(day, partial(finish, key=job.document.key))
    return day > world.today


def _record(world: World, job: Job, **changes: Any) -> None:
    job.document = replace(job.document, **changes)
    world.record(job.document)
