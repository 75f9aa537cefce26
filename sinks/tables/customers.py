"""Customers: identity (what each document adds to a customer stands with the facts)."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from sinks.tables.columns import instant, metadata, record_key

customer_records = Table(
    "customer_records",
    metadata,
    Column("key", record_key(), primary_key=True),
    Column("name", Text),
    Column("tax_id", Text),
    Column("same_as", ARRAY(record_key()), nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("customer_records_by_tax_id", "tax_id", postgresql_where=text("tax_id IS NOT NULL")),
    Index("customer_records_by_same_as", "same_as", postgresql_using="gin"),
)

customer_members = Table(
    "customer_members",
    metadata,
    Column("key", record_key(), primary_key=True),
    Column("hub_id", Uuid, nullable=False, index=True),
)

source_ranks = Table(
    "source_ranks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("rank", Integer, nullable=False),
)

customer_links = Table(
    "customer_links",
    metadata,
    Column("left_key", record_key(), nullable=False),
    Column("right_key", record_key(), nullable=False),
    Column("rule", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("refused", Text),
    Column("at", instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("left_key", "right_key", "rule"),
    Index("customer_links_by_right_key", "right_key"),
)
