"""Files that grow, are renamed and replaced: each record is read once, whenever one looks."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.dialects import find_delimiter, find_encoding
from connectors.files.queue_log import COLUMNS
from tests.connectors.test_reading_documents import Reading, options

TEXTS = st.text(st.sampled_from("ab,\"; é中'"), max_size=6)
LINES = st.lists(st.tuples(st.integers(0, 99), TEXTS), max_size=12)
CUTS = st.lists(st.floats(0, 1), max_size=5)


def in_parts(reading: Reading, name: str, content: bytes, cuts: list[float]) -> list[str]:
    """Write a file bit by bit and follow it; the places of its records, then those at its end."""
    path = reading.folder / name
    places: list[str] = []
    names: list[str] = []
    written = 0
    for cut in sorted(int(share * len(content)) for share in cuts):
        with path.open("ab") as file:
            file.write(content[written:cut])
        written = cut
        reading.read(final=False)
        places += reading.places
        names += [str(row) for row in reading.rows]
        assert reading.broken == []
    with path.open("ab") as file:
        file.write(content[written:])
    reading.read()
    assert reading.broken == []
    assert len(set(places + reading.places)) == len(places + reading.places)
    return names + [str(row) for row in reading.rows]


@given(rows=LINES, cuts=CUTS, ending=st.sampled_from(["\n", "\r\n"]), whole=st.booleans())
def test_csv_that_grows_gives_each_record_once(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str]],
    cuts: list[float],
    ending: str,
    whole: bool,
) -> None:
    quoted = [f'{number},"{name.replace(chr(34), chr(34) * 2)}"' for number, name in rows]
    text = ending.join(["no,name", *quoted]) + (ending if whole else "")
    reading = Reading(tmp_path_factory.mktemp("csv"), options())
    found = in_parts(reading, "a.csv", text.encode(), cuts)
    assert found == [str({"no": str(number), "name": name}) for number, name in rows]


@given(rows=LINES, cuts=CUTS)
def test_queue_log_that_grows_gives_each_record_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], cuts: list[float]
) -> None:
    text = "".join(f"{number}|call|sales|NONE|ENTERQUEUE||{name}\n" for number, name in rows)
    reading = Reading(tmp_path_factory.mktemp("log"), options())
    found = in_parts(reading, "queue_log", text.encode(), cuts)
    expected = [
        [str(number), "call", "sales", "NONE", "ENTERQUEUE", "", name, "", "", "", ""]
        for number, name in rows
    ]
    assert found == [str(dict(zip(COLUMNS, fields, strict=True))) for fields in expected]


@given(rows=LINES, cuts=CUTS)
def test_gz_that_is_still_being_written_gives_its_records_once_it_is_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], cuts: list[float]
) -> None:
    text = "no,name\n" + "".join(f"{number},x\n" for number, _ in rows)
    reading = Reading(tmp_path_factory.mktemp("gz"), options())
    found = in_parts(reading, "a.csv.gz", gzip.compress(text.encode()), cuts)
    assert found == [str({"no": str(number), "name": "x"}) for number, _ in rows]


def logged(*numbers: int) -> str:
    return "".join(f"{number}|call|sales|NONE|CONNECT|5\n" for number in numbers)


def times(reading: Reading, *, final: bool = False) -> list[str]:
    return [row["time"] for row in reading.read(final=final).rows]


@pytest.mark.parametrize("pattern", ["queue_log", '"queue_log*"'])
def test_rest_of_a_rotated_file_is_read_before_the_new_one(tmp_path: Path, pattern: str) -> None:
    path, old = tmp_path / "queue_log", tmp_path / "queue_log.1"
    reading = Reading(tmp_path, options(f"from: {pattern}"))
    path.write_text(logged(1, 2))
    assert times(reading) == ["1", "2"]
    with path.open("a") as file:
        file.write(logged(3) + "4|call|sa")
    path.rename(old)
    path.write_text(logged(5))
    assert sorted(times(reading)) == ["3", "5"]
    # The old one is written to until the program opens the new one.
    with old.open("a") as file:
        file.write("les|NONE|CONNECT|5\n" + logged(6))
    with path.open("a") as file:
        file.write(logged(7))
    assert sorted(times(reading)) == ["4", "6", "7"]
    assert times(reading, final=True) == []


def test_rest_of_a_file_that_was_rotated_out_of_the_source_is_read(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    reading = Reading(path, options())
    path.write_text(logged(1))
    assert times(reading) == ["1"]
    with path.open("a") as file:
        file.write(logged(2))
    path.rename(tmp_path / "queue_log-20260102")
    path.write_text(logged(3))
    assert times(reading) == ["2", "3"]
    path.rename(tmp_path / "queue_log-20260103")
    path.write_text(logged(4))
    assert times(reading) == ["4"]
    assert times(reading, final=True) == []


def test_reading_a_rotated_file_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    reading = Reading(path, options())
    path.write_text(logged(1))
    reading.read(final=False)
    with path.open("a") as file:
        file.write(logged(2))
    path.rename(tmp_path / "queue_log.1")
    path.write_text(logged(3))
    before = dict(reading.states)
    reading.read(final=False)
    # Killed after the rest was taken and before the new file was.
    reading.states = before | {"queue_log.1": reading.states["queue_log.1"]}
    assert times(reading) == ["3"]


def test_renamed_file_is_not_read_again_once_another_one_has_its_name(tmp_path: Path) -> None:
    reading = Reading(tmp_path, options())
    (tmp_path / "a.csv").write_text("no,name\n1,x\n")
    reading.read(final=False)
    (tmp_path / "a.csv").rename(tmp_path / "a-1.csv")
    (tmp_path / "a.csv").write_text("no,name\n2,x\n")
    assert reading.read(final=False).places == ["a.csv:2"]
    assert reading.read(final=False).places == []
    assert reading.read().places == []


def test_renamed_file_of_the_source_is_not_read_again(tmp_path: Path) -> None:
    reading = Reading(tmp_path, options())
    (tmp_path / "a.csv").write_text("no,name\n1,a\n")
    assert len(reading.read().rows) == 1
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    with (tmp_path / "b.csv").open("a") as file:
        file.write("2,b\n")
    assert reading.read().rows == [{"no": "2", "name": "b"}]


def test_file_that_was_cut_and_written_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    reading = Reading(tmp_path, options())
    path.write_text(logged(1, 2, 3))
    assert times(reading) == ["1", "2", "3"]
    path.write_text(logged(4))
    assert times(reading) == ["4"]


def test_link_that_leads_nowhere_does_not_hide_the_rest_of_a_rotated_file(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    reading = Reading(path, options())
    for number in range(20):
        (tmp_path / f"current.{number}").symlink_to("taken-away")
    path.write_text(logged(1))
    assert times(reading) == ["1"]
    with path.open("a") as file:
        file.write(logged(2))
    path.rename(tmp_path / "queue_log.1")
    path.write_text(logged(3))
    assert times(reading) == ["2", "3"]


def customers(*cities: str) -> str:
    return "no,name\n" + "".join(f"{no:05},{city}\n" for no, city in enumerate(cities))


def test_change_in_the_middle_of_a_file_that_grew_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    reading = Reading(tmp_path, options())
    cities = ["Ulm"] * 100_000
    path.write_text(customers(*cities))
    assert len(reading.read(final=False).rows) == 100_000
    cities[50_000] = "Hof"
    path.write_text(customers(*cities, "Bonn"))
    found = reading.read(final=False).rows
    assert len(found) == 100_001
    assert {"no": "50000", "name": "Hof"} in found
    assert reading.read().rows == []


def test_file_that_only_grew_is_read_from_its_place_though_it_is_large(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    reading = Reading(tmp_path, options())
    path.write_text(customers(*["Ulm" * 50_000] * 300))
    assert len(reading.read(final=False).rows) == 300
    with path.open("a") as file:
        file.write("00300,Bonn\n00301,Ki")
    assert reading.read(final=False).places == ["a.csv:302"]
    with path.open("a") as file:
        file.write("el\n")
    assert reading.read(final=False).rows == [{"no": "00301", "name": "Kiel"}]


def test_cursor_of_an_earlier_version_is_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    reading = Reading(tmp_path, options())
    path.write_text(customers(*["Ulm"] * 1_000))
    reading.read(final=False)
    # It held the digest of the first 4 KiB only.
    first = hashlib.sha256(path.read_bytes()[:4096]).hexdigest()
    reading.states["a.csv"] = {**reading.states["a.csv"], "head": first}
    with path.open("a") as file:
        file.write("01000,Bonn\n")
    assert reading.read(final=False).rows == [{"no": "01000", "name": "Bonn"}]


def test_queue_log_line_with_too_few_or_too_many_fields_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(
        b"1|call|q\n" + b"2|c|q|a|E" + b"|x" * 7 + b"\n3|c|q|a|E\0\n4|c|q|a|E|" + b"\n"
    )
    reading = Reading(tmp_path, options()).read()
    assert reading.broken_at == ["queue_log:1", "queue_log:2", "queue_log:3"]
    assert set(reading.codes) == {"broken_queue_log"}
    assert [row["time"] for row in reading.rows] == ["4"]


CHINESE = "客户,名称\n1,杭州水泵有限公司\n"
#: Names whose signs are mostly not among the common ones of GB 2312.
RARE = ("鑫淼", "鑫源", "瑞鑫", "鸿鑫")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"no,name\n1,Ada\n", ""),
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode("gb18030"), "gb18030"),
        (("x" * 70_000 + CHINESE).encode(), "utf-8"),
        (CHINESE.encode("gb18030") + b"\xff\n", "gb18030"),
        (CHINESE.encode() + b"\xff\n", "utf-8"),
        ("no,name\n1,Größe Köln Müller Straße\n".encode("cp1252"), "utf-8"),
        ("no,name\n1,Crème brûlée, déjà\n".encode("cp1252"), "utf-8"),
        (b"no,name\n1,B\xffn\n", "utf-8"),
        *[(f"no,name\n1,{name}\n".encode("gb18030"), "gb18030") for name in RARE],
        ("no,name\n1,Привет\n2,Анна\n3,кВт\n".encode("cp1251"), "utf-8"),
        ("no,name\n1,СтройГаз\n".encode("cp1251"), "utf-8"),
        ("no,name\n1,кВ\n".encode("cp1251"), "utf-8"),
        ("no,name\n1,Ελλάδα\n2,τιμή\n".encode("iso8859-7"), "utf-8"),
        ("no,name\n1,CAFÉ, déjà bu à l’été\n".encode("cp1252"), "utf-8"),
        (b"1,Ada\n" * 12_000 + CHINESE.encode("gb18030"), "gb18030"),
        (b"1,Ada\n" * 12_000 + CHINESE.encode(), "utf-8"),
        *[(b"x" * to + ("名" * 70_000).encode(), "utf-8") for to in range(3)],
        *[(b"x" * to + ("名" * 70_000).encode("gb18030"), "gb18030") for to in range(2)],
    ],
)
def test_encoding_is_found(content: bytes, encoding: str) -> None:
    assert find_encoding(content) == encoding


@pytest.mark.parametrize("behind", [70_000, 300_000, 1_000_000])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.json"])
def test_encoding_is_found_wherever_the_first_sign_beyond_ascii_stands(
    tmp_path: Path, name: str, encoding: str, behind: int
) -> None:
    names = ["Ada"] * (behind // 20) + ["杭州水泵有限公司", "Ada", "鑫淼"]
    numbered = [f"{number:017}" for number in range(len(names))]
    objects = [f'{{"no":"{no}","name":"{one}"}}' for no, one in zip(numbered, names, strict=True)]
    text = "\n".join(["no,name", *map(",".join, zip(numbered, names, strict=True))])
    if name == "a.jsonl":
        text = "\n".join(objects)
    elif name == "a.json":
        text = f"[{','.join(objects)}]"
    content = text.encode(encoding)
    assert content[:behind].isascii()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    reading = Reading(tmp_path, options()).read()
    assert (reading.codes, [row["name"] for row in reading.rows]) == ([], names)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_file_that_was_ascii_for_long_is_followed_in_its_encoding(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,name\n" + "1,Ada\n" * 50_000)
    reading = Reading(tmp_path, options())
    assert len(reading.read(final=False).rows) == 50_000
    assert reading.states["a.csv"]["encoding"] == ""
    with path.open("ab") as file:
        file.write("2,杭州水泵有限公司\n3,鑫淼\n".encode(encoding))
    assert [row["name"] for row in reading.read(final=False).rows] == ["杭州水泵有限公司", "鑫淼"]
    assert (reading.codes, reading.states["a.csv"]["encoding"]) == ([], encoding)


@pytest.mark.parametrize("name", RARE)
def test_file_whose_only_chinese_is_a_name_of_rare_signs_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(f"no,name\n1,Ada\n2,{name}\n".encode("gb18030"))
    reading = Reading(tmp_path, options()).read()
    assert (reading.codes, [row["name"] for row in reading.rows]) == ([], ["Ada", name])


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a,b,c", "1,2,3"], ","),
        (["a;b;c", "1,5;2,5;3"], ";"),
        (["a\tb", "1,2\t3"], "\t"),
        (["a|b|c", "1|2|3"], "|"),
        (["name, first;no", "Ada;1", "Bo;2"], ";"),
        (['"a;b",c', '"1;2",3'], ","),
        (["a"], ","),
        (["a;b"], ";"),
    ],
)
def test_delimiter_is_found(lines: list[str], delimiter: str) -> None:
    assert find_delimiter(lines) == delimiter


def test_what_was_found_at_the_head_of_a_file_holds_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    reading = Reading(tmp_path, options())
    path.write_text("no;name\n")
    assert reading.read(final=False).rows == []
    for number, name in enumerate(["Ada, Dr.", "杭州水泵有限公司", "Zoë"], 1):
        with path.open("ab") as file:
            file.write(f"{number};{name}\n".encode("gb18030"))
        assert reading.read(final=False).rows == [{"no": str(number), "name": name}]
    state = reading.states["a.csv"]
    assert (state["encoding"], state["delimiter"]) == ("gb18030", ";")


@pytest.mark.parametrize(("name", "text"), [("a.csv", ""), ("a.csv", "no,name\n"), ("a.jsonl", "")])
def test_file_without_records_is_no_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    reading = Reading(tmp_path, options()).read()
    assert (reading.rows, reading.broken) == ([], [])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.csv.gz"])
@pytest.mark.parametrize("last", [True, False])
def test_line_that_is_too_long_is_refused_and_the_next_is_read(
    tmp_path: Path, name: str, last: bool
) -> None:
    lines = ["no,name", "1," + "x" * 20_000_000, *([] if last else ["2,b"])]
    if name == "a.jsonl":
        lines = ['{"no": "1", "name": "' + "x" * 20_000_000 + '"}', '{"no": "2", "name": "b"}']
    content = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    reading = Reading(tmp_path, options()).read()
    assert reading.codes == ["record_too_long"]
    assert len(reading.broken[0].raw) == 16 * 1024 * 1024
    if name == "a.jsonl" or not last:
        assert reading.rows == [{"no": "2", "name": "b"}]
    assert reading.read().broken == []


def test_quoted_record_that_is_too_long_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    quoted = "\n".join(["y" * 1_000_000] * 10)
    (tmp_path / "a.csv").write_text(f'no,name\n1,"{quoted}"\n2,b\n')
    reading = Reading(tmp_path, options()).read()
    assert (reading.codes, reading.rows) == (["record_too_long"], [{"no": "2", "name": "b"}])


def test_line_that_is_too_long_is_left_while_it_has_no_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,name\n0,a\n1," + "x" * 10_000_000)
    reading = Reading(tmp_path, options())
    assert (reading.read(final=False).codes, len(reading.rows)) == ([], 1)
    with path.open("a") as file:
        file.write("x\n2,b\n")
    assert (reading.read(final=False).codes, len(reading.rows)) == (["record_too_long"], 1)
