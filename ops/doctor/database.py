"""Looks at the hub's database: version, tables, rights, and its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from hub.clock import utc_now
from hub.settings import Settings
from ops.doctor.finding import Finding, failed, ok, unknown, warning
from ops.embedded.database import EmbeddedDatabase
from sinks.database import MIGRATIONS, connect

#: The first version whose RETURNING tells old and new values apart.
_OLDEST = 180_000
_APART_S = 2.0
_FAR_APART_S = 60.0
_START = "`headrace up` starts it; run `headrace doctor` beside it to have it looked at"


def running_database(settings: Settings) -> str | None:
    """Its address; None where it is the embedded one, and does not run."""
    if settings.database != "embedded":
        return settings.database
    if not settings.data.is_dir():
        return None
    server = EmbeddedDatabase(settings.data)
    ports = server.running_ports()
    return None if ports is None else server.url(ports)


def look_at_database(url: str | None, clock: Callable[[], datetime] = utc_now) -> Iterator[Finding]:
    """All about it; the last finding is not ok where its tables cannot be read.

    Args:
        url: its address; None where it does not run.
        clock: this machine's, against which the database's is held.
    """
    if url is None:
        yield unknown("database", "embedded, and does not run", _START)
        return
    try:
        connection = connect(url, name="headrace-doctor")
    except psycopg.Error as error:
        yield failed(
            "database",
            f"no connection: {str(error).strip()}",
            "start the server, and check host, port, user and password in database:"
            " (HEADRACE_DATABASE)",
        )
        return
    with connection:
        connection.autocommit = True
        try:
            yield from _look(connection, url, clock)
        except psycopg.Error as error:
            yield failed(
                "database",
                f"it breaks off: {str(error).strip()}",
                "name the owner of the hub's tables as the user in database:, and see the"
                " server's log",
            )


def _look(
    connection: psycopg.Connection[Any], url: str, clock: Callable[[], datetime]
) -> Iterator[Finding]:
    version = connection.info.server_version
    where = make_url(url).set(password=None).render_as_string().replace("+psycopg", "")
    said = f"PostgreSQL {version // 10_000}.{version % 10_000} at {where}"
    if version < _OLDEST:
        yield failed("database", said, f"use PostgreSQL {_OLDEST // 10_000} or newer")
        return
    size = _one(connection, "SELECT pg_size_pretty(pg_database_size(current_database()))")
    yield ok("database", f"{said}, {size}")
    yield _clock(connection, clock)
    yield _rights(connection)
    yield _tables(connection)


def _clock(connection: psycopg.Connection[Any], clock: Callable[[], datetime]) -> Finding:
    before = clock()
    theirs = _one(connection, "SELECT clock_timestamp()")
    after = clock()
    apart = (theirs - (before + (after - before) / 2)).total_seconds()
    said = f"{abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    do = "have both machines set their clocks by NTP: waiting and expiring go by the database's"
    if abs(apart) > _FAR_APART_S:
        return failed("clock of the database", said, do)
    if abs(apart) > _APART_S:
        return warning("clock of the database", said, do)
    return ok("clock of the database", said)


def _rights(connection: psycopg.Connection[Any]) -> Finding:
    part = "rights in the database"
    if _one(connection, "SELECT pg_is_in_recovery()"):
        return failed(part, "it is a standby, which takes no writes", "name the primary")
    may = _one(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')")
    user = _one(connection, "SELECT current_user")
    if may is not True:
        do = f"GRANT CREATE, USAGE ON SCHEMA public TO {user}"
        return failed(part, f"{user} may make no tables", do)
    return ok(part, f"{user} may make tables")


def _tables(connection: psycopg.Connection[Any]) -> Finding:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    part, do = "tables", "`headrace up` or `headrace prepare` brings them up to date"
    if _one(connection, "SELECT to_regclass('alembic_version')") is None:
        return warning(part, "not made yet", do)
    found = _one(connection, "SELECT version_num FROM alembic_version")
    if found != newest:
        return failed(part, f"at revision {found}, and this hub needs {newest}", do)
    return ok(part, f"at revision {found}")


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
