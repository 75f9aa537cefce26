"""The doctor sees a database that is away, refuses, or has another clock, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import make_url

from hub.clock import utc_now
from ops.doctor.database import look_at_database
from ops.doctor.finding import Finding, State
from sinks.database import connect

pytestmark = pytest.mark.stack

CLOCK = "clock of the database"


def found(url: str, part: str, behind: timedelta = timedelta()) -> Finding:
    """The last finding on one part, with a clock here that is ``behind``."""

    def clock() -> datetime:
        return utc_now() - behind

    return [one for one in look_at_database(url, clock) if one.part == part][-1]


def altered(url: str, **parts: Any) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


@pytest.fixture
def reader_url(database_url: str, topic_prefix: str) -> Iterator[str]:
    """The hub's database for a user who owns nothing there."""
    user = sql.Identifier(topic_prefix)
    with connect(database_url) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'geheim'").format(user))
    yield altered(database_url, username=topic_prefix, password="geheim")
    with connect(database_url) as owner:
        owner.execute(sql.SQL("DROP ROLE {}").format(user))


def test_migrated_database_is_well(database_url: str) -> None:
    findings = list(look_at_database(database_url))
    assert [one.state for one in findings] == [State.OK] * 4
    assert findings[-1].part == "tables"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"port": 1}, "refused"),
        ({"password": "geheim"}, "password authentication failed"),
        ({"database": "nothing_here"}, '"nothing_here" does not exist'),
    ],
)
def test_database_that_cannot_be_reached_is_told_with_what_to_check(
    database_url: str, wrong: dict[str, Any], said: str
) -> None:
    url = altered(database_url, **wrong)
    (finding,) = look_at_database(url)
    assert (finding.part, finding.state) == ("database", State.FAILED)
    assert finding.found.startswith("no connection: ") and said in finding.found
    assert "start the server, and check host, port, user and password" in finding.do
    assert str(make_url(url).password) not in finding.found


@pytest.mark.parametrize(
    ("seconds", "state", "said"),
    [
        (0.0, State.OK, "0."),
        (10.0, State.WARNING, "10."),
        (90.0, State.FAILED, "90."),
    ],
)
@pytest.mark.parametrize(("side", "word"), [(1, "ahead of"), (-1, "behind")])
def test_clock_of_the_database_is_held_against_this_machines(
    database_url: str, seconds: float, state: State, said: str, side: int, word: str
) -> None:
    # Of a clock that is right, who is ahead is a matter of microseconds.
    finding = found(database_url, CLOCK, timedelta(seconds=side * (seconds + 0.05)))
    assert (finding.state, finding.found.startswith(said)) == (state, True)
    assert f"s {word} this machine's" in finding.found
    assert ("NTP" in finding.do) == (state != State.OK)


def test_user_who_may_make_no_tables_is_told_what_to_grant(reader_url: str) -> None:
    finding = found(reader_url, "rights in the database")
    assert (finding.state, "may make no tables" in finding.found) == (State.FAILED, True)
    assert finding.do.startswith("GRANT CREATE, USAGE ON SCHEMA public TO ")


def test_tables_that_the_user_may_not_read_are_no_lost_connection(reader_url: str) -> None:
    last = list(look_at_database(reader_url))[-1]
    assert (last.part, last.state) == ("database", State.FAILED)
    assert "permission denied" in last.found and "no connection" not in last.found
    assert "owner of the hub's tables" in last.do


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ("DROP TABLE alembic_version", State.WARNING, "not made yet"),
        ("UPDATE alembic_version SET version_num = 'old'", State.FAILED, "at revision old"),
    ],
)
def test_tables_that_are_missing_or_of_another_revision_are_told(
    database_url: str, change: str, state: State, said: str
) -> None:
    with connect(database_url) as connection:
        connection.execute(change.encode())
    finding = found(database_url, "tables")
    assert (finding.state, said in finding.found) == (state, True)
    assert "headrace prepare" in finding.do
