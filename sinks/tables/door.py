"""The HTTP door: who may call it, and what it answered."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from sinks.tables.columns import instant, metadata

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # The sources that it may publish for; null: any.
    Column("sources", ARRAY(Text)),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    Column("revoked_at", instant()),
    Index("api_tokens_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("owner", Integer, nullable=False),
    Column("begun_at", instant(), nullable=False, server_default=text("now()"), index=True),
    Column("status", Integer),
    Column("answer", LargeBinary),
    # What became of the events of the shares that were taken, until all of them were.
    Column("taken", LargeBinary),
    PrimaryKeyConstraint("caller", "key"),
)
