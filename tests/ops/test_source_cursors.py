"""An instant by which a cursor is set means the same as one that was read from the source."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.database.positions import position_of, scale_of
from hub.source_settings import DatabaseSource, RestSource
from ops.source_cursors import set_cursors
from sinks import cursors
from sinks.database import connect
from tests.connectors.sources import mapping

pytestmark = pytest.mark.stack

STREAM = "streams: {{customer: {{key: id, {}}}}}\n"
EVENTS = "events: [{emit: customer, from: customer, key: id, fields: {name: name}}]\n"


def state_after(database_url: str, source: Any, text: str, known: dict[str, Any]) -> dict[str, Any]:
    """The state of the customers' cursor once it was set to midnight in Shanghai."""
    with connect(database_url) as connection:
        cursors.save_cursors(connection, source.name, {"customer": known})
    made = mapping(f"defaults: {{tz: Asia/Shanghai}}\n{text}{EVENTS}")
    set_cursors(database_url, source, made, {"customer": "2026-01-30T16:00:00Z"})
    with connect(database_url) as connection:
        (cursor,) = cursors.cursors_of(connection, source.name)
    return dict(cursor.state)


@pytest.mark.parametrize(
    "value",
    [
        datetime.fromisoformat("2026-01-31"),
        datetime(2026, 1, 30, 16, tzinfo=UTC),
        date(2026, 1, 31),
        "2026-01-31 00:00:00",
    ],
    ids=["local", "instant", "day", "text"],
)
def test_position_of_a_table_is_that_of_a_row_of_the_instant(database_url: str, value: Any) -> None:
    source = DatabaseSource(kind="database", name="sample", url="sqlite://", mapping="unused")
    known = {"position": 1, "floor": 1, "scale": scale_of(value).as_state()}
    text = STREAM.format("from: customer, table: {changed: at}")
    state = state_after(database_url, source, text, known)
    assert (state["position"], state["floor"]) == (position_of(value), position_of(value))


@pytest.mark.parametrize(
    ("read", "changed"),
    [
        ("{api: frappe, resource: Customer}", "2026-01-31T00:00:00+00:00"),
        ("{api: odoo, resource: res.partner}", "2026-01-30T16:00:00+00:00"),
    ],
)
def test_instant_of_an_api_is_written_as_its_records_write_it(
    database_url: str, read: str, changed: str
) -> None:
    source = RestSource(name="sample", kind="rest", url="http://127.0.0.1", mapping="unused")
    known: dict[str, Any] = {"changed": None, "known": [], "link": None}
    state = state_after(database_url, source, STREAM.format(f"read: {read}"), known)
    assert state["changed"] == changed
