"""The migrations make what the metadata says, and nothing else."""

from __future__ import annotations

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from sinks.database import engine
from sinks.tables import metadata


def test_a_migrated_database_is_what_the_metadata_says(database_url: str) -> None:
    database = engine(database_url)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.dispose()


def test_hubs_that_migrate_at_once_take_turns_and_change_nothing_again(database_url: str) -> None:
    code = "import sys; from sinks.database import migrate; migrate(sys.argv[1])"
    hubs = [subprocess.Popen([sys.executable, "-c", code, database_url]) for _ in range(2)]
    assert [hub.wait(timeout=60) for hub in hubs] == [0, 0]
    database = engine(database_url)
    assert set(metadata.tables) < set(inspect(database).get_table_names())
    database.dispose()


def test_every_view_for_readers_says_what_it_holds(database_url: str) -> None:
    database = engine(database_url)
    found = inspect(database)
    views = found.get_view_names("reporting")
    assert {"customers", "receivables", "open_items", "demand", "dead_letters"} <= set(views)
    for view in views:
        assert found.get_table_comment(view, "reporting")["text"], view
    database.dispose()
