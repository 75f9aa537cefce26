"""Receivables: open items, what was received, and how it was allocated."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from sinks.tables.columns import amount, metadata, record_key

receivable_invoices = Table(
    "receivable_invoices",
    metadata,
    Column("key", record_key(), primary_key=True),
    Column("customer_key", record_key()),
    Column("currency", Text),
    Column("rate", amount()),
    Column("invoiced_on", Date),
    Column("gross", amount()),
    Column("cancelled_on", Date),
    Column("numbers", ARRAY(Integer)),
    Column("due_on", ARRAY(Date)),
    Column("amounts", ARRAY(amount())),
    Column("open_amounts", ARRAY(amount())),
    Column("open_amount", amount(), nullable=False, server_default=text("0")),
    Column("open_items", Integer, nullable=False, server_default=text("0")),
    Column("last_change_on", Date),
    # Room for the payment: an update that stays on its page touches no index.
    postgresql_with={"fillfactor": 70},
)

receivable_cancellations = Table(
    "receivable_cancellations",
    metadata,
    Column("key", record_key(), primary_key=True),
    Column("invoice_key", record_key(), nullable=False, index=True),
    Column("cancelled_on", Date, nullable=False),
)

receivable_receipts = Table(
    "receivable_receipts",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("customer_key", record_key(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("rate", amount()),
    Column("amount", amount(), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("reversed_on", Date),
    Column("unallocated", amount(), nullable=False),
    Column("last_change_on", Date, nullable=False),
    PrimaryKeyConstraint("document", "key"),
)

receivable_allocations = Table(
    "receivable_allocations",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("invoice_key", record_key(), nullable=False, index=True),
    Column("instalment", Integer),
    Column("amount", amount(), nullable=False),
    Column("allocated_on", Date, nullable=False),
    Column("reversed_on", Date),
    Column("applied", amount(), nullable=False),
    PrimaryKeyConstraint("document", "key", "number"),
)

receivable_balances = Table(
    "receivable_balances",
    metadata,
    Column("customer_key", record_key(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("open_amount", amount(), nullable=False),
    Column("unallocated", amount(), nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer_key", "currency"),
    postgresql_with={"fillfactor": 50},
)
