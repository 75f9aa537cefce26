"""Opens a source's database for reading only, and says what to do where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from connectors.database.records import parse_json
from connectors.errors import SourceError

#: What a user installs; PostgreSQL and SQLite come with the hub.
_PACKAGES = {
    "mssql": ("pymssql", "mssql+pymssql://"),
    "mysql": ("PyMySQL", "mysql+pymysql://"),
    "mariadb": ("PyMySQL", "mariadb+pymysql://"),
    "oracle": ("oracledb", "oracle+oracledb://"),
}
#: Said to each new connection: nothing is written, and no statement goes on for ever.
_FIRST_WORDS = {
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET statement_timeout = {milliseconds}",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time={milliseconds}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time={seconds}"),
    "sqlite": ("PRAGMA query_only = ON",),
}
#: The server's clock in UTC.
_CLOCKS = {
    "postgresql": "SELECT clock_timestamp() AT TIME ZONE 'UTC'",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "mariadb": "SELECT UTC_TIMESTAMP(6)",
    "mssql": "SELECT SYSUTCDATETIME()",
    "oracle": "SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM DUAL",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}
_READS_JSON = ("postgresql", "mysql", "mariadb", "sqlite")


def open_engine(address: str, source: str, timeout_s: float) -> Engine:
    """An engine whose connections read only.

    Raises:
        SourceError: the address is none, or its driver is not installed.
    """
    try:
        url = make_url(address)
        backend = url.get_backend_name()
        options = {"json_deserializer": parse_json} if backend in _READS_JSON else {}
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    except ImportError as error:
        raise SourceError(f"{source}: {_missing_driver(make_url(address), error)}") from error
    except ArgumentError as error:
        raise SourceError(
            f"{source}: the url is no address of a database that SQLAlchemy knows, such as"
            " postgresql+psycopg://user:${PASSWORD}@host/database: "
            f"{str(error).replace(address, '***')}"
        ) from error
    words = [
        word.format(milliseconds=round(timeout_s * 1000), seconds=timeout_s)
        for word in _FIRST_WORDS.get(backend, ())
    ]

    @event.listens_for(engine, "connect")
    def _begin(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for word in words:
            cursor.execute(word)
        cursor.close()
        # The words hold for the session, whatever becomes of the transactions in it.
        connection.commit()

    return engine


def _missing_driver(url: URL, error: ImportError) -> str:
    package, prefix = _PACKAGES.get(url.get_backend_name(), (None, None))
    text = f"the driver of {url.drivername} is not installed ({error})"
    if package is None:
        return f"{text}: install the package {error.name!r} into the hub's environment"
    return (
        f"{text}: pip install {package} into the hub's environment, and begin the url with {prefix}"
    )


@contextmanager
def reading(engine: Engine, source: str, asker: str = "the mapping") -> Iterator[Connection]:
    """A connection, from which nothing is ever committed.

    Args:
        engine: of ``open_engine``.
        source: its name, for messages.
        asker: what says which tables and columns are read, for messages.

    Raises:
        SourceError: the database is not there, refuses the login, or failed in the middle.
    """
    if engine.dialect.name == "sqlite":
        _look_for_file(engine.url, source)
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise SourceError(
            f"{source}: no connection to {_address(engine.url)} ({_cause(error)}): check that the"
            " server runs, and host, port, database, user and password in the source's url"
        ) from error
    try:
        with connection:
            yield connection
    except OperationalError as error:
        cause = _cause(error)
        slow = "give the change column an index, or raise the source's 'timeout_seconds'; "
        raise SourceError(
            f"{source}: {_address(engine.url)} failed while it was read ({cause}):"
            f" {slow if 'timeout' in cause else ''}what was read before stays, and the next run"
            " goes on from there"
        ) from error
    except SQLAlchemyError as error:
        raise SourceError(
            f"{source}: {_address(engine.url)} refuses what {asker} asks for ({_cause(error)}):"
            f" compare {asker}'s tables and columns with the database, and give the user the right"
            " to read them"
        ) from error


def server_clock(connection: Connection) -> datetime | None:
    """What time it is at the database's server, in UTC; None where it is not known how to ask."""
    statement = _CLOCKS.get(connection.dialect.name)
    if statement is None:
        return None
    now = connection.execute(text(statement)).scalar_one()
    if isinstance(now, str):
        now = datetime.fromisoformat(now)
    assert isinstance(now, datetime)
    return now.replace(tzinfo=UTC)


def _look_for_file(url: URL, source: str) -> None:
    # SQLite would make an empty database where there is none.
    name = url.database
    if name and name != ":memory:" and not name.startswith("file:") and not Path(name).is_file():
        raise SourceError(f"{source}: there is no file {name}")


def _address(url: URL) -> str:
    return url.set(password=None, query={}).render_as_string()


def _cause(error: SQLAlchemyError) -> str:
    found = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(found).split())
