"""The tables of receivables: reading and writing by the batch, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from sinks.staging import staging
from streams.receivables.rules import (
    ZERO,
    Allocation,
    Cancellation,
    Instalment,
    Invoice,
    Receipt,
    Settlement,
)

AllocationId = tuple[str, str, int]
DocumentKey = tuple[str, str]

_INVOICE_COLUMNS = (
    "key text, customer_key text, currency text, rate numeric, invoiced_on date, gross numeric, "
    "cancelled_on date, numbers text, due_on text, amounts text, "
    "open_amounts text, open_amount numeric, last_change_on date"
)
#: Arrays travel as literals: psycopg needs 10 µs for the four of an invoice, a literal 2 µs.
INVOICES = staging("invoices", _INVOICE_COLUMNS)
_ARRAYS = {
    "numbers": "int4[]",
    "due_on": "date[]",
    "amounts": "numeric[]",
    "open_amounts": "numeric[]",
}
SETTLED = staging(
    "settled",
    "key text, cancelled_on date, open_amounts text, open_amount numeric, last_change_on date",
)
RECEIPTS = staging(
    "receipts",
    "document text, key text, customer_key text, currency text, rate numeric, amount numeric, "
    "received_on date, reversed_on date, unallocated numeric, last_change_on date",
)
APPLIED = staging(
    "applied",
    "document text, key text, number int4, applied numeric, delta numeric, last_change_on date",
)
BALANCES = staging(
    "balances",
    "customer_key text, currency text, open_amount numeric, unallocated numeric, items int8",
)
STAGING = (INVOICES, SETTLED, APPLIED, BALANCES)

_INVOICE_NAMES = ", ".join(column for column, _ in INVOICES.columns)
_INVOICE_VALUES = ", ".join(
    f"{column}::{_ARRAYS[column]}" if column in _ARRAYS else column
    for column, _ in INVOICES.columns
)
_RECEIPT_NAMES = ", ".join(column for column, _ in RECEIPTS.columns)


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
        amounts = tuple(part.amount for part in invoice.instalments)
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
        return sum(1 for amount in self.open_amounts if amount)

    def values(self) -> tuple[Any, ...]:
        """Return the values in the order of the columns."""
        invoice = self.invoice
        if invoice is None:
            return (self.key, *[None] * 10, ZERO, None)
        parts = invoice.instalments
        gross = tuple([part.amount for part in parts])
        amounts = literal(gross)
        return (
            self.key,
            invoice.customer_key,
            invoice.currency,
            invoice.rate,
            invoice.invoiced_on,
            invoice.gross,
            self.cancelled_on,
            literal([part.number for part in parts]),
            literal([part.due_on for part in parts]),
            amounts,
            amounts if self.open_amounts == gross else literal(self.open_amounts),
            self.open_amount,
            self.last_change_on,
        )


class ReceiptRow(NamedTuple):
    """What a receipt contributes to its customer's balance: ``unallocated`` is never above zero
    for what came in."""

    customer_key: str
    currency: str
    unallocated: Decimal
    last_change_on: date

    @classmethod
    def of(
        cls,
        receipt: Receipt,
        paid: Sequence[Decimal],
        last_change: Mapping[str, date],
    ) -> ReceiptRow:
        """Return the row, given what each allocation paid and when invoices last changed."""
        changed = receipt.received_on
        if receipt.reversed_on is not None and receipt.reversed_on > changed:
            changed = receipt.reversed_on
        for one in receipt.allocations:
            changed = max(changed, one.allocated_on, last_change.get(one.invoice_key, changed))
        left = ZERO if receipt.reversed_on is not None else sum(paid, ZERO) - receipt.amount
        return cls(receipt.customer_key, receipt.currency, left, changed)


def literal(values: Sequence[int | date | Decimal]) -> str:
    """Return an array literal of values whose text needs no quoting."""
    if len(values) == 1:
        return f"{{{values[0]}}}"
    return "{" + ",".join(map(str, values)) + "}"


def invoice_row(row: Sequence[Any]) -> InvoiceRow:
    """Read a row of ``receivable_invoices`` in the order of the staging columns."""
    (key, customer_key, currency, rate, invoiced_on, gross, cancelled_on) = row[:7]
    (numbers, due_on, amounts, open_amounts, _, last_change_on) = row[7:13]
    if customer_key is None:
        return InvoiceRow.stub(key)
    parts = tuple(map(Instalment, numbers, due_on, amounts))
    invoice = Invoice(key, customer_key, currency, rate, invoiced_on, gross, parts)
    return InvoiceRow(key, invoice, cancelled_on, tuple(open_amounts), last_change_on)


def insert_fresh(connection: psycopg.Connection[Any], rows: Collection[InvoiceRow]) -> set[str]:
    """Insert invoices to which nothing refers yet; return the keys that were not there.

    Those that are there already (named by a payment that came early) are left as they are.
    """
    if not rows:
        return set()
    INVOICES.fill(connection, (row.values() for row in rows))
    inserted = connection.execute(
        f"""
        INSERT INTO receivable_invoices ({_INVOICE_NAMES})
        SELECT {_INVOICE_VALUES} FROM stage_invoices ORDER BY key
        ON CONFLICT (key) DO NOTHING RETURNING key
        """
    ).fetchall()
    INVOICES.empty(connection)
    return {key for (key,) in inserted}


def lock(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, InvoiceRow]:
    """Lock the rows of ``keys`` in key order, making those that are missing; return them all."""
    if not keys:
        return {}
    wanted = sorted(keys)
    query = f"""
        SELECT {_INVOICE_NAMES} FROM receivable_invoices
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
                row.open_amount,
                row.last_change_on,
            )
            for row in rows
        ),
    )
    connection.execute(
        """
        UPDATE receivable_invoices AS invoice
        SET cancelled_on = stage.cancelled_on, open_amounts = stage.open_amounts::numeric[],
            open_amount = stage.open_amount, last_change_on = stage.last_change_on
        FROM stage_settled AS stage WHERE invoice.key = stage.key
        """
    )
    SETTLED.empty(connection)


def update_invoices(connection: psycopg.Connection[Any], rows: Sequence[InvoiceRow]) -> None:
    """Store the whole new state of invoices whose rows are there and locked."""
    if not rows:
        return
    INVOICES.fill(connection, (row.values() for row in rows))
    columns = ", ".join(
        f"{column} = stage.{column}" + (f"::{_ARRAYS[column]}" if column in _ARRAYS else "")
        for column, _ in INVOICES.columns
        if column != "key"
    )
    connection.execute(
        f"""
        UPDATE receivable_invoices AS invoice SET {columns}
        FROM stage_invoices AS stage WHERE invoice.key = stage.key
        """
    )
    INVOICES.empty(connection)


def receipts(
    connection: psycopg.Connection[Any], wanted: Collection[DocumentKey]
) -> dict[DocumentKey, ReceiptRow]:
    """Return what is stored of the receipts ``wanted`` ((document, key) pairs)."""
    if not wanted:
        return {}
    rows = connection.execute(
        """
        SELECT document, key, customer_key, currency, unallocated, last_change_on
        FROM receivable_receipts WHERE (document, key) IN
            (SELECT * FROM unnest(%b::text[], %b::text[]))
        """,
        _columns(wanted),
    )
    return {(document, key): ReceiptRow(*rest) for document, key, *rest in rows}


def targets_of_receipts(
    connection: psycopg.Connection[Any], wanted: Collection[DocumentKey]
) -> set[str]:
    """Return the keys of the invoices that stored allocations of these receipts pay."""
    if not wanted:
        return set()
    rows = connection.execute(
        """
        SELECT DISTINCT invoice_key FROM receivable_allocations WHERE (document, key) IN
            (SELECT * FROM unnest(%b::text[], %b::text[]))
        """,
        _columns(wanted),
    )
    return {key for (key,) in rows}


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


def allocations_to(
    connection: psycopg.Connection[Any], invoice_keys: Collection[str]
) -> Iterator[tuple[Allocation, Decimal]]:
    """Yield the stored allocations to these invoices, each with what it paid."""
    rows = connection.execute(
        """
        SELECT document, key, number, invoice_key, instalment, amount, allocated_on, reversed_on,
            applied
        FROM receivable_allocations WHERE invoice_key = ANY(%b)
        """,
        (list(invoice_keys),),
        binary=True,
    )
    for *columns, applied in rows:
        yield Allocation(*columns), applied


def cancellations_of(
    connection: psycopg.Connection[Any], invoice_keys: Collection[str]
) -> Iterator[Cancellation]:
    """Yield the stored cancellations of these invoices."""
    for row in connection.execute(
        """
        SELECT key, invoice_key, cancelled_on FROM receivable_cancellations
        WHERE invoice_key = ANY(%b)
        """,
        (list(invoice_keys),),
    ):
        yield Cancellation(*row)


def update_applied(
    connection: psycopg.Connection[Any],
    changed: Sequence[tuple[Allocation, Decimal, Decimal, date | None]],
) -> list[tuple[str, str, Decimal]]:
    """Store what allocations of other receipts pay now: (allocation, paid, difference, date).

    Returns:
        (customer key, currency, difference) for each difference.
    """
    if not changed:
        return []
    APPLIED.fill(connection, ((*one.id, paid, delta, on) for one, paid, delta, on in changed))
    connection.execute(
        """
        UPDATE receivable_allocations AS allocation SET applied = stage.applied
        FROM stage_applied AS stage
        WHERE (allocation.document, allocation.key, allocation.number)
            = (stage.document, stage.key, stage.number) AND stage.delta <> 0
        """
    )
    differences = connection.execute(
        """
        WITH change AS (
            SELECT document, key, sum(delta) AS delta, max(last_change_on) AS last_change_on
            FROM stage_applied GROUP BY document, key ORDER BY document, key
        )
        UPDATE receivable_receipts AS receipt
        SET unallocated = receipt.unallocated + change.delta,
            last_change_on = greatest(receipt.last_change_on, change.last_change_on)
        FROM change
        WHERE (receipt.document, receipt.key) = (change.document, change.key)
            AND (change.delta <> 0 OR change.last_change_on > receipt.last_change_on)
        RETURNING receipt.customer_key, receipt.currency, change.delta
        """
    ).fetchall()
    APPLIED.empty(connection)
    return differences


def replace_receipts(
    connection: psycopg.Connection[Any],
    known: Collection[DocumentKey],
    rows: Sequence[tuple[Receipt, ReceiptRow, Sequence[Decimal]]],
) -> None:
    """Store receipts with what each allocation paid, after removing the ``known`` ones."""
    if known:
        for table in ("receivable_allocations", "receivable_receipts"):
            connection.execute(
                f"DELETE FROM {table} WHERE (document, key) IN "
                "(SELECT * FROM unnest(%b::text[], %b::text[]))",
                _columns(known),
            )
    if not rows:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY receivable_receipts ({_RECEIPT_NAMES}) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types([type_ for _, type_ in RECEIPTS.columns])
        for receipt, row, _ in rows:
            copy.write_row(
                (
                    receipt.document,
                    receipt.key,
                    receipt.customer_key,
                    receipt.currency,
                    receipt.rate,
                    receipt.amount,
                    receipt.received_on,
                    receipt.reversed_on,
                    row.unallocated,
                    row.last_change_on,
                )
            )
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY receivable_allocations (document, key, number, invoice_key, instalment, amount,"
            " allocated_on, reversed_on, applied) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(
            ["text", "text", "int4", "text", "int4", "numeric", "date", "date", "numeric"]
        )
        for receipt, _, amounts_paid in rows:
            for one, paid in zip(receipt.allocations, amounts_paid, strict=True):
                copy.write_row(
                    (
                        *one,
                        paid,
                    )
                )


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


def add_to_balances(
    connection: psycopg.Connection[Any],
    differences: Mapping[DocumentKey, Sequence[Decimal | int]],
) -> None:
    """Add (open, unallocated, items) differences to (customer, currency) balances, in key order."""
    rows = [(*key, *parts) for key, parts in sorted(differences.items()) if any(parts)]
    if not rows:
        return
    BALANCES.fill(connection, rows)
    connection.execute(
        """
        INSERT INTO receivable_balances AS balance
            (customer_key, currency, open_amount, unallocated, items)
        SELECT customer_key, currency, open_amount, unallocated, items
        FROM stage_balances ORDER BY customer_key, currency
        ON CONFLICT (customer_key, currency) DO UPDATE
        SET open_amount = balance.open_amount + excluded.open_amount,
            unallocated = balance.unallocated + excluded.unallocated,
            items = balance.items + excluded.items
        """
    )
    BALANCES.empty(connection)


def _columns(keys: Collection[DocumentKey]) -> tuple[list[str], list[str]]:
    return [document for document, _ in keys], [key for _, key in keys]
