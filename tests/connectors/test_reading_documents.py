"""Documents, workbooks and packed files give their records, or say clearly why they do not."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.files.source import FilesReader
from connectors.mapping.model import SourceMapping
from connectors.portions import Broken
from tests.connectors.sources import mapping
from tests.connectors.workbooks import workbook


def options(text: str = "") -> SourceMapping:
    return mapping(
        f"streams: {{order: {{key: no, optional: [name]{', ' if text else ''}{text}}}}}\n"
        "events: [{emit: employee, from: order, key: no, fields: {name: name}}]\n"
    )


@dataclass
class Reading:
    """Reads a folder again and again, with the cursors that it left."""

    folder: Path
    mapping: SourceMapping
    most_inflated: int = 1 << 30
    states: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    broken_at: list[str] = field(default_factory=list)

    def read(self, *, final: bool = True) -> Reading:
        """One pass; what it found is what this object then holds."""
        self.rows, self.places, self.broken, self.broken_at = [], [], [], []
        reader = FilesReader(str(self.folder), self.mapping, "sample", self.most_inflated)
        for portion in reader.portions(dict(self.states), final):
            name = portion.origin.name
            self.rows += [row for _, row in portion.rows]
            self.places += [f"{name}:{number}" for number, _ in portion.rows]
            self.broken += portion.broken
            self.broken_at += [f"{name}:{one.number}" for one in portion.broken]
            if portion.state is not None:
                self.states[name] = portion.state
        return self

    @property
    def codes(self) -> list[str]:
        """Of what was refused."""
        return [one.code for one in self.broken]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def rows_of(folder: Path, name: str, content: bytes, text: str = "") -> Reading:
    (folder / name).write_bytes(content)
    return Reading(folder, options(text)).read()


def test_json_array_gives_its_objects_with_numbers_as_written(folder: Path) -> None:
    found = rows_of(folder, "a.json", b'\xef\xbb\xbf[ {"no": 1, "net": 0.10},\n{"no": 2}]\n')
    assert found.rows == [{"no": 1, "net": "0.10"}, {"no": 2}]
    assert found.places == ["a.json:1", "a.json:2"]
    assert found.read().rows == []


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('{"a": {"x": [1, "]"], "b": [{"no": 1}, {"no": 2}], "y": 3}, "z": {}}', "/a/b"),
        ('{"v": {"no": 9}, "value": [{"no": 1}, {"no": 2}]}', "/value"),
        ('{"b": [], "b~/c": [{"no": 1},{"no": 2}]}', "/b~0~1c"),
    ],
)
def test_json_list_within_objects_is_found_by_its_pointer(
    folder: Path, text: str, records: str
) -> None:
    found = rows_of(folder, "a.json", text.encode(), f"records: {records}")
    assert (found.rows, found.broken) == ([{"no": 1}, {"no": 2}], [])


@pytest.mark.parametrize("text", ['{"value": {"no": 1}}', '{"value": [{"no": 1}]}'])
def test_object_in_place_of_a_list_is_one_record(folder: Path, text: str) -> None:
    assert rows_of(folder, "a.json", text.encode(), "records: /value").rows == [{"no": 1}]


@pytest.mark.parametrize("text", ["[]", "[ ]\n", '{"value": []}', '{"value": null}'])
def test_empty_list_has_no_records_and_is_no_error(folder: Path, text: str) -> None:
    found = rows_of(folder, "a.json", text.encode(), "records: /value" if "v" in text else "")
    assert (found.rows, found.broken) == ([], [])


def test_list_that_is_not_there_is_named(folder: Path) -> None:
    found = rows_of(folder, "a.json", b'{"rows": {"a": []}}', "records: /rows/b")
    assert found.codes == ["no_records"]
    assert "/rows/b" in found.broken[0].reason


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (b'{"no": NaN}', "broken_json"),
        (b'{"no": Infinity}', "broken_json"),
        (b'{"no": "\\u0000"}', "broken_json"),
        (b'{"no": "\\ud800"}', "broken_json"),
        (b'{"no": 1 "a": 2}', "broken_json"),
        (b"7", "broken_json"),
        (b'"text"', "broken_json"),
        (b'{"no": "\xff\xfe"}', "undecodable"),
        (b'{"no":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
        (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
        (b'{"no": "' + b"x" * 10_000_000 + b'"}', "record_too_long"),
        (b'{"no": [' + b"12345678," * 1_200_000 + b"1]}", "record_too_long"),
        (b'{"no": ' + b"9" * 5_000 + b"}", None),
        (b'{"no": 1e400}', None),
    ],
)
def test_entry_of_a_json_list_that_is_no_record_does_not_hide_the_next(
    folder: Path, entry: bytes, code: str | None
) -> None:
    found = rows_of(folder, "a.json", b'[{"no": 0}, ' + entry + b', {"no": 2}]')
    assert found.codes == ([code] if code else [])
    assert found.rows[0] == {"no": 0}
    assert found.rows[-1] == {"no": 2}
    if code:
        assert found.broken_at == ["a.json:2"]
        assert found.broken[0].raw[:40] == entry[:40]


@pytest.mark.parametrize("line", [b'{"a":' * 300 + b"1" + b"}" * 300, b'{"a": ' + b"[" * 10_000])
def test_json_line_nested_deeper_than_a_record_may_be_is_refused(folder: Path, line: bytes) -> None:
    found = rows_of(folder, "a.jsonl", line + b'\n{"no": 2}\n')
    assert (found.codes, found.rows) == (["too_deep"], [{"no": 2}])


def test_json_in_gb18030_and_utf_16_is_read(folder: Path) -> None:
    text = '[{"no": "杭州泵业有限公司"}]'
    assert rows_of(folder, "a.json", text.encode("gb18030")).rows == [{"no": "杭州泵业有限公司"}]
    assert rows_of(folder, "a.json", text.encode("utf-16")).rows == [{"no": "杭州泵业有限公司"}]


ORDERS = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<ORDERS05 xmlns="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- two orders -->
  <IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>0001</DOCNUM></EDI_DC40>
    <E1EDK03><IDDAT>012</IDDAT><DATUM>20260102</DATUM></E1EDK03>
    <E1EDK03><IDDAT>002</IDDAT><DATUM>20260105</DATUM></E1EDK03>
    <NAME1>K\xf6ln &amp; S\xf6hne</NAME1><Amt Ccy="EUR"> 10.50 </Amt><NO/><NIL xsi:nil="true"/>
  </IDOC>
  <IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>0002</DOCNUM></EDI_DC40></IDOC>
</ORDERS05>
"""


@pytest.mark.parametrize("records", ["", "records: IDOC", "records: ORDERS05/IDOC"])
def test_xml_elements_become_nested_records(folder: Path, records: str) -> None:
    found = rows_of(folder, "a.xml", ORDERS, records)
    assert found.rows == [
        {
            "@BEGIN": "1",
            "EDI_DC40": {"@SEGMENT": "1", "DOCNUM": "0001"},
            "E1EDK03": [
                {"IDDAT": "012", "DATUM": "20260102"},
                {"IDDAT": "002", "DATUM": "20260105"},
            ],
            "NAME1": "Köln & Söhne",
            "Amt": {"@Ccy": "EUR", "#text": "10.50"},
            "NO": "",
            "NIL": None,
        },
        {"@BEGIN": "1", "EDI_DC40": {"@SEGMENT": "1", "DOCNUM": "0002"}},
    ]
    assert found.broken == []


def test_xml_path_from_the_outermost_element_is_the_whole_path(folder: Path) -> None:
    text = b"<a><r><no>1</no></r><b><r><no>2</no><r><no>3</no></r></r></b></a>"
    assert len(rows_of(folder, "a.xml", text, "records: r").rows) == 2
    (folder / "a.xml").unlink()
    found = rows_of(folder, "b.xml", text, "records: /a/b/r").rows
    assert found == [{"no": "2", "r": {"no": "3"}}]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (
            b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a><r>&y;</r></a>',
            "dtd_refused",
            "without <!DOCTYPE",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><r>&x;</r></a>',
            "dtd_refused",
            "without <!DOCTYPE",
        ),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a><r/></a>', "dtd_refused", "DTD"),
        (b"<a><r><no>1</no></r><r>", "damaged_file", "ends early"),
        (b"<a><r><no>1</no></r><r></x></a>", "damaged_file", "broken"),
        (b"<a><r><no>1</no></r><r>\xff</r></a>", "damaged_file", "broken"),
        (b"<a><r><no>1</no></r><r>\0</r></a>", "damaged_file", "broken"),
        (b"<a><r>&unknown;</r></a>", "damaged_file", "broken"),
        (b"", "damaged_file", "ends early"),
        (b"<a>" + b"<r>" * 9_999 + b"</r>" * 9_999 + b"</a>", "damaged_file", "depth"),
        (b"<a><r>" + b"x" * 10_100_000 + b"</r></a>", "damaged_file", "too long"),
        (
            b"<a><r>" + (b"<b>" + b"x" * 500 + b"</b>") * 34_000 + b"</r></a>",
            "record_too_long",
            "records",
        ),
        (b"<a><b/></a>", "no_records", "no element r"),
    ],
    ids=range(13),
)
def test_xml_that_cannot_be_read_says_why(folder: Path, text: bytes, code: str, says: str) -> None:
    found = rows_of(folder, "a.xml", text, "records: r")
    assert found.codes == [code]
    assert says in found.broken[0].reason
    assert found.rows == ([{"no": "1"}] if b"<no>1" in text else [])


_LAUGHS = "".join(
    f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' if n else '<!ENTITY e0 "ha">' for n in range(10)
)


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        (_LAUGHS, "<a><r>&e9;</r></a>"),
        (_LAUGHS, "<a><r b='&e9;'/></a>"),
        # The parser expands what stands in the outermost element before it tells of the DTD.
        (_LAUGHS, "<a b='&e9;'><r>&e9;</r></a>"),
        (f'<!ENTITY e "{"x" * 100_000}">', f"<a b='{'&e;' * 3_000}'><r/></a>"),
        ("<!ENTITY x '&y;'><!ENTITY y '&x;'>", "<a b='&x;'><r/></a>"),
        ("<!ENTITY % x '&#37;y;'><!ENTITY % y '&#37;x;'>%x;", "<a><r/></a>"),
        ("<!ENTITY x SYSTEM 'file:///etc/passwd'>", "<a b='&x;'><r/></a>"),
    ],
    ids=["text", "attribute", "first_attribute", "quadratic", "loop", "parameters", "external"],
)
def test_xml_bomb_is_refused_for_its_dtd(folder: Path, declared: str, body: str) -> None:
    found = rows_of(folder, "a.xml", f"<!DOCTYPE a [{declared}]>{body}".encode(), "records: r")
    assert (found.rows, found.codes) == ([], ["dtd_refused"])
    assert "DOCTYPE" in found.broken[0].reason


def test_deep_xml_record_is_refused_and_the_next_is_read(folder: Path) -> None:
    deep = b"<b>" * 150 + b"</b>" * 150
    found = rows_of(folder, "a.xml", b"<a><r>" + deep + b"</r><r><no>2</no></r></a>")
    assert (found.codes, found.rows) == (["too_deep"], [{"no": "2"}])


def test_workbook_gives_texts_as_they_are_meant(folder: Path) -> None:
    book = workbook(
        {
            "Notes": [["nothing here"]],
            "Orders": [
                ["no", "day", "at", "net", "qty", "paid", "", "name"],
                [1, ("day", 45660), ("instant", 45660.5), 0.1 + 0.2, 12.0, True, None, "Ö & Co"],
                [],
                [2, None, None, 1234567.89, -3, False, None, " x "],
            ],
        }
    )
    for sheet in ("Orders", "2"):
        found = rows_of(folder, "a.xlsx", book, f"sheet: {sheet}")
        assert found.rows == [
            {
                "no": "1",
                "day": "2025-01-03",
                "at": "2025-01-03T12:00:00",
                "net": "0.3",
                "qty": "12",
                "paid": "true",
                "name": "Ö & Co",
            },
            {
                "no": "2",
                "day": "",
                "at": "",
                "net": "1234567.89",
                "qty": "-3",
                "paid": "false",
                "name": " x ",
            },
        ]
        assert found.places == ["a.xlsx:2", "a.xlsx:4"]
        (folder / "a.xlsx").unlink()


def test_head_row_of_a_workbook_may_be_named(folder: Path) -> None:
    book = workbook({"A": [["Report of 2026"], ["no", "name"], [1, "Ada"]]})
    assert rows_of(folder, "a.xlsx", book, "head_row: 2").rows == [{"no": "1", "name": "Ada"}]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["no", "no"], [1, 2]], ["broken_head"]),
        ([["no", "name"], [1, "a", "beyond"], [2, "b"]], ["broken_row"]),
        ([["no", "name"]], []),
        ([[]], []),
    ],
)
def test_rows_that_do_not_fit_the_head_are_refused(
    folder: Path, rows: list[list[Any]], code: list[str]
) -> None:
    assert rows_of(folder, "a.xlsx", workbook({"A": rows})).codes == code


def test_sheet_that_is_not_there_is_said_with_those_that_are(folder: Path) -> None:
    found = rows_of(folder, "a.xlsx", workbook({"A": [["no"]], "B": []}), "sheet: C")
    assert found.codes == ["no_sheet"]
    assert "A, B" in found.broken[0].reason


def test_sheet_with_a_cell_at_its_far_end_is_refused(folder: Path) -> None:
    book = workbook({"A": [["no"], [1]]}, cell=("XFD", 1_048_576))
    found = rows_of(folder, "a.xlsx", book)
    assert found.codes == ["too_large_inflated"]
    assert "far outside" in found.broken[0].reason


def damaged(book: bytes) -> Iterator[bytes]:
    yield book[:200]
    yield book[: len(book) // 2] + b"\xff" * 40 + book[len(book) // 2 + 40 :]
    yield b"no workbook at all"
    yield b""


@pytest.mark.parametrize("which", range(4))
def test_damaged_workbook_is_a_dead_letter_and_the_next_file_is_read(
    folder: Path, which: int
) -> None:
    book = workbook({"A": [["no"], *[[number] for number in range(500)]]})
    (folder / "b.csv").write_text("no\n1\n")
    found = rows_of(folder, "a.xlsx", list(damaged(book))[which])
    assert found.codes == ["damaged_file"]
    assert {"no": "1"} in found.rows


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_each_file_in_a_zip_is_a_file(folder: Path) -> None:
    content = {"x/orders-1.csv": b"no,name\n1,a\n", "orders-2.jsonl": b'{"no": 2}\n', "a.md": b""}
    found = rows_of(folder, "a.zip", zipped(content))
    assert found.places == ["a.zip/orders-2.jsonl:1", "a.zip/x/orders-1.csv:2"]
    assert (found.broken, found.read().rows) == ([], [])


def test_stream_is_found_by_the_name_within_a_zip(folder: Path) -> None:
    content = {"orders.csv": b"no,name\n1,a\n", "other.csv": b"no,name\n2,b\n"}
    assert rows_of(folder, "a.zip", zipped(content), "from: orders").rows[0]["no"] == "1"
    assert len(rows_of(folder, "a.zip", zipped(content), "from: a").rows) == 2


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\e.csv"])
def test_name_that_leads_out_of_an_archive_is_refused(folder: Path, name: str) -> None:
    found = rows_of(folder, "a.zip", zipped({name: b"no\n1\n", "good.csv": b"no\n2\n"}))
    assert (found.codes, found.rows) == (["unsafe_name"], [{"no": "2"}])


@pytest.mark.parametrize("name", ["inner.zip", "inner.csv.gz", "inner.xlsx", "inner.tar"])
def test_archive_in_an_archive_is_refused(folder: Path, name: str) -> None:
    found = rows_of(folder, "a.zip", zipped({name: b"x", "good.csv": b"no\n2\n"}))
    assert (found.codes, found.rows) == (["nested_archive"], [{"no": "2"}])


def test_archive_in_a_gz_is_refused(folder: Path) -> None:
    assert rows_of(folder, "b.tar.gz", gzip.compress(b"x")).codes == ["nested_archive"]


@pytest.mark.parametrize("kind", ["gz", "zip", "xlsx", "json.gz"])
def test_bomb_is_refused(folder: Path, kind: str) -> None:
    text = b"no,name\n" + b"1,a\n" * 12_000_000
    if kind == "json.gz":
        text = b'{"x": "' + b" " * 50_000_000
    packed = gzip.compress(text) if "gz" in kind else zipped({"a.csv": text})
    if kind == "xlsx":
        packed = zipped({"xl/worksheets/sheet1.xml": text})
    name = "a.csv.gz" if kind == "gz" else f"a.{kind}"
    assert rows_of(folder, name, packed).codes == ["too_large_inflated"]


def test_limit_of_inflated_bytes_is_the_sources(folder: Path) -> None:
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"no,name\n" + b"1,a\n" * 1_000))
    found = Reading(folder, options(), most_inflated=2_000).read()
    assert found.codes == ["too_large_inflated"]
    assert "most_inflated" in found.broken[0].reason
    assert len(Reading(folder, options(), most_inflated=5_000).read().rows) == 1_000


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_damage_within_a_packed_file_is_said_once_and_nothing_of_it_is_trusted(
    folder: Path, kind: str
) -> None:
    lines = b"".join(b"%d,%d\n" % (number, number * 7919 % 1000) for number in range(20_000))
    text = b"no,name\n" + lines
    packed = gzip.compress(text) if kind == "gz" else zipped({"a.csv": text})
    middle = len(packed) // 2
    spoilt = packed[:middle] + bytes(40) + packed[middle + 40 :]
    found = rows_of(folder, f"a.csv.{kind}" if kind == "gz" else "a.zip", spoilt)
    assert (found.codes, found.rows) == (["damaged_file"], [])
    assert found.read().broken == []


def test_what_stands_before_the_end_of_a_truncated_gz_is_read(folder: Path) -> None:
    lines = b"".join(b"%d,%d\n" % (number, number * 7919 % 1000) for number in range(20_000))
    packed = gzip.compress(b"no,name\n" + lines)
    (folder / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    reading = Reading(folder, options())
    assert (reading.read(final=False).rows, reading.broken) == ([], [])
    found = reading.read()
    assert found.codes == ["damaged_file"]
    assert [row["no"] for row in found.rows] == [str(number) for number in range(len(found.rows))]
    assert 5_000 < len(found.rows) < 15_000


def test_encrypted_member_is_refused(folder: Path) -> None:
    packed = bytearray(zipped({"a.csv": b"no\n1\n"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + offset] |= 1
    assert rows_of(folder, "a.zip", bytes(packed)).codes == ["encrypted"]


WHOLE = {
    "a.json": b'[{"no": 1}, {"no": 2}]',
    "a.xml": b"<a><r><no>1</no></r><r><no>2</no></r></a>",
    "a.xlsx": workbook({"A": [["no"], [1], [2]]}),
    "a.csv.gz": gzip.compress(b"no,name\n1,a\n2,b\n"),
    "a.zip": zipped({"a.csv": b"no,name\n1,a\n2,b\n"}),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_file_still_being_written_is_left_while_following_and_read_once_it_is_whole(
    folder: Path, name: str, share: float
) -> None:
    whole = WHOLE[name]
    reading = Reading(folder, options())
    (folder / name).write_bytes(whole[: int(len(whole) * share)])
    assert reading.read(final=False).broken == []
    assert reading.read(final=False).rows == []
    (folder / name).write_bytes(whole)
    found = reading.read(final=False)
    assert ([str(row["no"]) for row in found.rows], found.broken) == (["1", "2"], [])
    assert reading.read(final=False).rows == []


@pytest.mark.parametrize("name", WHOLE)
def test_truncated_file_is_a_dead_letter_at_a_bounded_read_until_it_has_changed(
    folder: Path, name: str
) -> None:
    whole = WHOLE[name]
    reading = Reading(folder, options())
    (folder / name).write_bytes(whole[:-3] if name != "a.xlsx" else whole[:-60])
    reading.read(final=False)
    found = reading.read()
    assert found.codes == ["damaged_file"]
    assert "again" in found.broken[0].reason
    assert reading.read().broken == []
    (folder / name).write_bytes(whole)
    assert [str(row["no"]) for row in reading.read().rows] == ["1", "2"]


def test_reading_goes_on_behind_the_record_that_was_taken_last(folder: Path) -> None:
    text = b"[" + b",".join(b'{"no": %d}' % number for number in range(5_000)) + b"]"
    (folder / "a.json").write_bytes(text)
    reader = FilesReader(str(folder), options(), "sample")
    first = next(iter(reader.portions({}, True)))
    assert first.state is not None
    rest = Reading(folder, options(), states={"a.json": first.state}).read()
    numbers = [row["no"] for _, row in first.rows] + [row["no"] for row in rest.rows]
    assert numbers == list(range(5_000))


def test_file_that_is_only_touched_is_not_read_again(folder: Path) -> None:
    reading = rows_of(folder, "a.json", WHOLE["a.json"])
    (folder / "a.json").write_bytes(WHOLE["a.json"])
    assert reading.read().rows == []
    (folder / "a.json").write_bytes(b'[{"no": 1}, {"no": 2}, {"no": 3}]')
    assert len(reading.read().rows) == 3


def test_lines_in_utf_16_are_read(folder: Path) -> None:
    text = "no\tname\r\n1\tÄda 杭州\r\n2\tB"
    reading = Reading(folder, options())
    (folder / "a.txt").write_bytes(text.encode("utf-16"))
    assert reading.read(final=False).rows == [{"no": "1", "name": "Äda 杭州"}]
    assert reading.read().rows == [{"no": "2", "name": "B"}]


def test_json_lines_named_json_are_told_their_format(folder: Path) -> None:
    found = rows_of(folder, "a.json", b'{"no": 1}\n{"no": 2}\n')
    assert found.codes == ["damaged_file"]
    assert "jsonl" in found.broken[0].reason
    assert len(rows_of(folder, "a.json", b'{"no": 1}\n{"no": 2}\n', "format: jsonl").rows) == 2
