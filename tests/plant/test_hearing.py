"""A system writes a customer when it first has to do with it, and changes when it hears of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from plant.documents import CALLS, CRM, ERP, SERVICE, Customer, Name, Terms
from plant.parameters import FIRST_DAY
from plant.systems.calls import DIRECTORY
from plant.systems.exporting import Delivery
from plant.systems.hearing import Hearing
from plant.systems.numbers import Numbering

CHANGED = FIRST_DAY + timedelta(days=40)


def customer(key: int, *systems: str) -> Customer:
    return Customer(
        key=key,
        name=Name("北京大力机械有限公司", "大力", "Dali Machinery"),
        tax_id="91110000MA0000000X",
        country="CN",
        region="北京",
        city="北京市",
        street="人民路1号",
        postcode="100020",
        phone="+861061011817",
        second_phone=None,
        email="info@dali.cn",
        domain="dali.cn",
        industry="矿山",
        parent=None,
        owner=1,
        annual_spend=Decimal(1000),
        credit_limit=Decimal(500),
        currency="CNY",
        rating="A",
        terms=Terms("N30", days=30),
        known_in=frozenset(systems),
    )


def at(day: date) -> datetime:
    return datetime.combine(day, time(9))


def days_from(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=place) for place in range(count))


def heard_on(system: str, before: Customer, after: Customer) -> list[tuple[date, Customer]]:
    """When a system that knew a customer from the start writes it down after a change."""
    hearing = Hearing(system, Numbering(1))
    hearing.take(before, at(FIRST_DAY))
    assert [each.customer for each in hearing.due(FIRST_DAY)] == [before]
    hearing.take(after, at(CHANGED))
    return [(day, each.customer) for day in days_from(CHANGED, 60) for each in hearing.due(day)]


def test_a_system_writes_a_customer_on_the_day_it_first_has_to_do_with_it() -> None:
    for key in range(50):
        hearing = Hearing(CALLS, Numbering(1))
        hearing.take(customer(key, ERP), at(FIRST_DAY))
        assert hearing.due(FIRST_DAY) == []
        hearing.take(customer(key, ERP, CALLS), at(CHANGED))
        (heard,) = hearing.due(CHANGED)
        assert heard.since == CHANGED


def test_credit_is_news_in_the_erp_at_once_and_elsewhere_later_or_never() -> None:
    lags = []
    for key in range(200):
        before = customer(key, ERP, CRM)
        after = replace(before, credit_limit=Decimal(700))
        assert heard_on(ERP, before, after) == [(CHANGED, after)]
        lags += [(day - CHANGED).days for day, _ in heard_on(CRM, before, after)]
    assert 120 < len(lags) < 180
    assert set(lags) <= set(range(46))
    assert len(set(lags)) > 35


def test_a_change_of_address_begins_in_one_system_only() -> None:
    for key in range(50):
        before = customer(key, ERP, CRM, SERVICE)
        after = replace(before, street="建设路2号")
        at_once = [
            system
            for system in (ERP, CRM, SERVICE)
            if (CHANGED, after) in heard_on(system, before, after)
        ]
        assert at_once, "nobody wrote it down on the day"
        assert len(at_once) < 3


def test_what_was_put_off_carries_the_newest_state() -> None:
    seen = 0
    for key in range(50):
        hearing = Hearing(CRM, Numbering(1))
        known = customer(key, ERP, CRM)
        hearing.take(known, at(FIRST_DAY))
        hearing.due(FIRST_DAY)
        first, second = (replace(known, credit_limit=Decimal(each)) for each in (600, 700))
        hearing.take(first, at(CHANGED))
        hearing.take(second, at(CHANGED))
        heard = [each for day in days_from(CHANGED, 60) for each in hearing.due(day)]
        assert {each.customer for each in heard} <= {second}
        seen += len(heard)
    assert seen > 20


def test_a_row_that_says_nothing_new_is_not_written_again() -> None:
    hearing = Hearing(CALLS, Numbering(1))

    def row(phone: str, day: str) -> Delivery:
        return Delivery("customer", 1, "700201", DIRECTORY, ["700201", phone, day], ())

    assert len(hearing.fresh([row("1", "01/01/2024")])) == 1
    assert hearing.fresh([row("1", "02/01/2024")]) == []
    assert len(hearing.fresh([row("2", "03/01/2024")])) == 1
