"""The one way to the database: SQLAlchemy's engine for reading, psycopg for batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url

MIGRATIONS = Path(__file__).parent / "migrations"

#: Below the rebalance timeout: a stopped worker must not keep rows from its successor.
LOCK_TIMEOUT_MS = 8_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 3_000

#: What the names of workers' sessions begin with.
WORKER_SESSION = "headrace-worker-"


def engine(url: str) -> Engine:
    """Return an engine on ``url`` (``postgresql+psycopg://…``) that checks its connections."""
    return create_engine(url, pool_pre_ping=True, pool_size=4)


def connect(url: str, *, name: str = "headrace") -> psycopg.Connection[Any]:
    """Open a psycopg connection with the timeouts that every writer of the hub keeps.

    ``name`` is what the server shows as the application's name.

    Raises:
        psycopg.OperationalError: the server does not answer or refuses.
    """
    address = make_url(url).set(drivername="postgresql")
    return psycopg.connect(
        address.render_as_string(hide_password=False),
        application_name=name,
        connect_timeout=5,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        options=(
            f"-c lock_timeout={LOCK_TIMEOUT_MS}"
            f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
            " -c jit=off -c timezone=UTC"
        ),
    )


def end_stuck_writers(connection: psycopg.Connection[Any]) -> None:
    """End sessions of workers that have kept the server waiting for a while in a transaction.

    A worker that was stopped holds rows that others want. The timeout of idle transactions ends
    its sessions, but not one that was stopped while it sent rows by COPY.
    """
    connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user
            AND application_name LIKE %s AND pid <> pg_backend_pid()
            AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
            AND state_change < now() - %s * interval '1 millisecond'
        """,
        (f"{WORKER_SESSION}%", IDLE_IN_TRANSACTION_TIMEOUT_MS),
    )


def migrate(url: str) -> None:
    """Bring the tables of the database at ``url`` to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, "head")
