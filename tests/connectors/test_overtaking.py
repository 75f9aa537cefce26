"""A replayed dead letter never undoes what its source has said since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.errors import ReplayError
from connectors.opening import open_door
from connectors.replay import replay_through
from hub.source_settings import FilesSource
from sinks import source_rows
from sinks.database import connect
from sinks.dead_letters import DeadLetter
from tests.connectors.sources import SampleSource, mapping, numbered_letters

pytestmark = pytest.mark.stack

Make = Callable[[str], SampleSource]

TIMELESS = """
streams: {customer: {from: "customers*.csv", key: no}}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, blocked: {map: {y: true, n: false}, of: state, otherwise: reject}}
"""
DATED = TIMELESS.replace("key: no}}", "key: no, changed: on, version: date}}", 1)
PRECISE = DATED.replace("version: date", "version: precise")
JOINED = """
streams:
  customer: {from: "customers*.csv", key: no}
  city: {from: "cities*.csv", key: code, encoding: utf-8}
events:
- emit: customer
  from: customer
  key: no
  lookup: {city: {in: city, on: {code: state}}}
  fields: {name: name, city: $city.name}
"""
HEAD = "no,name,state,on\n"
MENDED = ("y: true,", "y: true, x: true,")


@pytest.fixture
def make(database_url: str, tmp_path: Path) -> Make:
    def made(text: str) -> SampleSource:
        return SampleSource(database_url, tmp_path, mapping(text))

    return made


def replay(source: SampleSource, letter_id: int, letter: DeadLetter) -> tuple[int, int]:
    """How many documents were published, and how many refused."""
    settings = FilesSource(name="sample", path=str(source.folder), mapping="unused")
    with open_door(settings, source.mapping, source.log, source.database_url) as door:
        replay_through(door, source.reader(), letter_id, letter)
        return door.report.published, door.report.rejected


def mend(source: SampleSource, text: str) -> None:
    source.mapping = mapping(text.replace(*MENDED))


def names(source: SampleSource) -> list[tuple[int, str]]:
    return [(one["version"], one["name"]) for one in source.published()]


@pytest.mark.parametrize("text", [TIMELESS, DATED])
def test_record_that_was_mended_at_its_source_is_not_undone(make: Make, text: str) -> None:
    source = make(text)
    source.write("customers.csv", HEAD + "1,Old,x,2026-01-02\n")
    assert source.run().rejected == 1
    source.write("customers.csv", HEAD + "1,New,y,2026-01-02\n")
    assert source.run().published == 1
    before = names(source)
    mend(source, text)
    ((letter_id, letter),) = numbered_letters(source)
    with pytest.raises(ReplayError, match=f"superseded.*customer 1 .*close {letter_id}`"):
        replay(source, letter_id, letter)
    assert names(source) == before
    source.append("customers.csv", "2,Other,y,2026-01-02\n")
    assert source.run().published == 1


def test_record_that_came_after_what_stands_is_replayed(make: Make) -> None:
    source = make(TIMELESS)
    source.write("customers.csv", HEAD + "1,Old,y,\n")
    source.run()
    source.append("customers.csv", "1,New,x,\n")
    assert source.run().rejected == 1
    mend(source, TIMELESS)
    ((letter_id, letter),) = numbered_letters(source)
    assert replay(source, letter_id, letter) == (1, 0)
    assert names(source) == [(1, "Old"), (2, "New")]


def test_other_documents_that_came_since_hold_nothing_back(make: Make) -> None:
    source = make(TIMELESS)
    source.write("customers.csv", HEAD + "1,Old,x,\n")
    source.run()
    source.append("customers.csv", "2,New,y,\n")
    source.run()
    mend(source, TIMELESS)
    ((letter_id, letter),) = numbered_letters(source)
    assert replay(source, letter_id, letter) == (1, 0)


def test_several_letters_of_one_document_are_replayed_in_their_order(make: Make) -> None:
    source = make(TIMELESS)
    source.write("customers.csv", HEAD + "1,Old,x,\n1,New,x,\n")
    assert source.run().rejected == 2
    mend(source, TIMELESS)
    for letter_id, letter in numbered_letters(source):
        assert replay(source, letter_id, letter) == (1, 0)
    assert names(source) == [(1, "Old"), (2, "New")]


def test_letter_is_held_back_by_a_later_one_that_was_replayed(make: Make) -> None:
    source = make(TIMELESS)
    source.write("customers.csv", HEAD + "1,Old,x,\n1,New,x,\n")
    source.run()
    mend(source, TIMELESS)
    older, newer = numbered_letters(source)
    assert replay(source, *newer) == (1, 0)
    with pytest.raises(ReplayError, match="superseded"):
        replay(source, *older)


def test_what_was_read_in_the_same_step_counts_as_later(make: Make) -> None:
    source = make(TIMELESS)
    source.write("customers.csv", HEAD + "1,Old,x,\n1,New,y,\n")
    source.run()
    mend(source, TIMELESS)
    ((letter_id, letter),) = numbered_letters(source)
    with pytest.raises(ReplayError, match="superseded"):
        replay(source, letter_id, letter)


@pytest.mark.parametrize("text", [DATED, PRECISE])
def test_change_time_decides_where_there_is_one(make: Make, text: str) -> None:
    source = make(text)
    source.write("customers.csv", HEAD + "1,Old,x,2026-01-02\n2,New,x,2026-01-04\n")
    source.run()
    source.append("customers.csv", "1,New,y,2026-01-03\n2,Old,y,2026-01-03\n")
    source.run()
    mend(source, text)
    for letter_id, letter in numbered_letters(source):
        assert replay(source, letter_id, letter) == (1, 0)
    assert {one["name"] for one in source.standing().values()} == {"New"}


def joined(make: Make, mended_later: bool) -> SampleSource:
    """A city whose line could not be read, and perhaps another line of it that came later."""
    source = make(JOINED)
    source.write("customers.csv", HEAD + "1,Ada,C,\n")
    source.write("cities.csv", "code,name\nC,Köln\n", "cp1252")
    assert source.run().rejected >= 1
    if mended_later:
        source.write("cities-2.csv", "code,name\nC,Cologne\n")
        source.run()
    source.mapping = mapping(JOINED.replace("utf-8", "cp1252"))
    return source


def test_kept_row_that_came_since_is_not_replaced(make: Make) -> None:
    source = joined(make, mended_later=True)
    letter_id, letter = next(one for one in numbered_letters(source) if one[1].document is None)
    with pytest.raises(ReplayError, match="superseded: another content of city C "):
        replay(source, letter_id, letter)
    assert {one["city"] for one in source.standing().values()} == {"Cologne"}


def test_row_that_none_has_replaced_is_kept_and_counts_as_old_as_its_letter(make: Make) -> None:
    source = joined(make, mended_later=False)
    letter_id, letter = next(one for one in numbered_letters(source) if one[1].document is None)
    assert replay(source, letter_id, letter) == (1, 0)
    assert {one["city"] for one in source.standing().values()} == {"Köln"}
    with connect(source.database_url) as connection:
        stamp = connection.execute("SELECT after_letter FROM source_rows WHERE stream = 'city'")
        assert stamp.fetchall() == [(letter_id,)]


def test_row_that_has_gone_since_is_not_brought_back(make: Make) -> None:
    source = joined(make, mended_later=True)
    letter_id, letter = next(one for one in numbered_letters(source) if one[1].document is None)
    with connect(source.database_url) as connection:
        source_rows.mark_gone(connection, "sample", "city", ["C"])
    with pytest.raises(ReplayError, match="superseded"):
        replay(source, letter_id, letter)
