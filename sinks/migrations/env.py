"""Alembic's entry: runs the migrations on the database that the caller names."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

from schemas.versions import contracts
from sinks.registry.rows import lay_in
from sinks.tables import metadata

#: One hub migrates at a time; the number is only a name for the lock.
MIGRATION_LOCK = 7_206_501


def run() -> None:
    url = context.config.attributes["url"]
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
            lay_in(connection, contracts())
        connection.commit()


run()
