"""What the ERP writes of customers, products, employees, rates and stock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from plant.documents import ERP, Employee, Product, Rate, Stock, Terms
from plant.parameters import FIRST_DAY
from plant.systems import erp_tables as tables
from plant.systems.exporting import Delivery
from plant.systems.flaws import CSV_BREAKS, emptied, impossible_day, worded
from plant.systems.hearing import Heard
from plant.systems.numbers import Numbering, share
from plant.systems.spelling import spelled

#: The ERP's own numbers of the currencies.
CURRENCIES = {"CNY": "1", "USD": "1000", "EUR": "1001"}
_WITH_TWIN = 0.04

_CUSTOMER_BREAKS = (
    *CSV_BREAKS,
    emptied("FNumber", "no_key", "the customer has no number"),
    impossible_day("FModifyDate", "not_a_date", "2024-02-30 00:00:00.000"),
    worded("FCreditLimit", "not_a_number", "words stand in an amount", "50万"),
    worded("FStatus", "unknown_value", "the status is one that nobody knows", "1099"),
)
_ITEM_BREAKS = (
    *CSV_BREAKS,
    worded("FFixLeadTime", "not_a_number", "words stand in a number of days", "15天"),
    worded("FFixLeadTime", "not_whole", "a number of days has a fraction", "7.5"),
)
_EMPLOYEE_BREAKS = (
    *CSV_BREAKS,
    impossible_day("FModifyDate", "not_a_date", "2024-06-31 00:00:00.000"),
)
_RATE_BREAKS = (
    worded("FCyFor", "currency", "the currency does not exist", "EURO"),
    worded("FExchangeRate", "rate", "the rate is nothing", "0.000000"),
)
_STOCK_BREAKS = (
    *CSV_BREAKS,
    worded("FQty", "not_a_number", "a quantity has two points", "1.204.00"),
)


def day(value: date | None) -> str:
    """A day as SQL Server writes it."""
    return "" if value is None else f"{value} 00:00:00.000"


def money(value: Decimal | None) -> str:
    """An amount, with all its digits."""
    return "" if value is None else f"{value:f}"


def flag(value: bool) -> str:
    """Yes or no as the ERP has it."""
    return "1" if value else "0"


def terms(value: Terms) -> list[str]:
    """Terms of payment: their key, months, end of month and days."""
    return [value.code, str(value.months), flag(value.end_of_month), str(value.days)]


def has_twin(numbering: Numbering, customer: int) -> bool:
    """Whether the ERP has the customer twice."""
    return share(f"{numbering.seed}/erp/twin/{customer}") < _WITH_TWIN


def customer_records(heard: Heard, numbering: Numbering, today: date) -> list[Delivery]:
    """A customer, and its second record where somebody made one."""
    records = [_customer(heard, numbering, today, 0)]
    if has_twin(numbering, heard.customer.key):
        records.append(_customer(heard, numbering, today, 1))
    return records


def _customer(heard: Heard, numbering: Numbering, today: date, twin: int) -> Delivery:
    customer = heard.customer
    written = spelled(numbering.seed, ERP, customer, twin)
    key = customer.key
    number = numbering.twin(key) if twin else numbering.customer(ERP, key)
    owner = numbering.employees[ERP].of(customer.owner)
    row = [
        str(numbering.customer_items.of(2 * key + twin)),
        number,
        written.name,
        written.tax_id,
        customer.country,
        customer.region,
        written.city,
        written.street,
        written.postcode,
        written.phone,
        written.email,
        f"http://www.{written.domain}/" if written.domain else "",
        customer.industry,
        str(owner),
        f"{owner:04d}",
        "" if customer.parent is None else numbering.customer(ERP, customer.parent),
        money(customer.credit_limit),
        customer.rating,
        CURRENCIES[customer.currency],
        *terms(customer.terms),
        "1074" if customer.blocked else "1072",
        flag(customer.archived),
        day(written.registered_on if heard.since == FIRST_DAY else heard.since),
        day(today),
    ]
    mistaken = None
    if customer.credit_limit:
        mistaken = row.copy()
        mistaken[16] = money(customer.credit_limit * 10)
    return Delivery(
        "customer",
        2 * key + twin,
        number,
        tables.ORGANIZATION,
        row,
        _CUSTOMER_BREAKS,
        mistaken=mistaken,
    )


def product_record(product: Product, numbering: Numbering, today: date) -> Delivery:
    """A machine or a part."""
    row = [
        str(numbering.products[ERP].of(product.key)),
        product.code,
        product.name,
        product.latin,
        product.family,
        product.unit,
        money(product.price),
        str(product.lead_time_days),
        product.line,
        _whole(product.service_interval_days),
        _whole(product.service_interval_hours),
        _whole(product.expected_life_days),
        "" if product.replaced_by is None else numbering.product(ERP, product.replaced_by),
        day(today),
    ]
    return Delivery("product", product.key, product.code, tables.ITEM, row, _ITEM_BREAKS)


def employee_record(employee: Employee, numbering: Numbering, today: date) -> Delivery:
    """Somebody who sells or manages."""
    number = numbering.employee(ERP, employee.key)
    manager = employee.manager
    row = [
        str(int(number)),
        number,
        employee.name,
        employee.team,
        employee.unit,
        "" if manager is None else numbering.employee(ERP, manager),
        day(today),
    ]
    return Delivery("employee", employee.key, number, tables.EMPLOYEE, row, _EMPLOYEE_BREAKS)


def rate_record(rate: Rate) -> Delivery:
    """An exchange rate."""
    row = [str(rate.key), rate.currency, rate.base, f"{rate.rate:f}", day(rate.valid_on)]
    number = f"{rate.currency}-{rate.base}-{rate.valid_on}"
    return Delivery("rate", rate.key, number, tables.RATE, row, _RATE_BREAKS)


def stock_record(stock: Stock, numbering: Numbering) -> Delivery:
    """What lies of a product at a site."""
    code = numbering.product(ERP, stock.product)
    row = [
        str(numbering.products[ERP].of(stock.product)),
        code,
        stock.site,
        f"{stock.quantity:.4f}",
        day(stock.counted_on),
    ]
    number = f"{code}|{stock.site}"
    return Delivery("stock", stock.key, number, tables.STOCK, row, _STOCK_BREAKS)


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)
