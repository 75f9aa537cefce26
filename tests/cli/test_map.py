"""``headrace map`` as a person uses it: nothing is started, and its status says how it went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.mapping import MappingError, parse_mapping
from ops.mapping_report import problem_lines
from tests.cli.shop import BROKEN_LINE, FILES, MAPPING, MENDED_LINE, Shop, opened_shop

TILL = "mappings/till.yaml"
MENDED = FILES | {"invoices.csv": FILES["invoices.csv"].replace(BROKEN_LINE, MENDED_LINE)}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened_shop() as shop:
        yield shop
        assert not (shop.folder / "var").exists(), "nothing is started or written"


def test_a_good_mapping_is_told_what_it_makes(shop: Shop) -> None:
    ran = shop.run("map", TILL)
    assert (ran.status, ran.err) == (0, "")
    assert "till/1 makes customer, order, invoice of customers, orders, lines, invoices" in ran.out


def test_a_wrong_mapping_is_told_with_its_line(shop: Shop) -> None:
    shop.write(mapping=MAPPING.replace("ordered_on", "orderd_on"))
    ran = shop.run("map", TILL)
    assert ran.status == 2
    hint = "unknown key 'orderd_on' (did you mean 'ordered_on'?)"
    assert f"{TILL}:19:7: events[1].fields: {hint}" in ran.err
    assert ran.out == ""


def test_a_sample_with_a_rejection_shows_it_and_ends_with_1(shop: Shop) -> None:
    ran = shop.run("map", TILL, "--sample", "exports")
    assert ran.status == 1
    assert "invoices.csv:6" in ran.out
    assert "not_a_number" in ran.out
    assert "12 records of 4 files became 2 customer, 2 order, 4 invoice; 1 rejected." in ran.out


def test_a_sample_in_which_all_is_good_ends_with_0(shop: Shop) -> None:
    shop.write(files=MENDED)
    assert shop.run("map", TILL, "--sample", "exports").status == 0


def test_the_json_holds_all_events_rejections_and_what_is_left_over(shop: Shop) -> None:
    ran = shop.run("map", TILL, "--sample", "exports", "--json", "--source", "erp")
    assert ran.status == 1
    answer = ran.answer
    assert {name: len(found) for name, found in answer["events"].items()} == {
        "customer": 2,
        "order": 2,
        "invoice": 4,
    }
    first = answer["events"]["order"][0]
    assert first["customer"] == {"source": "erp", "id": "1"}
    assert [line["net_amount"] for line in first["lines"]] == ["30.00", "99.50"]
    (rejected,) = answer["rejections"]
    assert (rejected["place"], rejected["record"]["net"]) == ("invoices.csv:6", "abc")
    assert (answer["never_used"], answer["never_found"]) == ([], [])
    assert {"field": "salesperson", "mapped": False} in answer["never_set"]["order"]


def test_files_that_no_stream_takes_are_told(shop: Shop) -> None:
    (shop.folder / "other.csv").write_text("a,b\n1,2\n")
    ran = shop.run("map", TILL, "--sample", "other.csv")
    assert ran.status == 1
    assert "no record of other.csv was read" in ran.err
    assert "orders: orders.csv" in ran.err


def test_no_such_records_are_told(shop: Shop) -> None:
    ran = shop.run("map", TILL, "--sample", "nowhere")
    assert ran.status == 2
    assert "nowhere: there is no such file or folder" in ran.err


def test_the_tests_of_a_mapping_are_run(shop: Shop) -> None:
    test = "tests:\n- {name: adler, records: {customers: [{id: 1, name: N}]}, expect: [EVENT]}\n"
    shop.write(
        mapping=MAPPING + test.replace("EVENT", "{emit: customer, id: 1, fields: {name: N}}")
    )
    ran = shop.run("map", TILL, "--test")
    assert (ran.status, ran.out) == (0, "passed  adler\n1 tests, 0 failed.\n")
    shop.write(
        mapping=MAPPING + test.replace("EVENT", "{emit: customer, id: 1, fields: {name: M}}")
    )
    ran = shop.run("map", TILL, "--test", "--json")
    assert ran.status == 1
    assert ran.answer["tests"][0]["differences"] == ['customer 1: name: expected "M", got "N"']


def test_a_draft_goes_to_standard_output_or_to_a_new_file(shop: Shop) -> None:
    ran = shop.run("map", "--init", "exports/customers.csv", "--event", "customer")
    assert ran.status == 0
    assert "    name: name" in ran.out
    words = ("map", "--init", "exports/customers.csv", "--event", "customer", "--out", "new.yaml")
    written = shop.run(*words)
    assert (written.status, "Read it over, then: headrace map new.yaml" in written.out) == (0, True)
    assert (shop.folder / "new.yaml").read_text() == ran.out
    assert shop.run("map", "new.yaml", "--sample", "exports/customers.csv").status == 0
    again = shop.run(*words)
    assert again.status == 2
    assert "File exists" in again.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--init"),
        (("--init", "exports/customers.csv"), "there are call, capacity"),
        (("--init", "exports/customers.csv", "--event", "custmer"), "custmer"),
        (("--init", "nowhere.csv", "--event", "customer"), "no such file"),
        (("nowhere.yaml",), "cannot be read"),
        (("northwnd",), "did you mean 'northwind'"),
    ],
)
def test_a_wrong_call_is_told_and_ends_with_2(
    shop: Shop, arguments: tuple[str, ...], words: str
) -> None:
    ran = shop.run("map", *arguments)
    assert ran.status == 2
    assert words in " ".join(ran.err.replace("│", " ").split())
    assert "Traceback" not in ran.err


def test_on_a_terminal_the_line_is_drawn_with_a_caret() -> None:
    with pytest.raises(MappingError) as error:
        parse_mapping("streams: {a: {key: x}}\nevents:\n- emit: custmer\n", "erp", "m.yaml")
    _, line, caret, *_ = problem_lines(error.value, pictured=True)
    assert line == "    - emit: custmer"
    assert caret == "            ^"
