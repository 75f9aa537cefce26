"""Keeps open items, receipts and balances up to date with invoices and payments.

An invoice's row is the lock under which everything about it is worked out: whoever touches an
invoice or an allocation to it inserts or locks that row first, in key order, so an invoice and its
payment that arrive at once on two topics in two workers always see each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import psycopg

from sinks.changes import Change, Marks, refusal
from sinks.dead_letters import DeadLetter
from streams.receivables import store
from streams.receivables.rules import (
    ZERO,
    Allocation,
    Cancellation,
    Invoice,
    Receipt,
    invoice_of,
    receipt_of_credit_note,
    receipt_of_payment,
    reference_key,
    settle,
)
from streams.receivables.store import InvoiceRow, ReceiptRow

SUBJECT = "customer"


class Receivables:
    """The stream of the question: who owes us what, and since when."""

    name = "receivables"
    documents = frozenset({"invoice", "payment"})
    staging = store.STAGING

    def apply(
        self,
        connection: psycopg.Connection[Any],
        document: str,
        changes: list[Change],
        marks: Marks,
    ) -> list[DeadLetter]:
        """See `sinks.changes.Stream`."""
        work = _Work(connection)
        letters = []
        for change in changes:
            try:
                work.take(document, change)
            except Exception as error:  # noqa: BLE001 - a rule failed on this record only
                letters.append(refusal(self.name, document, change, error))
        work.settle()
        marks.add(SUBJECT, work.customers())
        return letters


class _Work:
    """One batch: what it brings, the rows that it touches, and what they become."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._invoices: dict[str, Invoice | None] = {}
        self._receipts: dict[tuple[str, str], Receipt | None] = {}
        self._cancellations: dict[str, Cancellation | None] = {}
        self._known: set[str] = set()  # documents that may have left a contribution before
        self._balances: dict[tuple[str, str], list[Decimal | int]] = defaultdict(
            lambda: [ZERO, ZERO, 0]
        )

    def take(self, document: str, change: Change) -> None:
        """Note what a document says now; nothing is noted where reading it fails."""
        key = change.key
        if document == "payment":
            receipt = None if change.gone else receipt_of_payment(key, change.document)
            self._receipts["payment", key] = receipt
        else:
            kind = None if change.gone else change.document["kind"]
            invoice = invoice_of(key, change.document) if kind == "invoice" else None
            credit = receipt_of_credit_note(key, change.document) if kind == "credit_note" else None
            cancellation = (
                Cancellation(
                    key,
                    reference_key(change.document["cancels"]),
                    change.document["invoiced_on"],
                )
                if kind == "cancellation"
                else None
            )
            # The kind of a document may change with a version: each role is set or taken back.
            if invoice or not change.first:
                self._invoices[key] = invoice
            if credit or not change.first:
                self._receipts["credit_note", key] = credit
            if cancellation or not change.first:
                self._cancellations[key] = cancellation
        if not change.first:
            self._known.add(key)

    def settle(self) -> None:
        """Lock what is touched, work it out anew, and store the differences."""
        connection = self._connection
        if not (self._invoices or self._receipts or self._cancellations):
            return
        known_receipts = [one for one in self._receipts if one[1] in self._known]
        touched = self._touched(known_receipts)
        fresh = {
            key: InvoiceRow.of(invoice)
            for key, invoice in self._invoices.items()
            if invoice is not None and key not in self._known
        }
        inserted = store.insert_fresh(connection, fresh.values())
        for key in inserted:
            row = fresh[key]
            assert row.invoice is not None
            self._add(row.invoice, row.open_amount, row.items, 1)
        rows = store.lock(connection, touched - inserted)
        # Not before the locks: who held them may have changed what these receipts have left.
        old_receipts = store.receipts(connection, known_receipts)
        by_invoice: dict[str, list[Allocation]] = defaultdict(list)
        others: list[tuple[Allocation, Decimal]] = []
        for allocation, amount in store.allocations_to(connection, touched):
            if (allocation.document, allocation.key) not in self._receipts:
                others.append((allocation, amount))
                by_invoice[allocation.invoice_key].append(allocation)
        for receipt in self._receipts.values():
            for allocation in receipt.allocations if receipt else ():
                by_invoice[allocation.invoice_key].append(allocation)
        cancellations = self._cancellations_of(touched)
        self._settle_invoices(
            touched, inserted, fresh, rows, by_invoice, cancellations, others, old_receipts
        )

    def _touched(self, known_receipts: list[tuple[str, str]]) -> set[str]:
        connection = self._connection
        touched = set(self._invoices)
        for receipt in self._receipts.values():
            if receipt is not None:
                touched.update(one.invoice_key for one in receipt.allocations)
        touched.update(store.targets_of_receipts(connection, known_receipts))
        touched.update(one.invoice_key for one in self._cancellations.values() if one)
        known = [key for key in self._cancellations if key in self._known]
        touched.update(store.targets_of_cancellations(connection, known))
        return touched

    def _cancellations_of(self, touched: set[str]) -> dict[str, list[Cancellation]]:
        found: dict[str, list[Cancellation]] = defaultdict(list)
        for one in store.cancellations_of(self._connection, touched):
            if one.key not in self._cancellations:
                found[one.invoice_key].append(one)
        for new in self._cancellations.values():
            if new is not None:
                found[new.invoice_key].append(new)
        return found

    def _settle_invoices(
        self,
        touched: set[str],
        inserted: set[str],
        fresh: dict[str, InvoiceRow],
        rows: dict[str, InvoiceRow],
        by_invoice: dict[str, list[Allocation]],
        cancellations: dict[str, list[Cancellation]],
        others: list[tuple[Allocation, Decimal]],
        old_receipts: dict[tuple[str, str], ReceiptRow],
    ) -> None:
        updates: list[InvoiceRow] = []
        settled: list[InvoiceRow] = []
        now_applied: dict[tuple[str, str, int], Decimal] = {}
        last_change: dict[str, Any] = {}
        for key in sorted(touched):
            row = rows.get(key)
            if key in inserted:
                if key not in by_invoice and key not in cancellations:
                    continue
                row = fresh[key]
            known = row.invoice if row is not None else None
            invoice = self._invoices.get(key, known)
            if row is not None and row.invoice is not None:
                self._add(row.invoice, row.open_amount, row.items, -1)
            if invoice is None:
                if row is not None:
                    updates.append(InvoiceRow.stub(key))
                continue
            settlement = settle(invoice, cancellations.get(key, ()), by_invoice.get(key, ()))
            updated = InvoiceRow.settled(invoice, settlement)
            self._add(invoice, updated.open_amount, updated.items, 1)
            unchanged = row is not None and row.invoice is invoice
            (settled if unchanged else updates).append(updated)
            now_applied.update(settlement.applied)
            last_change[key] = settlement.last_change_on
        store.update_invoices(self._connection, updates)
        store.update_settled(self._connection, settled)
        self._store_receipts(others, now_applied, last_change, old_receipts)
        store.replace_cancellations(self._connection, self._cancellations, self._known)
        store.add_to_balances(self._connection, self._balances)

    def _store_receipts(
        self,
        others: list[tuple[Allocation, Decimal]],
        now_applied: dict[tuple[str, str, int], Decimal],
        last_change: dict[str, Any],
        old_receipts: dict[tuple[str, str], ReceiptRow],
    ) -> None:
        changed = []
        for one, before in others:
            now = now_applied.get(one.id, ZERO)
            on = last_change.get(one.invoice_key)
            if now != before or on is not None:
                changed.append((one, now, now - before, on))
        for customer_key, currency, delta in store.update_applied(self._connection, changed):
            self._balances[customer_key, currency][1] += delta
        new_rows = []
        for (document, key), receipt in self._receipts.items():
            old = old_receipts.get((document, key))
            if old is not None:
                self._balances[old.customer_key, old.currency][1] -= old.unallocated
            if receipt is None:
                continue
            paid = [now_applied.get(one.id, ZERO) for one in receipt.allocations]
            row = ReceiptRow.of(receipt, paid, last_change)
            self._balances[row.customer_key, row.currency][1] += row.unallocated
            new_rows.append((receipt, row, paid))
        known = [one for one in self._receipts if one[1] in self._known]
        store.replace_receipts(self._connection, known, new_rows)

    def _add(self, invoice: Invoice, open_amount: Decimal, items: int, sign: int) -> None:
        balance = self._balances[invoice.customer_key, invoice.currency]
        balance[0] += sign * open_amount
        balance[2] += sign * items

    def customers(self) -> Iterable[str]:
        """Return the keys of the customers whose balances were touched."""
        return {customer_key for customer_key, _ in self._balances}
