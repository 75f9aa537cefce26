"""Reads receivables as of a date: what each customer owes, how old it is, what is unallocated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from hub.money import round_money
from streams.conversion import read_rates
from streams.customers.names import hub_ids, names_of
from streams.receivables import invoices, receipts
from streams.receivables.rules import (
    ZERO,
    Allocation,
    Cancellation,
    OpenItem,
    bucket_of,
    settle,
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Open items aged ``from_days`` to ``to_days`` (None: and older)."""

    from_days: int
    to_days: int | None
    amount: Decimal
    items: int


@dataclass(frozen=True, slots=True)
class Row:
    """A customer's receivables in base currency; the columns add up to ``outstanding``."""

    id: UUID | None
    name: str | None
    outstanding: Decimal
    not_due: Decimal
    buckets: tuple[Bucket, ...]
    unallocated: Decimal
    items: int
    overdue_items: int

    def rounded(self, currency: str) -> Row:
        """Round each column half up; outstanding shows the sum of what the columns show."""
        not_due = round_money(self.not_due, currency)
        unallocated = round_money(self.unallocated, currency)
        buckets = tuple(
            replace(bucket, amount=round_money(bucket.amount, currency)) for bucket in self.buckets
        )
        outstanding = not_due + unallocated + sum((one.amount for one in buckets), ZERO)
        return replace(
            self,
            outstanding=outstanding,
            not_due=not_due,
            buckets=buckets,
            unallocated=unallocated,
        )


@dataclass(frozen=True, slots=True)
class Unconverted:
    """Amounts outside the totals: no rate of this currency is known at the date."""

    id: UUID
    name: str | None
    currency: str
    outstanding: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """Receivables as of a date: a row per customer, the total, and what could not be converted."""

    as_of: date
    currency: str
    rows: tuple[Row, ...]
    total: Row
    unconverted: tuple[Unconverted, ...]

    def rounded(self) -> Report:
        """Return the report rounded to the currency's digits; the total is that of exact sums."""
        return replace(
            self,
            rows=tuple(row.rounded(self.currency) for row in self.rows),
            total=self.total.rounded(self.currency),
        )


@dataclass(slots=True)
class _Sums:
    not_due: Decimal
    amounts: list[Decimal]
    counts: list[int]
    unallocated: Decimal
    items: int

    @classmethod
    def empty(cls, limits: Sequence[int]) -> _Sums:
        size = len(limits) + 1
        return cls(ZERO, [ZERO] * size, [0] * size, ZERO, 0)

    def add(self, bucket: int | None, amount: Decimal) -> None:
        self.items += 1
        if bucket is None:
            self.not_due += amount
        else:
            self.amounts[bucket] += amount
            self.counts[bucket] += 1

    def row(self, id: UUID | None, name: str | None, limits: Sequence[int]) -> Row:
        starts = [1, *(limit + 1 for limit in limits)]
        ends = [*limits, None]
        buckets = tuple(
            Bucket(*columns)
            for columns in zip(starts, ends, self.amounts, self.counts, strict=True)
        )
        return Row(
            id,
            name,
            self.not_due + sum(self.amounts, ZERO) + self.unallocated,
            self.not_due,
            buckets,
            self.unallocated,
            self.items,
            sum(self.counts),
        )


def read_receivables(
    connection: psycopg.Connection[Any],
    *,
    as_of: date,
    limits: Sequence[int],
    base_currency: str,
    source_order: Sequence[str] = (),
) -> Report:
    """Return every customer's receivables as of ``as_of`` in ``base_currency`` (DOMAIN §5).

    Today's knowledge of business dates: a document counts from its date. Customers with nothing
    open and nothing unallocated have no row. Amounts are exact, see `Report.rounded`.

    Args:
        limits: ascending upper bounds in days of all buckets but the last.
        source_order: the ranking of sources for the customers' names.
    """
    rates = read_rates(connection, base_currency, as_of)
    items, unallocated = open_items_as_of(connection, as_of)
    sums: dict[UUID, _Sums] = defaultdict(lambda: _Sums.empty(limits))
    outside: dict[tuple[UUID, str], Decimal] = defaultdict(Decimal)
    keys = {item.customer_key for item in items} | {left.customer_key for left in unallocated}
    hubs = hub_ids(connection, keys)
    for item in items:
        hub = hubs[item.customer_key]
        amount = rates.convert(item.amount, item.currency, item.rate)
        if amount is None:
            outside[hub, item.currency] += item.amount
        else:
            sums[hub].add(bucket_of((as_of - item.due_on).days, limits), amount)
    for left in unallocated:
        hub = hubs[left.customer_key]
        amount = rates.convert(left.amount, left.currency, left.rate)
        if amount is None:
            outside[hub, left.currency] += left.amount
        else:
            sums[hub].unallocated += amount
    stated = names_of(connection, {*sums, *(hub for hub, _ in outside)}, source_order)
    names = {hub: name for hub, (name, _) in stated.items()}
    total = _Sums.empty(limits)
    for one in sums.values():
        _accumulate(total, one)
    rows = [one.row(hub, names.get(hub), limits) for hub, one in sums.items()]
    return Report(
        as_of,
        base_currency,
        tuple(sorted(rows, key=lambda row: (-row.outstanding, str(row.id)))),
        total.row(None, None, limits),
        tuple(
            Unconverted(hub, names.get(hub), currency, amount)
            for (hub, currency), amount in sorted(outside.items(), key=lambda one: str(one[0]))
        ),
    )


def _accumulate(total: _Sums, one: _Sums) -> None:
    total.not_due += one.not_due
    total.unallocated += one.unallocated
    total.items += one.items
    for index, amount in enumerate(one.amounts):
        total.amounts[index] += amount
        total.counts[index] += one.counts[index]


@dataclass(frozen=True, slots=True)
class Left:
    """What of a receipt is unallocated (below zero for what came in), in its own currency."""

    customer_key: str
    currency: str
    rate: Decimal | None
    amount: Decimal


def open_items_as_of(
    connection: psycopg.Connection[Any],
    as_of: date,
) -> tuple[list[OpenItem], list[Left]]:
    """Return the open items and the unallocated amounts as of ``as_of``.

    What has not changed since (``last_change_on`` ≤ ``as_of``) is taken as stored; the rest, and
    the allocations that it shares, is settled afresh. So the cost follows what is open or younger
    than the date, not the history.
    """
    rows = [
        invoices.invoice_row(row)
        for row in connection.execute(
            f"""
            SELECT {invoices.READ} FROM receivable_invoices
            WHERE invoiced_on <= %(as_of)s
                AND (open_amount <> 0 OR last_change_on > %(as_of)s)
            """,
            {"as_of": as_of},
        )
    ]
    afresh = [row.key for row in rows if row.last_change_on and row.last_change_on > as_of]
    allocations: dict[str, list[Allocation]] = defaultdict(list)
    for one, _ in receipts.allocations_to(connection, afresh):
        allocations[one.invoice_key].append(one)
    cancellations: dict[str, list[Cancellation]] = defaultdict(list)
    for cancellation in invoices.cancellations_of(connection, afresh):
        cancellations[cancellation.invoice_key].append(cancellation)
    items: list[OpenItem] = []
    applied: dict[tuple[str, str, int], Decimal] = {}
    for row in rows:
        invoice, open_amounts = row.invoice, row.open_amounts
        assert invoice is not None
        if row.last_change_on is not None and row.last_change_on > as_of:
            settlement = settle(invoice, cancellations[row.key], allocations[row.key], as_of=as_of)
            open_amounts = settlement.open_amounts
            applied.update(settlement.applied)
        items += [
            OpenItem(
                row.key,
                invoice.customer_key,
                part.number,
                part.due_on,
                invoice.invoiced_on,
                invoice.currency,
                invoice.rate,
                amount,
            )
            for part, amount in zip(invoice.instalments, open_amounts, strict=True)
            if amount
        ]
    return items, _unallocated(connection, as_of, set(afresh), applied)


def _unallocated(
    connection: psycopg.Connection[Any],
    as_of: date,
    afresh: set[str],
    applied: Mapping[tuple[str, str, int], Decimal],
) -> list[Left]:
    rows = connection.execute(
        """
        SELECT document, key, customer_key, currency, rate, amount, reversed_on, unallocated,
            last_change_on
        FROM receivable_receipts
        WHERE received_on <= %(as_of)s
            AND (unallocated <> 0 OR last_change_on > %(as_of)s)
        """,
        {"as_of": as_of},
    ).fetchall()
    later = [(row[0], row[1]) for row in rows if row[8] > as_of]
    paid: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for document, key, number, invoice_key, invoiced_later, stored in connection.execute(
        """
        SELECT one.document, one.key, one.number, one.invoice_key,
            invoice.invoiced_on IS NULL OR invoice.invoiced_on > %(as_of)s, one.applied
        FROM receivable_allocations AS one
        JOIN unnest(%(documents)s::text[], %(keys)s::text[]) AS wanted (document, key)
            USING (document, key)
        LEFT JOIN receivable_invoices AS invoice ON invoice.key = one.invoice_key
        """,
        {
            "as_of": as_of,
            "documents": [document for document, _ in later],
            "keys": [key for _, key in later],
        },
    ):
        if invoice_key in afresh:
            paid[document, key] += applied.get((document, key, number), ZERO)
        elif not invoiced_later:
            paid[document, key] += stored
    left = []
    for document, key, customer_key, currency, rate, amount, reversed_on, stored, changed in rows:
        unallocated = stored
        if changed > as_of:
            if reversed_on is not None and reversed_on <= as_of:
                continue
            unallocated = paid[document, key] - amount
        if unallocated:
            left.append(Left(customer_key, currency, rate, unallocated))
    return left
