"""The schema registry: schemas, the versions of each subject, and how they may change."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from sinks.tables.columns import instant, metadata, record_key

registry_schemas = Table(
    "registry_schemas",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, index=True),
    Column("normal_digest", LargeBinary, nullable=False, index=True),
)

registry_versions = Table(
    "registry_versions",
    metadata,
    Column("subject", record_key(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("schema_id", Integer, nullable=False, index=True),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("registered_at", instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("subject", "version"),
)

registry_settings = Table(
    "registry_settings",
    metadata,
    Column("subject", record_key(), primary_key=True),
    Column("compatibility", Text),
    Column("mode", Text),
)
