"""Connectors: how far each source was read, and what waits for its other parts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from sinks.tables.columns import instant, metadata, record_key

source_cursors = Table(
    "source_cursors",
    metadata,
    Column("source", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("updated_at", instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("source", "unit"),
)

source_rows = Table(
    "source_rows",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("row_key", record_key(), nullable=False),
    Column("change_date", Text, nullable=False),
    Column("digests", JSONB, nullable=False),
    Column("row", JSONB, nullable=False),
    Column("place", Text, nullable=False),
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    # The newest dead letter when the row came: those after it may stand over it.
    Column("after_letter", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("source", "stream", "row_key"),
)

source_row_links = Table(
    "source_row_links",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("row_key", record_key(), nullable=False),
    Column("join_name", Text, nullable=False),
    Column("join_key", record_key(), nullable=False),
    PrimaryKeyConstraint("source", "stream", "row_key", "join_name"),
    Index("source_row_links_by_join_key", "source", "stream", "join_name", "join_key"),
)

source_versions = Table(
    "source_versions",
    metadata,
    Column("source", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("change_date", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    # The newest dead letter when the content came: those after it may stand over it.
    Column("after_letter", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("source", "document", "key", "change_date", "digest"),
)

source_waiting = Table(
    "source_waiting",
    metadata,
    Column("source", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("row_key", record_key(), nullable=False),
    Column("since", instant(), nullable=False, server_default=text("now()")),
    Column("missing", Text, nullable=False),
    PrimaryKeyConstraint("source", "document", "row_key"),
)

#: Rows of a database that are read again for a while, to find what was committed late.
source_recent = Table(
    "source_recent",
    metadata,
    Column("source", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("position", Numeric(38)),
    PrimaryKeyConstraint("source", "unit", "digest"),
    Index("source_recent_by_position", "source", "unit", "position"),
)

#: What backfills brought themselves, over which their later contents may stand.
backfilled_contents = Table(
    "backfilled_contents",
    metadata,
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("mark", Text, nullable=False),
    PrimaryKeyConstraint("source", "kind", "key"),
)
