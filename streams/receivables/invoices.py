"""The tables of invoices and their cancellations: by the batch, in the caller's transaction.

Amounts travel to the staging tables as their decimal text, and arrays as literals: COPY takes a
third of the time for it that it takes for a decimal, a fifth of that for arrays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from sinks.staging import Staging, staging
from streams.receivables.rules import ZERO, Cancellation, Instalment, Invoice, Settlement

#: The columns of the table and their types.
COLUMNS = {
    "key": "text",
    "customer_key": "text",
    "currency": "text",
    "rate": "numeric",
    "invoiced_on": "date",
    "gross": "numeric",
    "cancelled_on": "date",
    "numbers": "int4[]",
    "due_on": "date[]",
    "amounts": "numeric[]",
    "open_amounts": "numeric[]",
    "open_amount": "numeric",
    "open_items": "int4",
    "last_change_on": "date",
}
NAMES = ", ".join(COLUMNS)
#: Worked out from the others, for whoever sums them up in the database.
_SUMS = ("open_amount", "open_items")
READ = ", ".join([name for name in COLUMNS if name not in _SUMS])

_AS_TEXT = {name for name, kind in COLUMNS.items() if kind == "numeric" or kind.endswith("[]")}


def _stage(name: str, columns: Collection[str]) -> Staging:
    return staging(
        name,
        ", ".join(f"{one} {'text' if one in _AS_TEXT else COLUMNS[one]}" for one in columns),
    )


def _value(column: str) -> str:
    return f"stage.{column}" + (f"::{COLUMNS[column]}" if column in _AS_TEXT else "")


_SETTLED = ("cancelled_on", "open_amounts", "open_amount", "open_items", "last_change_on")

FRESH = _stage("fresh_invoices", COLUMNS)
CHANGED = _stage("changed_invoices", COLUMNS)
SETTLED = _stage("settled_invoices", ("key", *_SETTLED))
STAGING = (FRESH, CHANGED, SETTLED)


class InvoiceRow(NamedTuple):
    """An invoice as it is stored; ``invoice`` is None for one that is named but not known."""

    key: str
    invoice: Invoice | None
    cancelled_on: date | None
    open_amounts: tuple[Decimal, ...]
    last_change_on: date | None

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceRow:
        """Return the row of an invoice to which nothing refers yet."""
        amounts = tuple([part.amount for part in invoice.instalments])
        return cls(invoice.key, invoice, None, amounts, invoice.invoiced_on)

    @classmethod
    def settled(cls, invoice: Invoice, settlement: Settlement) -> InvoiceRow:
        """Return the row of an invoice after everything that is known."""
        return cls(
            invoice.key,
            invoice,
            settlement.cancelled_on,
            settlement.open_amounts,
            settlement.last_change_on,
        )

    @classmethod
    def stub(cls, key: str) -> InvoiceRow:
        """Return the row of an invoice that is not known (any more)."""
        return cls(key, None, None, (), None)

    @property
    def open_amount(self) -> Decimal:
        """What of the whole invoice is open."""
        amounts = self.open_amounts
        return amounts[0] if len(amounts) == 1 else sum(amounts, ZERO)

    @property
    def items(self) -> int:
        """How many of its instalments are open."""
        amounts = self.open_amounts
        return len(amounts) - amounts.count(ZERO)

    def values(self) -> tuple[Any, ...]:
        """Return the values in the order of the columns."""
        if self.invoice is None:
            return (self.key, *[None] * 10, "0", 0, None)
        key, customer_key, currency, rate, invoiced_on, gross, parts = self.invoice
        numbers, due_on, amounts = zip(*parts, strict=True)
        return (
            key,
            customer_key,
            currency,
            None if rate is None else str(rate),
            invoiced_on,
            str(gross),
            self.cancelled_on,
            literal(numbers),
            literal(due_on),
            literal(amounts),
            literal(self.open_amounts),
            str(self.open_amount),
            self.items,
            self.last_change_on,
        )


def literal(values: Sequence[int | date | Decimal]) -> str:
    """Return an array literal of values whose text needs no quoting."""
    if len(values) == 1:
        return f"{{{values[0]}}}"
    return "{" + ",".join(map(str, values)) + "}"


def invoice_row(row: Sequence[Any]) -> InvoiceRow:
    """Read a row of ``receivable_invoices``: the columns of `READ`."""
    (key, customer_key, currency, rate, invoiced_on, gross, cancelled_on) = row[:7]
    (numbers, due_on, amounts, open_amounts, last_change_on) = row[7:12]
    if customer_key is None:
        return InvoiceRow.stub(key)
    parts = tuple(map(Instalment, numbers, due_on, amounts))
    invoice = Invoice(key, customer_key, currency, rate, invoiced_on, gross, parts)
    return InvoiceRow(key, invoice, cancelled_on, tuple(open_amounts), last_change_on)


def insert_fresh(connection: psycopg.Connection[Any], rows: Collection[InvoiceRow]) -> set[str]:
    """Insert invoices to which nothing refers yet; return the keys of those that were there.

    They are there where a payment that came early named them, and are left as they are.
    """
    if not rows:
        return set()
    FRESH.fill(connection, (row.values() for row in rows))
    present = connection.execute(
        f"""
        WITH inserted AS (
            INSERT INTO receivable_invoices ({NAMES})
            SELECT {", ".join(map(_value, COLUMNS))} FROM stage_fresh_invoices AS stage ORDER BY key
            ON CONFLICT (key) DO NOTHING
            RETURNING key, customer_key, currency, open_amount, open_items
        ), moved AS (
            INSERT INTO stage_moves (customer_key, currency, open_amount, unallocated, items)
            SELECT customer_key, currency, open_amount, 0, open_items FROM inserted
        )
        SELECT key FROM stage_fresh_invoices EXCEPT SELECT key FROM inserted
        """
    )
    return {key for (key,) in present}


def lock(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, InvoiceRow]:
    """Lock the rows of ``keys`` in key order, making those that are missing; return them all."""
    if not keys:
        return {}
    wanted = sorted(keys)
    query = f"""
        SELECT {READ} FROM receivable_invoices
        WHERE key = ANY(%b) ORDER BY key FOR UPDATE
    """
    rows = connection.execute(query, (wanted,), binary=True).fetchall()
    if len(rows) < len(wanted):
        connection.execute(
            """
            INSERT INTO receivable_invoices (key) SELECT unnest(%b::text[]) AS key ORDER BY key
            ON CONFLICT (key) DO NOTHING
            """,
            (sorted(set(wanted) - {row[0] for row in rows}),),
        )
        rows = connection.execute(query, (wanted,), binary=True).fetchall()
    return {row[0]: invoice_row(row) for row in rows}


def update_settled(connection: psycopg.Connection[Any], rows: Sequence[InvoiceRow]) -> None:
    """Store what is open of invoices that themselves have not changed; their rows are locked."""
    if not rows:
        return
    SETTLED.fill(
        connection,
        (
            (
                row.key,
                row.cancelled_on,
                literal(row.open_amounts),
                str(row.open_amount),
                row.items,
                row.last_change_on,
            )
            for row in rows
        ),
    )
    connection.execute(
        f"""
        WITH settled AS (
            UPDATE receivable_invoices AS invoice
            SET {", ".join(f"{column} = {_value(column)}" for column in _SETTLED)}
            FROM stage_settled_invoices AS stage WHERE invoice.key = stage.key
            RETURNING new.customer_key, new.currency,
                new.open_amount - old.open_amount AS open_amount,
                new.open_items - old.open_items AS items
        )
        INSERT INTO stage_moves (customer_key, currency, open_amount, unallocated, items)
        SELECT customer_key, currency, open_amount, 0, items FROM settled
        """
    )


def update_invoices(connection: psycopg.Connection[Any], rows: Sequence[InvoiceRow]) -> None:
    """Store the whole new state of invoices whose rows are there and locked."""
    if not rows:
        return
    CHANGED.fill(connection, (row.values() for row in rows))
    changes = ", ".join(f"{column} = {_value(column)}" for column in COLUMNS if column != "key")
    connection.execute(
        f"""
        WITH changed AS (
            UPDATE receivable_invoices AS invoice SET {changes}
            FROM stage_changed_invoices AS stage WHERE invoice.key = stage.key
            RETURNING old.customer_key AS customer_before, old.currency AS currency_before,
                old.open_amount AS amount_before, old.open_items AS items_before,
                new.customer_key, new.currency, new.open_amount, new.open_items
        )
        INSERT INTO stage_moves (customer_key, currency, open_amount, unallocated, items)
        SELECT customer_before, currency_before, -amount_before, 0, -items_before
        FROM changed WHERE customer_before IS NOT NULL
        UNION ALL SELECT customer_key, currency, open_amount, 0, open_items
        FROM changed WHERE customer_key IS NOT NULL
        """
    )


def targets_of_cancellations(
    connection: psycopg.Connection[Any], keys: Collection[str]
) -> set[str]:
    """Return the keys of the invoices that these stored cancellations close."""
    if not keys:
        return set()
    rows = connection.execute(
        "SELECT invoice_key FROM receivable_cancellations WHERE key = ANY(%b)", (list(keys),)
    )
    return {key for (key,) in rows}


def cancellations_of(
    connection: psycopg.Connection[Any], invoice_keys: Collection[str]
) -> Iterator[Cancellation]:
    """Yield the stored cancellations of these invoices."""
    if not invoice_keys:
        return
    for row in connection.execute(
        """
        SELECT key, invoice_key, cancelled_on FROM receivable_cancellations
        WHERE invoice_key = ANY(%b)
        """,
        (list(invoice_keys),),
    ):
        yield Cancellation(*row)


def replace_cancellations(
    connection: psycopg.Connection[Any],
    cancellations: Mapping[str, Cancellation | None],
    known: Collection[str],
) -> None:
    """Store cancellations; None, or a document that is known, takes the stored one back first."""
    old = [key for key in cancellations if key in known]
    if old:
        connection.execute("DELETE FROM receivable_cancellations WHERE key = ANY(%b)", (old,))
    new = [one for one in cancellations.values() if one is not None]
    if new:
        connection.execute(
            """
            INSERT INTO receivable_cancellations (key, invoice_key, cancelled_on)
            SELECT * FROM unnest(%b::text[], %s::text[], %s::date[])
            """,
            (
                [one.key for one in new],
                [one.invoice_key for one in new],
                [one.cancelled_on for one in new],
            ),
        )
