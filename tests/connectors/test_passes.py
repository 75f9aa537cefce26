"""A source is read again, twice, shuffled, cut and killed: each document stands as stated."""

from __future__ import annotations

import random
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors import passes
from connectors.assembly import build_touched
from connectors.door import Door
from connectors.opening import open_door
from connectors.replay import replay_through
from hub.source_settings import FilesSource
from sinks.cursors import read_note
from sinks.database import connect
from sinks.dead_letters import DeadLetter
from tests.connectors.sources import (
    ORDER_EVENTS,
    KilledError,
    SampleSource,
    contents,
    copied,
    mapping,
    numbered_letters,
    profile,
    refusing_mappings,
)

pytestmark = pytest.mark.stack

ORDERS = """
streams:
  order: {from: "orders*.csv", key: no}
  line: {from: "lines*.csv", key: [no, item]}
""" + ORDER_EVENTS.replace(
    "{const: open}", "{map: {O: open, C: closed}, of: state, otherwise: reject}"
)
ORDER_HEAD = "no,customer,day,state\n"
LINE_HEAD = "no,item,product,quantity,net\n"

CUSTOMERS = """
streams:
  customer: {from: "customers*.csv", key: no}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
CUSTOMER_HEAD = "no,name,city\n"


def letters(source: SampleSource) -> list[DeadLetter]:
    return [letter for _, letter in numbered_letters(source)]


@pytest.fixture
def orders(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(ORDERS))


@pytest.fixture
def customers(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(CUSTOMERS))


@pytest.mark.parametrize(
    ("fixture", "name", "documents"), [("s4", "sap_s4_o2c", 13), ("northwind", "northwind", 12)]
)
class TestProfile:
    @pytest.fixture
    def source(
        self, database_url: str, tmp_path: Path, fixture: str, name: str, documents: int
    ) -> SampleSource:
        return SampleSource(database_url, copied(fixture, tmp_path), profile(name))

    def test_second_run_publishes_nothing(self, source: SampleSource, documents: int) -> None:
        assert source.run().published == documents
        again = source.run()
        assert (again.read, again.published, again.rejected) == (0, 0, 0)

    def test_every_file_delivered_twice_publishes_nothing_new(
        self, source: SampleSource, documents: int
    ) -> None:
        first = source.run()
        for file in [path for path in source.folder.rglob("*") if path.is_file()]:
            shutil.copy(file, file.with_stem(file.stem + "-again"))
        again = source.run()
        assert (again.read, again.published) == (first.read, 0)
        assert len(source.log.records) == documents

    def test_lines_in_random_order_give_the_same_documents(
        self, source: SampleSource, tmp_path: Path, documents: int
    ) -> None:
        source.run()
        straight = contents(source.standing())
        assert len(straight) == documents
        source.log.records.clear()
        for seed in range(3):
            for file in list(source.folder.rglob("*.jsonl")):
                lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
                random.Random(seed).shuffle(lines)
                file.write_text("".join(lines), encoding="utf-8")
            with connect(source.database_url) as connection:
                for table in ("cursors", "rows", "row_links", "versions", "waiting"):
                    connection.execute(f"DELETE FROM source_{table}")
            source.run()
            assert contents(source.standing()) == straight

    def test_killed_between_acknowledgement_and_commit_it_publishes_the_same_versions(
        self, source: SampleSource, documents: int
    ) -> None:
        for stop_after in (1, 4, 9):
            source.log.stop_after = stop_after
            with pytest.raises(KilledError):
                source.run()
        source.log.stop_after = None
        source.run()
        assert len(source.standing()) == documents


def test_content_that_comes_back_under_no_date_is_a_repeat(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n1,Ada,Bonn\n1,Ada,Ulm\n")
    report = customers.run()
    assert (report.published, report.repeated) == (2, 1)
    assert [(d["version"], d["city"]) for d in customers.published()] == [(1, "Ulm"), (2, "Bonn")]


def test_date_in_a_files_name_stands_for_the_change_date(customers: SampleSource) -> None:
    customers.write("customers-2026-02-01.csv", CUSTOMER_HEAD + "1,Ada,Bonn\n")
    customers.run()
    customers.write("customers-2026-01-01.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n")
    customers.run()
    ((_, standing),) = customers.standing().items()
    assert standing["city"] == "Bonn"


def test_file_delivered_again_at_another_time_changes_nothing(customers: SampleSource) -> None:
    text = CUSTOMER_HEAD + "1,Ada,Ulm\n2,Ben,Bonn\n"
    customers.write("customers.csv", text)
    customers.run()
    (customers.folder / "customers.csv").unlink()
    customers.write("customers.csv", text)
    report = customers.run()
    assert (report.read, report.published, report.repeated) == (2, 0, 2)


def test_growing_file_is_followed_and_a_half_line_is_left(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n2,Be")
    assert customers.run(bounded=False).published == 1
    assert customers.run(bounded=False).read == 0
    customers.append("customers.csv", "n,Bonn\n3,Cy,")
    assert customers.run(bounded=False).published == 1
    customers.append("customers.csv", "Köln\n")
    assert customers.run(bounded=False).published == 1
    assert [d["name"] for d in customers.published()] == ["Ada", "Ben", "Cy"]


def test_half_line_is_taken_at_the_end_of_a_bounded_read(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n2,Ben,Bo")
    assert customers.run().published == 2
    assert customers.run().read == 0
    customers.append("customers.csv", "nn\n3,Cy,Köln\n")
    assert customers.run().published == 2
    assert [d["city"] for d in customers.published()] == ["Ulm", "Bo", "Bonn", "Köln"]


def test_replaced_file_is_read_from_its_beginning(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n2,Ben,Bonn\n")
    customers.run(bounded=False)
    customers.write("next.tmp", CUSTOMER_HEAD + "3,Cy,Köln\n1,Ada,Ulm\n2,Ben,Bonn\n")
    (customers.folder / "next.tmp").replace(customers.folder / "customers.csv")
    report = customers.run(bounded=False)
    assert (report.read, report.published, report.repeated) == (3, 1, 2)


def test_file_cut_and_written_anew_is_noticed(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n2,Ben,Bonn\n")
    customers.run(bounded=False)
    customers.write("customers.csv", CUSTOMER_HEAD + "4,Di,Kiel\n")
    assert customers.run(bounded=False).published == 1


def test_broken_line_is_a_dead_letter_and_the_next_ones_go_on(customers: SampleSource) -> None:
    path = customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n")
    with path.open("ab") as file:
        file.write(b'2,B\xffn,Bonn\n3,Cy\n4,"Di,Kiel\n5,"Ed ""Q""",Jena\n')
    report = customers.run()
    assert (report.published, report.rejected) == (2, 3)
    found = letters(customers)
    assert [(one.code, one.place, one.value) for one in found] == [
        ("undecodable", "customers.csv:3", b"2,B\xffn,Bonn\n"),
        ("broken_csv", "customers.csv:4", b"3,Cy\n"),
        ("broken_csv", "customers.csv:5", b'4,"Di,Kiel\n'),
    ]
    assert customers.published()[-1]["name"] == 'Ed "Q"'


def test_letter_of_a_line_a_record_and_a_document_names_the_mapping_that_refused_it(
    orders: SampleSource,
) -> None:
    orders.mapping = mapping("profile: shop/3\n" + ORDERS)
    orders.write("orders.csv", ORDER_HEAD + "1,K1\n2,K1,2026-01-02,X\n3,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "2,1,P1,1,10\n")
    orders.run()
    refused = orders.mapping
    # The name says what somebody meant, the version what was in force.
    orders.mapping = mapping("profile: shop/3\n" + ORDERS.replace("C: closed", "Z: closed"))
    orders.append("orders.csv", "4,K1\n")
    orders.run()
    *first, last = refusing_mappings(orders)
    assert {code for code, _, _ in first} == {"broken_csv", "unknown_value", "missing_part"}
    assert {(name, version) for _, name, version in first} == {("shop/3", refused.version)}
    assert last == ("broken_csv", "shop/3", orders.mapping.version)
    assert orders.mapping.version != refused.version


def test_reading_again_adds_no_second_dead_letter(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "3,Cy\n")
    customers.run()
    (customers.folder / "customers.csv").unlink()
    customers.write("customers.csv", CUSTOMER_HEAD + "3,Cy\n")
    customers.run()
    assert len(letters(customers)) == 1


def test_parts_that_come_in_several_files_are_published_once(orders: SampleSource) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n")
    orders.write("lines-a.csv", LINE_HEAD + "1,2,P2,1,20\n")
    orders.write("lines-b.csv", LINE_HEAD + "1,1,P1,1,10\n")
    assert orders.run().published == 1
    (document,) = orders.published()
    assert [line["number"] for line in document["lines"]] == ["1", "2"]


def test_required_part_is_waited_for_while_following(orders: SampleSource) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n")
    report = orders.run(bounded=False)
    assert (report.published, report.rejected, report.waiting) == (0, 0, 1)
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n")
    report = orders.run(bounded=False)
    assert (report.published, report.waiting) == (1, 0)


def test_required_part_that_never_came_is_a_dead_letter(orders: SampleSource) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n")
    report = orders.run()
    assert (report.published, report.rejected, report.waiting) == (0, 1, 0)
    (letter,) = letters(orders)
    assert (letter.code, letter.document, letter.place) == ("missing_part", "order", "orders.csv:2")
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n")
    assert orders.run().published == 1


def test_line_that_moves_to_another_order_leaves_the_first(orders: SampleSource) -> None:
    text = ORDERS.replace("key: [no, item]", "key: item")
    orders.mapping = mapping(text)
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n2,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "1,7,P1,1,10\n1,8,P1,1,10\n2,9,P1,1,10\n")
    orders.run()
    orders.append("lines.csv", "2,8,P1,1,10\n")
    orders.run()
    standing = {key[1]: document for key, document in orders.standing().items()}
    assert [line["number"] for line in standing["1"]["lines"]] == ["7"]
    assert [line["number"] for line in standing["2"]["lines"]] == ["8", "9"]


def test_content_that_comes_back_through_a_dated_part_wins(orders: SampleSource) -> None:
    dated = ORDERS.replace(
        '"orders*.csv", key: no', '"orders*.csv", key: no, changed: at, version: precise'
    )
    dated = dated.replace(
        '"lines*.csv", key: [no, item]',
        '"lines*.csv", key: [no, item], changed: at, version: precise',
    )
    orders.mapping = mapping(dated)
    orders.write("orders.csv", "no,customer,day,state,at\n1,K1,2026-01-02,O,2026-01-09T00:00:00Z\n")
    orders.write("lines.csv", "no,item,product,quantity,net,at\n1,1,P1,5,10,2026-01-02T00:00:00Z\n")
    orders.run()
    orders.append("lines.csv", "1,1,P1,6,10,2026-01-03T00:00:00Z\n")
    orders.run()
    orders.append("lines.csv", "1,1,P1,5,10,2026-01-04T00:00:00Z\n")
    orders.run()
    ((_, standing),) = orders.standing().items()
    assert standing["lines"][0]["quantity"] == Decimal(5)
    assert len(orders.log.records) == 3


def test_killed_while_building_it_finishes_before_it_reads_what_came_since(
    orders: SampleSource,
) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n2,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n2,1,P1,1,10\n")
    orders.log.stop_after = 1
    with pytest.raises(KilledError):
        orders.run()
    orders.log.stop_after = None
    orders.append("lines.csv", "1,2,P2,4,40\n")
    orders.run()
    standing = {key[1]: document for key, document in orders.standing().items()}
    assert [line["number"] for line in standing["1"]["lines"]] == ["1", "2"]
    assert [d["version"] for d in orders.published() if d["id"] == "1"] == [1, 1, 2]


def test_killed_behind_its_last_document_it_no_longer_says_that_it_builds(
    orders: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n")

    def build_then_die(door: Door, final: bool) -> None:
        build_touched(door, final)
        raise KilledError

    with monkeypatch.context() as killing, pytest.raises(KilledError):
        killing.setattr(passes, "build_touched", build_then_die)
        orders.run()
    assert is_building(orders)
    assert orders.run().published == 0
    assert not is_building(orders)


def is_building(source: SampleSource) -> bool:
    with connect(source.database_url, name="test") as connection:
        return bool(read_note(connection, "sample")["building"])


def test_unknown_value_rejects_with_its_code_and_is_replayed_when_the_mapping_is_mended(
    orders: SampleSource,
) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,X\n2,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n2,1,P1,1,10\n")
    report = orders.run()
    assert (report.published, report.rejected) == (1, 1)
    (letter,) = letters(orders)
    assert letter.code == "unknown_value"
    assert "status" in letter.reason
    mended = mapping(ORDERS.replace("O: open,", "O: open, X: open,"))
    assert replayed(orders, letter, SampleSource(orders.database_url, orders.folder, mended)) == 1


def test_replay_leaves_the_documents_that_wait_alone(orders: SampleSource) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,X\n2,K1,2026-01-02,O\n")
    orders.write("lines.csv", LINE_HEAD + "1,1,P1,1,10\n")
    assert orders.run(bounded=False).waiting == 1
    (letter,) = letters(orders)
    mended = mapping(ORDERS.replace("O: open,", "O: open, X: open,"))
    assert replayed(orders, letter, SampleSource(orders.database_url, orders.folder, mended)) == 1
    orders.append("lines.csv", "2,1,P1,1,10\n")
    assert orders.run(bounded=False).published == 1


def replayed(
    source: SampleSource, letter: DeadLetter, mended: SampleSource, letter_id: int = 1
) -> int:
    row = FilesSource(name="sample", path=str(source.folder), mapping="unused")
    with open_door(row, mended.mapping, mended.log, mended.database_url) as door:
        replay_through(door, source.reader(), letter_id, letter)
        assert door.report.rejected == 0
        return door.report.published


def test_undecodable_line_is_replayed_when_the_mapping_names_its_encoding(
    customers: SampleSource,
) -> None:
    declared = mapping(CUSTOMERS.replace("key: no}", "key: no, encoding: utf-8}"))
    customers = SampleSource(customers.database_url, customers.folder, declared)
    customers.write("customers.csv", CUSTOMER_HEAD + "1,杭州泵业,杭州\n", encoding="gb18030")
    assert customers.run().rejected == 1
    (letter,) = letters(customers)
    text = CUSTOMERS.replace("key: no}", "key: no, encoding: gb18030}")
    mended = SampleSource(customers.database_url, customers.folder, mapping(text))
    assert replayed(customers, letter, mended) == 1
    assert mended.published()[0]["name"] == "杭州泵业"


@pytest.mark.parametrize(("encoding", "name"), [("gb18030", "杭州泵业㐀𠀀"), ("cp1252", "Zoë €")])
def test_encoding_and_delimiter_of_the_mapping_are_used(
    database_url: str, tmp_path: Path, encoding: str, name: str
) -> None:
    text = CUSTOMERS + f"defaults: {{encoding: {encoding}, delimiter: ';'}}\n"
    source = SampleSource(database_url, tmp_path, mapping(text))
    source.write("customers.csv", f"no;name;city\n1;{name};Ulm, Alb\n", encoding)
    source.run()
    assert [(d["name"], d["city"]) for d in source.published()] == [(name, "Ulm, Alb")]


def test_payment_is_withdrawn_when_its_clearing_turns_out_to_be_a_reversal(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, copied("s4", tmp_path), profile("sap_s4_o2c"))
    bills = source.folder / "billing_document_headers"
    bills.rename(tmp_path / "later")
    source.run(bounded=False)
    payments = "finance.payment.v1"
    assert sum(key[0] == payments for key in source.standing()) == 2
    (tmp_path / "later").rename(bills)
    source.run(bounded=False)
    assert all(d["deleted"] for key, d in source.standing().items() if key[0] == payments)


def test_two_versions_from_one_record_step_by_a_microsecond(
    database_url: str, tmp_path: Path
) -> None:
    text = """
streams: {deal: {from: "deals*.jsonl", key: no, changed: at, version: precise}}
events:
- {emit: opportunity, name: opened, from: deal, key: no, fields: {customer: {reference: customer},
   title: title, stage: {const: identify}, opened_on: {date: opened}}}
- {emit: opportunity, name: closed, from: deal, key: no, when: {not_empty: won},
   fields: {customer: {reference: customer}, title: title, stage: {const: won},
   outcome: {const: won}, opened_on: {date: opened}, closed_on: {date: won}}}
"""
    source = SampleSource(database_url, tmp_path, mapping(text))
    source.write(
        "deals.jsonl",
        '{"no": "1", "customer": "K", "title": "T", "opened": "2026-01-02",'
        ' "won": "2026-02-03", "at": "2026-02-03T10:00:00Z"}\n',
    )
    source.run()
    first, second = source.published()
    assert second["version"] == first["version"] + 1
    assert (first["stage"], second["stage"]) == ("identify", "won")
    assert second["closed_on"] == date(2026, 2, 3)


LONG = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2_700))


def test_text_longer_than_its_field_is_a_dead_letter_and_the_other_documents_are_published(
    customers: SampleSource,
) -> None:
    text = CUSTOMER_HEAD + f"1,Ada,Ulm\n2,{'B' * 1_100_000},Bonn\n3,Cy,Kiel\n2,Ben,Bonn\n"
    customers.write("customers.csv", text)
    report = customers.run()
    assert (report.read, report.published, report.rejected) == (4, 3, 1)
    (letter,) = letters(customers)
    assert (letter.stage, letter.code, letter.place) == (
        "connector:sample",
        "text_length",
        "customers.csv:3",
    )
    assert letter.value is not None
    assert len(letter.value) > 1_100_000
    standing = {key[1]: document["name"] for key, document in customers.standing().items()}
    assert standing == {"1": "Ada", "2": "Ben", "3": "Cy"}
    assert customers.run().read == 0
    (customers.folder / "customers.csv").rename(customers.folder / "customers-again.csv")
    again = customers.run()
    assert (again.published, len(letters(customers))) == (0, 1)


@pytest.mark.parametrize("dated", [True, False])
def test_key_that_no_index_holds_is_a_dead_letter_and_the_others_are_published(
    database_url: str, tmp_path: Path, dated: bool
) -> None:
    text = CUSTOMERS.replace("key: no}", "key: no, changed: city, version: precise}")
    source = SampleSource(database_url, tmp_path, mapping(text if dated else CUSTOMERS))
    day = "2026-01-02T00:00:00Z"
    source.write("customers.csv", CUSTOMER_HEAD + f"1,Ada,{day}\n{LONG},Ben,{day}\n3,Cy,{day}\n")
    report = source.run()
    assert (report.published, report.rejected) == (2, 1)
    (letter,) = letters(source)
    assert (letter.code, letter.place) == ("key_too_long", "customers.csv:3")
    assert "mend it in the source" in letter.reason
    assert [document["id"] for document in source.published()] == ["1", "3"]
    assert source.run().read == 0


def test_joined_document_that_is_too_large_is_a_dead_letter_and_the_others_are_published(
    orders: SampleSource,
) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n2,K1,2026-01-02,O\n")
    name = "P" * 1_000
    lines = "".join(f"1,{number},{name},1,10\n" for number in range(1_100))
    orders.write("lines.csv", LINE_HEAD + lines + "2,1,P1,1,10\n")
    report = orders.run()
    assert (report.published, report.rejected, report.waiting) == (1, 1, 0)
    (letter,) = letters(orders)
    assert (letter.code, letter.document, letter.place) == ("too_large", "order", "orders.csv:2")
    again = orders.run()
    assert (again.published, again.rejected) == (0, 0)
    (orders.folder / "lines.csv").unlink()
    text = ORDERS.replace("product: {reference: product}", "product: {reference: no}")
    mended = SampleSource(orders.database_url, orders.folder, mapping(text))
    assert replayed(orders, letter, mended) == 1


@pytest.mark.parametrize(
    ("order", "line"),
    [(f"{LONG},K1,2026-01-02,O\n", f"{LONG},1,P1,1,10\n"), ("", f"1,{LONG},P1,1,10\n")],
)
def test_row_that_the_database_cannot_hold_is_a_dead_letter_and_the_others_are_kept(
    orders: SampleSource, order: str, line: str
) -> None:
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n" + order + "2,K1,2026-01-02,O\n")
    several = "".join(f"1,{number},P1,1,10\n" for number in range(1, 6))
    orders.write("lines.csv", LINE_HEAD + several + line + "2,1,P1,1,10\n")
    report = orders.run()
    assert (report.published, report.waiting) == (2, 0)
    assert report.rejected == (2 if order else 1)
    found = letters(orders)
    assert {one.code for one in found} == {"key_too_long"}
    assert "lines.csv:7" in {one.place for one in found}
    assert orders.run().read == 0


def test_join_key_that_no_index_holds_is_a_dead_letter_and_the_others_are_kept(
    orders: SampleSource,
) -> None:
    orders.mapping = mapping(ORDERS.replace("key: [no, item]", "key: item"))
    orders.write("orders.csv", ORDER_HEAD + "1,K1,2026-01-02,O\n")
    several = "".join(f"1,{number},P1,1,10\n" for number in range(1, 6))
    orders.write("lines.csv", LINE_HEAD + several + f"{LONG},8,P1,1,10\n1,9,P1,1,10\n")
    report = orders.run()
    assert (report.read, report.published, report.rejected) == (8, 1, 1)
    (letter,) = letters(orders)
    assert (letter.code, letter.place) == ("not_storable", "lines.csv:7")
    assert "the database can never hold this record" in letter.reason
    ((_, standing),) = orders.standing().items()
    assert [one["number"] for one in standing["lines"]] == ["1", "2", "3", "4", "5", "9"]
    assert orders.run().read == 0


@pytest.mark.parametrize("name", ["customers.csv", "customers-2026-02-01.csv"])
def test_content_that_came_while_the_process_was_dead_stands_over_what_it_left_uncommitted(
    customers: SampleSource, name: str
) -> None:
    for city in ("Bonn", "Kiel", "Jena"):
        customers.write(name, CUSTOMER_HEAD + f"1,Ada,{city}\n2,Ben,Ulm\n")
        customers.log.stop_after = 1
        with pytest.raises(KilledError):
            customers.run()
    customers.log.stop_after = None
    customers.write(name, CUSTOMER_HEAD + "2,Ben,Ulm\n")
    customers.run()
    customers.append(name, "1,Ada,Köln\n")
    customers.run()
    standing = {key[1]: document["city"] for key, document in customers.standing().items()}
    assert standing == {"1": "Köln", "2": "Ulm"}
    assert len({d["version"] for d in customers.published() if d["id"] == "2"}) == 1


def test_same_file_after_a_kill_gets_the_same_versions(customers: SampleSource) -> None:
    customers.write("customers.csv", CUSTOMER_HEAD + "1,Ada,Ulm\n1,Ada,Bonn\n")
    customers.log.stop_after = 1
    with pytest.raises(KilledError):
        customers.run()
    customers.log.stop_after = None
    assert customers.run().published == 2
    assert [d["version"] for d in customers.published()] == [1, 2, 1, 2]
    customers.append("customers.csv", "1,Ada,Kiel\n")
    customers.run()
    assert customers.published()[-1]["version"] == 3
