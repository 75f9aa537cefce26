"""Keeps open items, receipts and balances up to date with invoices and payments.

An invoice's row is the lock under which everything about it is worked out: whoever touches an
invoice or an allocation to it inserts or locks that row first, in key order, so an invoice and its
payment that arrive at once on two topics in two workers always see each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import psycopg

from schemas.keys import reference_key
from sinks.changes import Change, Marks, refusal
from sinks.dead_letters import DeadLetter
from streams.receivables import balances, invoices, receipts
from streams.receivables.balances import MOVES
from streams.receivables.invoices import InvoiceRow
from streams.receivables.rules import (
    ZERO,
    Allocation,
    AllocationId,
    Cancellation,
    Invoice,
    Receipt,
    invoice_of,
    receipt_of_credit_note,
    receipt_of_payment,
    settle,
)

#: What marks are about, as in the stream of the customers.
SUBJECT = "customer"
OF_HUB = "customer_of_hub"


class Receivables:
    """The stream of the question: who owes us what, and since when."""

    name = "receivables"
    documents = frozenset({"invoice", "payment"})
    customers_of: frozenset[str] = frozenset()
    tables = (
        "receivable_invoices",
        "receivable_cancellations",
        "receivable_receipts",
        "receivable_allocations",
        "receivable_balances",
    )
    views: Mapping[str, str] = MappingProxyType({"view.receivable.v1": OF_HUB})
    staging = (*invoices.STAGING, *receipts.STAGING, MOVES)

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
        marks.add(SUBJECT, work.customers)
        return letters

    def finish(self, connection: psycopg.Connection[Any]) -> None:
        """See `sinks.changes.Stream`."""
        balances.collect(connection)


class _Work:
    """One batch: what it brings, the rows that it touches, and what they become."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._invoices: dict[str, Invoice | None] = {}
        self._receipts: dict[tuple[str, str], Receipt | None] = {}
        self._cancellations: dict[str, Cancellation | None] = {}
        self._known: set[str] = set()  # documents that may have left a contribution before
        #: The keys of the customers whose balances may have moved.
        self.customers: set[str] = set()

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
        if not (self._invoices or self._receipts or self._cancellations):
            return
        known_receipts = [one for one in self._receipts if one[1] in self._known]
        shared = self._insert_fresh()
        shared |= self._referred_to(known_receipts)
        rows = invoices.lock(self._connection, shared)
        by_invoice: dict[str, list[Allocation]] = defaultdict(list)
        others: list[tuple[Allocation, Decimal]] = []
        for allocation, amount in receipts.allocations_to(self._connection, shared):
            if allocation[:2] not in self._receipts:
                others.append((allocation, amount))
                by_invoice[allocation.invoice_key].append(allocation)
        for receipt in self._receipts.values():
            if receipt is not None:
                self.customers.add(receipt.customer_key)
                for allocation in receipt.allocations:
                    by_invoice[allocation.invoice_key].append(allocation)
        applied, last_change = self._settle_invoices(
            rows, by_invoice, self._cancellations_of(shared)
        )
        self._update_others(others, applied, last_change)
        self.customers |= receipts.remove(self._connection, known_receipts)
        receipts.insert(
            self._connection,
            [one for one in self._receipts.values() if one is not None],
            applied,
            last_change,
        )
        invoices.replace_cancellations(self._connection, self._cancellations, self._known)

    def _insert_fresh(self) -> set[str]:
        """Insert the invoices that nobody has named before; return the keys of all others.

        Whoever stores what refers to an invoice makes its row: where there was none, nothing
        refers to it.
        """
        fresh = {
            key: InvoiceRow.of(invoice)
            for key, invoice in self._invoices.items()
            if invoice is not None and key not in self._known
        }
        self.customers.update([row.invoice.customer_key for row in fresh.values() if row.invoice])
        present = invoices.insert_fresh(self._connection, fresh.values())
        return present | (self._invoices.keys() - fresh.keys())

    def _referred_to(self, known_receipts: list[tuple[str, str]]) -> set[str]:
        """Return the keys of the invoices to which the batch refers, or no longer refers."""
        connection = self._connection
        found = {
            one.invoice_key
            for receipt in self._receipts.values()
            if receipt is not None
            for one in receipt.allocations
        }
        found.update(receipts.targets_of(connection, known_receipts))
        found.update(one.invoice_key for one in self._cancellations.values() if one)
        known = [key for key in self._cancellations if key in self._known]
        found.update(invoices.targets_of_cancellations(connection, known))
        return found

    def _cancellations_of(self, keys: set[str]) -> dict[str, list[Cancellation]]:
        found: dict[str, list[Cancellation]] = defaultdict(list)
        for one in invoices.cancellations_of(self._connection, keys):
            if one.key not in self._cancellations:
                found[one.invoice_key].append(one)
        for new in self._cancellations.values():
            if new is not None:
                found[new.invoice_key].append(new)
        return found

    def _settle_invoices(
        self,
        rows: dict[str, InvoiceRow],
        by_invoice: dict[str, list[Allocation]],
        cancellations: dict[str, list[Cancellation]],
    ) -> tuple[dict[AllocationId, Decimal], dict[str, date]]:
        """Work the locked invoices out anew, and store what they became.

        Returns:
            What each allocation pays (those that pay nothing may be missing), and the date on
            which each invoice last changed, by its key.
        """
        updates: list[InvoiceRow] = []
        settled: list[InvoiceRow] = []
        applied: dict[AllocationId, Decimal] = {}
        last_change: dict[str, date] = {}
        for key, row in rows.items():
            known = row.invoice
            invoice = self._invoices.get(key, known)
            if known is not None:
                self.customers.add(known.customer_key)
            if invoice is None:
                if known is not None:
                    updates.append(InvoiceRow.stub(key))
                continue
            settlement = settle(invoice, cancellations.get(key, ()), by_invoice.get(key, ()))
            (settled if known is invoice else updates).append(
                InvoiceRow.settled(invoice, settlement)
            )
            applied.update(settlement.applied)
            last_change[key] = settlement.last_change_on
        invoices.update_invoices(self._connection, updates)
        invoices.update_settled(self._connection, settled)
        return applied, last_change

    def _update_others(
        self,
        others: list[tuple[Allocation, Decimal]],
        applied: dict[AllocationId, Decimal],
        last_change: dict[str, date],
    ) -> None:
        """Store what the allocations of receipts that are not in the batch pay now."""
        changed = []
        for one, before in others:
            now = applied.get(one.id, ZERO)
            on = last_change.get(one.invoice_key)
            if now != before or on is not None:
                changed.append((one, now, now - before, on))
        self.customers |= receipts.update_applied(self._connection, changed)
