"""Documents written by hand for tests, and the log that they would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.documents import Documents, read_documents
from tests.oracle.generate import Event, event_of, noon
from tests.oracle.log import Record

Body = dict[str, Any]


def day(text: str | None) -> date | None:
    """Return the date of `2026-09-30`, or None."""
    return date.fromisoformat(text) if text else None


def reference(key: str | None) -> Body | None:
    """Return the reference to a `source|id`, or None."""
    if key is None:
        return None
    source, number = key.split("|", 1)
    return {"source": source, "id": number}


def header(key: str, version: int, deleted: bool) -> Body:
    """Return the fields that every document has."""
    return {
        **(reference(key) or {}),
        "version": version,
        "occurred_at": noon(date(2026, 1, 1)),
        "deleted": deleted,
    }


def customer(
    key: str,
    name: str = "Customer",
    *,
    tax_id: str | None = None,
    same_as: Iterable[str] = (),
    version: int = 1,
    deleted: bool = False,
) -> Event:
    """Write a customer record; `same_as` are keys `source|id`."""
    body = {
        **header(key, version, deleted),
        "name": name,
        "tax_id": tax_id,
        "same_as": [reference(other) for other in same_as],
    }
    return event_of("customer", body)


def product(key: str, *, same_as: Iterable[str] = ()) -> Event:
    """Write a product."""
    body = {**header(key, 1, False), "same_as": [reference(other) for other in same_as]}
    return event_of("product", body)


def order(
    key: str,
    customer: str,
    ordered_on: str,
    lines: Iterable[tuple[str, int, str | None]],
    *,
    opportunity: str | None = None,
    status: str = "open",
    cancelled_on: str | None = None,
    rejected: Iterable[int] = (),
    deleted: bool = False,
) -> Event:
    """Write an order; lines are (product key, quantity, wanted on), `rejected` their positions."""
    written = []
    for number, (wanted, quantity, wanted_on) in enumerate(lines):
        written.append(
            {
                "number": str(10 * number + 10),
                "product": reference(wanted),
                "quantity": Decimal(quantity),
                "net_amount": Decimal(0),
                "wanted_on": day(wanted_on),
                "rejected": number in rejected,
            }
        )
    body = {
        **header(key, 1, deleted),
        "customer": reference(customer),
        "ordered_on": day(ordered_on),
        "currency": "CNY",
        "lines": written,
        "opportunity": reference(opportunity),
        "status": status,
        "cancelled_on": day(cancelled_on),
    }
    return event_of("order", body)


def opportunity(
    key: str,
    customer: str,
    stage: str,
    lines: Iterable[tuple[str | None, int | None, str | None]],
    *,
    opened_on: str | None = "2026-01-01",
    close_on: str | None = None,
) -> Event:
    """Write an opportunity; lines are (product key, quantity, wanted on)."""
    written = []
    for number, (wanted, quantity, wanted_on) in enumerate(lines, start=1):
        written.append(
            {
                "number": str(number),
                "product": reference(wanted),
                "quantity": None if quantity is None else Decimal(quantity),
                "wanted_on": day(wanted_on),
            }
        )
    body = {
        **header(key, 1, False),
        "customer": reference(customer),
        "stage": stage,
        "outcome": stage if stage in ("won", "lost") else None,
        "opened_on": day(opened_on),
        "expected_close_on": day(close_on),
        "lines": written,
    }
    return event_of("opportunity", body)


def shipment(key: str, customer: str | None, *, planned_on: str | None = None) -> Event:
    """Write a shipment."""
    body = {
        **header(key, 1, False),
        "customer": reference(customer),
        "lines": [],
        "planned_on": day(planned_on),
        "status": "planned",
    }
    return event_of("shipment", body)


def invoice(
    key: str,
    customer: str,
    invoiced_on: str,
    gross: str,
    *,
    net: str | None = None,
    kind: str = "invoice",
    instalments: Iterable[tuple[str, str]] = (),
    terms: tuple[int, bool, int] | None = None,
    cancels: str | None = None,
    allocations: Iterable[Body] = (),
    currency: str = "CNY",
    rate: str | None = None,
    version: int = 1,
    deleted: bool = False,
    status: str = "posted",
) -> Event:
    """Write an invoice, a credit note or a cancellation; instalments are (due on, amount)."""
    written = []
    for number, (due_on, amount) in enumerate(instalments, start=1):
        written.append({"number": number, "due_on": day(due_on), "amount": Decimal(amount)})
    body = {
        **header(key, version, deleted),
        "customer": reference(customer),
        "kind": kind,
        "invoiced_on": day(invoiced_on),
        "cancels": reference(cancels),
        "lines": [],
        "instalments": written,
        "net": Decimal(net or gross),
        "gross": Decimal(gross),
        "currency": currency,
        "rate": None if rate is None else Decimal(rate),
        "allocations": list(allocations),
        "status": status,
    }
    if terms is not None:
        body["terms"] = dict(zip(("months", "end_of_month", "days"), terms, strict=True))
    return event_of("invoice", body)


def allocation(
    invoice: str, amount: str, *, instalment: int | None = None, on: str | None = None
) -> Body:
    """Write an allocation of a payment or credit note."""
    return {
        "invoice": reference(invoice),
        "instalment": instalment,
        "amount": Decimal(amount),
        "allocated_on": day(on),
    }


def payment(
    key: str,
    customer: str,
    received_on: str,
    amount: str,
    *allocations: Body,
    kind: str = "receipt",
    currency: str = "CNY",
    rate: str | None = None,
    reversed_on: str | None = None,
    version: int = 1,
    deleted: bool = False,
) -> Event:
    """Write a payment with its allocations."""
    body = {
        **header(key, version, deleted),
        "customer": reference(customer),
        "kind": kind,
        "amount": Decimal(amount),
        "currency": currency,
        "rate": None if rate is None else Decimal(rate),
        "received_on": day(received_on),
        "allocations": list(allocations),
        "reversed_on": day(reversed_on),
    }
    return event_of("payment", body)


def exchange_rate(key: str, currency: str, rate: str, valid_on: str, base: str = "CNY") -> Event:
    """Write an exchange rate."""
    body = {
        **header(key, 1, False),
        "currency": currency,
        "base": base,
        "rate": Decimal(rate),
        "valid_on": day(valid_on),
    }
    return event_of("rate", body)


def log_of(events: Iterable[Event], partitions: int = 4) -> list[Record]:
    """Lay records into a log in this order."""
    ends: Counter[tuple[str, int]] = Counter()
    records = []
    for event in events:
        partition = event.partition_hint % partitions
        offset = ends[(event.topic, partition)]
        ends[(event.topic, partition)] += 1
        records.append(Record(event.topic, partition, offset, event.key, event.value))
    return records


def documents_of(*events: Event) -> Documents:
    """Return what a log of these records says."""
    return read_documents(log_of(events))
