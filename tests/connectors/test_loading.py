"""What is wrong in a mapping is said at once, each with its path in the YAML."""

from __future__ import annotations

import pytest

from connectors.mapping import MappingError, load_mapping, parse_mapping

GOOD = """
streams:
  bill: {from: bills, key: no}
  item: {from: items, key: [no, pos]}
events:
- emit: invoice
  from: bill
  key: no
  lookup: {first: {in: item, by: [no, {const: 1}]}}
  fields:
    {net: {decimal: net}, kind: {const: invoice}, customer: {reference: customer},
     invoiced_on: {date: day}, gross: gross, currency: {const: EUR}, status: {const: posted}}
  lines:
    join: {item: {no: no}, missing: hold}
    fields: {number: pos, net_amount: net}
"""


def test_good_mapping_loads() -> None:
    loaded = parse_mapping(GOOD, "erp")
    assert loaded.streams["item"].joined
    assert [event.name for event in loaded.events] == ["invoice"]


@pytest.mark.parametrize(
    ("good", "bad", "path", "message"),
    [
        ("{decimal: net}", "{decmal: net}", "events[0].fields.net", "unknown operator decmal"),
        ("{decimal: net}", "{decimal: net, marc: ','}", "events[0].fields.net.decimal", "'marc'"),
        (
            "net: {decimal: net}",
            "net: {decimal: net}, nett: net",
            "events[0].fields",
            "unknown key 'nett'",
        ),
        ("emit: invoice", "emit: bill", "events[0].emit", "allowed: call, capacity"),
        ("from: bill\n", "from: bil\n", "events[0].from", "allowed: bill, item"),
        ("{decimal: net}", "$none.net", "events[0].fields.net", "no join named 'none'"),
        ("{decimal: net}", "$item.net", "events[0].fields.net", "several records"),
        ("number: pos", "numbr: pos", "events[0].lines.fields", "unknown key 'numbr'"),
        ("missing: hold", "missing: wait", "events[0].lines.missing", "null, hold, reject"),
        ("item: {no: no}", "itm: {no: no}", "events[0].lines.join", "allowed: bill, item"),
        (
            "{const: invoice}",
            "{map: {F2: invoice}, of: t}",
            "events[0].fields.kind.map",
            "needs the option 'otherwise'",
        ),
        ("from: bills, key: no", "from: bills", "streams.bill", "needs the key 'key'"),
        ("key: no}", "key: no, version: date}", "streams.bill", "'changed'"),
        ("key: no}", "key: no, encoding: utf-16}", "streams.bill.encoding", "cannot be read"),
        ("streams:", "defaults: {tz: Mars}\nstreams:", "defaults.tz", "no time zone"),
        ("lookup: {first", "lookup: {parent", "events[0].lookup.parent", "is taken"),
        (", missing: hold", ", max: 1 day", "events[0].lines.max", "PT24H"),
        ("key: no\n", "key: no\n  key: no\n", "(the whole file)", "twice"),
        ("streams:", "streams: [", "(the whole file)", "while parsing a flow sequence"),
    ],
)
def test_problem_is_named_with_its_path(good: str, bad: str, path: str, message: str) -> None:
    assert good in GOOD
    with pytest.raises(MappingError) as error:
        parse_mapping(GOOD.replace(good, bad, 1), "erp")
    assert any(
        (problem.path or "(the whole file)") == path and message in problem.message
        for problem in error.value.problems
    ), error.value


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(MappingError) as error:
        parse_mapping(text, "erp")
    return {problem.path: problem.message for problem in error.value.problems}


@pytest.mark.parametrize(
    ("given", "path", "what"),
    [
        (", status: {const: posted}", "fields.status", "one of cancelled, posted"),
        (", currency: {const: EUR}", "fields.currency", "an ISO 4217 code such as EUR"),
        ("customer: {reference: customer},", "fields.customer", "a reference to a document"),
        ("invoiced_on: {date: day}, ", "fields.invoiced_on", "a date"),
        (", net_amount: net", "lines.fields.net_amount", "a decimal number"),
    ],
)
def test_field_that_the_contract_needs_is_missed_when_the_mapping_is_loaded(
    given: str, path: str, what: str
) -> None:
    assert given in GOOD
    (found,) = problems_of(GOOD.replace(given, "")).items()
    assert found[0] == f"events[0].{path}"
    assert "the event 'invoice' needs this field: " in found[1]
    assert found[1].endswith(what)


def test_field_that_is_filled_elsewhere_is_not_missed() -> None:
    text = GOOD.replace(", currency: {const: EUR}", "")
    assert parse_mapping("defaults: {currency: EUR}\n" + text, "erp").events


def test_null_fills_no_field() -> None:
    assert "events[0].fields.gross" in problems_of(GOOD.replace("gross: gross", "gross: null"))


def test_record_is_held_against_its_contract() -> None:
    reference = GOOD.replace("{reference: customer}", "{record: {id: customer, no: x}}")
    found = problems_of(reference)
    assert found["events[0].fields.customer.record"].startswith("unknown key 'no'; allowed: id, s")
    assert "events[0].fields.customer.record.source" in found


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = GOOD.replace("net: {decimal: net}", "net: {decmal: net}, nett: a, lines: b")
    text = text.replace("number: pos", "numbr: {pad: pos}, number: {pad: pos}")
    text = text.replace("key: no}", "key: no, encoding: utf-16}", 1).replace(", gross: gross", "")
    found = problems_of(text)
    assert set(found) == {
        "streams.bill.encoding",
        "events[0].fields",
        "events[0].fields.gross",
        "events[0].fields.net",
        "events[0].lines.fields",
        "events[0].lines.fields.number.pad",
    }
    assert found["events[0].fields"].startswith(
        "unknown keys 'nett' (did you mean 'net'?), 'lines'; allowed: cancelled"
    )
    assert found["events[0].fields"].endswith(": allocations, disputes, instalments, lines")


def test_words_of_yaml_stay_words() -> None:
    text = GOOD.replace(
        "{const: invoice}", "{map: {no: credit_note, 0123: invoice}, of: on, otherwise: reject}"
    )
    assert parse_mapping(text, "erp").events


def test_unknown_profile_names_those_that_there_are() -> None:
    with pytest.raises(MappingError, match=r"northwind, .*sap_s4_o2c"):
        load_mapping("sap", "erp")
