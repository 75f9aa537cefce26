"""Records are read from any place on, whatever the lines look like."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.places import Place
from connectors.files.reading import Chunk, read_chunks
from connectors.files.units import SourcePathError, Unit, date_in_name, find_units
from connectors.mapping.keeping import row_digest
from connectors.mapping.values import NO_DATE, from_micros
from tests.connectors.sources import mapping

UTC = ZoneInfo("UTC")
STREAMS = mapping(
    """
streams:
  order: {from: "orders*.csv", key: no}
  line: {from: orders-lines, key: no}
  item: {from: items, key: no}
events:
- {emit: employee, from: order, key: no, fields: {name: name}}
"""
).streams


def unit(path: Path, kind: str = "csv") -> Unit:
    return Unit(path, path.name, STREAMS["order"], kind, NO_DATE)


def read(path: Path, kind: str = "csv", place: Place | None = None, final: bool = True) -> Chunk:
    whole = Chunk(place=place or Place())
    with path.open("rb") as file:
        file.seek(whole.place.offset)
        for chunk in read_chunks(file, unit(path, kind), whole.place, final):
            whole.rows += chunk.rows
            whole.broken += chunk.broken
            whole.place = chunk.place
    return whole


def test_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffno,name\r\n1,Ada\r\n".encode())
    assert read(path).rows == [(2, {"no": "1", "name": "Ada"})]


def test_quoted_field_may_hold_line_ends_quotes_and_delimiters(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('no,name\n1,"a\n""b"", c"\n2,x\n', encoding="utf-8")
    assert read(path).rows == [(2, {"no": "1", "name": 'a\n"b", c'}), (4, {"no": "2", "name": "x"})]


def test_quote_that_is_not_closed_costs_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    body = "".join(f"{number},x\n" for number in range(500))
    path.write_text(f'no,name\n9,"open\n{body}', encoding="utf-8")
    found = read(path)
    assert (len(found.rows), [line.number for line in found.broken]) == (500, [2])


def test_line_with_too_many_or_too_few_columns_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,name\n1\n\n2,a,b\n3,c\n", encoding="utf-8")
    found = read(path)
    assert [line.number for line in found.broken] == [2, 4]
    assert found.rows == [(5, {"no": "3", "name": "c"})]


def test_head_line_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,no\n1,2\n", encoding="utf-8")
    found = read(path)
    assert (found.rows, [line.code for line in found.broken]) == ([], ["broken_head"])


def test_json_number_keeps_the_text_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"no": 1, "net": 0.1000000000000000055}\n', encoding="utf-8")
    assert read(path, "jsonl").rows == [(1, {"no": 1, "net": "0.1000000000000000055"})]


def test_json_integer_of_any_length_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    long = "9" * 40
    path.write_text(f'{{"no": -12, "serial": {long}, "other": {2**63}}}\n')
    ((_, row),) = read(path, "jsonl").rows
    assert row == {"no": -12, "serial": long, "other": str(2**63)}
    assert row_digest(row)


@pytest.mark.parametrize(
    "line",
    [
        b'{"no": NaN}',
        b'{"no": "\\u0000"}',
        b'{"no": "\\ud800"}',
        b'{"no": 1',
        b"[1]",
        b'{"no": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_line_that_is_no_json_object_is_broken_and_the_next_is_read(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b'\n{"no": 2}\n')
    found = read(path, "jsonl")
    assert [one.number for one in found.broken] == [1]
    assert found.rows == [(2, {"no": 2})]


def test_nul_sign_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"no,name\n1,a\0b\n2,c\n")
    found = read(path)
    assert (len(found.broken), len(found.rows)) == (1, 1)


def test_open_record_at_the_end_is_read_again_as_a_whole_when_it_has_grown(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text('no,name\n1,a\n2,"b\nc"', encoding="utf-8")
    first = read(path)
    assert first.rows[-1] == (3, {"no": "2", "name": "b\nc"})
    assert (first.place.line, first.place.tail) == (3, path.stat().st_size)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 99), st.text(st.sampled_from('ab",;\n é中'), max_size=6)),
        max_size=12,
    ),
    cut=st.integers(0, 200),
)
def test_reading_in_two_parts_gives_what_reading_at_once_gives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], cut: int
) -> None:
    quoted = [f'{number},"{name.replace(chr(34), chr(34) * 2)}"\n' for number, name in rows]
    content = ("no,name\n" + "".join(quoted)).encode()
    path = tmp_path_factory.mktemp("parts") / "a.csv"
    path.write_bytes(content[:cut])
    first = read(path, final=False)
    path.write_bytes(content)
    second = read(path, place=first.place)
    at_once = read(path)
    assert first.broken + second.broken == at_once.broken == []
    assert first.rows + second.rows == at_once.rows


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("part-20251119-133433-51.jsonl", "2025-11-19T13:34:33+00:00"),
        ("orders_2026-02-03.csv", "2026-02-03T00:00:00+00:00"),
        ("orders-20261340.csv", None),
        ("orders-120251119.csv", None),
        ("orders.csv", None),
    ],
)
def test_date_of_a_file_is_the_one_in_its_name(name: str, stated: str | None) -> None:
    found = date_in_name(name, UTC)
    assert (found, stated) == (NO_DATE, None) or from_micros(found).isoformat() == stated


def test_files_meet_their_streams_by_name_and_folder(tmp_path: Path) -> None:
    for name in (
        "orders.csv",
        "orders-lines.csv",
        "sub/orders-2.csv",
        "items/part-1.jsonl",
        ".hidden/orders.csv",
        "orders-3.csv.part",
        "other.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [(one.name, one.stream.name) for one in find_units(str(tmp_path), STREAMS, UTC)]
    assert found == [
        ("orders.csv", "order"),
        ("sub/orders-2.csv", "order"),
        ("orders-lines.csv", "line"),
        ("items/part-1.jsonl", "item"),
    ]
    pattern = str(tmp_path / "orders-*.csv")
    assert [one.name for one in find_units(pattern, STREAMS, UTC)] == ["orders-lines.csv"]
    with pytest.raises(SourcePathError, match="no such file"):
        find_units(str(tmp_path / "nothing"), STREAMS, UTC)
