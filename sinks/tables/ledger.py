"""The ledger: positions, changes on their way out, and what was refused."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from sinks.tables.columns import instant, metadata, record_key

stream_offsets = Table(
    "stream_offsets",
    metadata,
    Column("group_name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("claimed_position", BigInteger, nullable=False),
    Column("deaths", Integer, nullable=False, server_default=text("0")),
    Column("marked_position", BigInteger),
    Column("marked_tries", Integer, nullable=False, server_default=text("0")),
    Column("updated_at", instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("group_name", "topic", "partition"),
)

source_freshness = Table(
    "source_freshness",
    metadata,
    Column("source", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("newest", instant(), nullable=False),
    Column("arrived_at", instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("source", "topic", "partition"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("key", record_key(), nullable=False),
)

published_views = Table(
    "published_views",
    metadata,
    Column("topic", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("topic", "key"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", instant(), nullable=False, server_default=text("now()")),
    Column("stage", Text, nullable=False),
    Column("document", Text),
    Column("topic", Text),
    Column("partition", Integer),
    Column("position", BigInteger),
    Column("place", Text),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("error", Text),
    Column("mapping", Text),
    Column("mapping_version", Text),
    Column("fingerprint", LargeBinary, nullable=False, unique=True),
    Column("replayed_at", instant()),
    # By a person, without a replay.
    Column("closed_at", instant()),
    # Of digests: the key of a refused record may be longer than a B-tree can hold.
    Index("dead_letters_by_key", "key", postgresql_using="hash"),
)
