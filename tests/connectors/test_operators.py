"""Each operator of the mapping language on one record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping.compiler import Compiler, Defaults, View
from connectors.mapping.problems import Fault
from connectors.mapping.values import Node, Refusal
from connectors.mapping.yaml_text import compose

RECORD = {
    "no": "000420",
    "name": " Ada ",
    "none": "",
    "type": "S1",
    "net": "12.345",
    "german": "1.234,50",
    "day": "2026-02-03T23:30:00.000Z",
    "plain": "03.02.2026",
    "flag": "X",
    "nested": {"city": {"name": "Ulm"}, "phones": ["1", "2"]},
    "trailing": "1.234,50-",
    "bracketed": "(1 234.50)",
    "share": "12,5 %",
    "unit": "KG",
    "currency": "JPY",
    "seconds": 1769904000,
    "clock": {"hours": 14, "minutes": 5, "seconds": 9},
    "memo": "RE 4711 of SO-12",
    "E1EDK03": [{"IDDAT": "012", "DATUM": "20260203"}, {"IDDAT": "002", "DATUM": "20260301"}],
    "E1EDK01": {"CURCY": "EUR", "E1EDKA1": {"PARVW": "AG", "PARTN": {"@id": "7", "#text": "C1"}}},
    "contacts": [{"phone": "1"}, {"phone": ["2", ""]}, {}],
}
CHILDREN = [{"q": "2", "on": "2026-01-01"}, {"q": "0", "on": "2026-03-01"}, {"q": "5", "on": ""}]


def evaluate(text: str) -> Any:
    view = View()
    view.aliases["item"] = View(parent=view)
    view.aliases["one"] = View(parent=view)
    view.many.add("item")
    defaults = Defaults(zone=ZoneInfo("Asia/Shanghai"))
    expression = Compiler("erp", defaults, view).expression(
        compose(f"value: {text}", "test").document()["value"]
    )
    node = Node(RECORD)
    node.joined["item"] = [Node(row, parent=node) for row in CHILDREN]
    node.joined["one"] = Node({"q": "7"}, parent=node)
    return expression(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "000420"),
        ("none", None),
        ("unknown", None),
        ("/nested/city/name", "Ulm"),
        ("/nested/phones/1", "2"),
        ("/nested/phones/9", None),
        ("$one.q", "7"),
        ("{const: EUR}", "EUR"),
        ("{coalesce: [none, no]}", "000420"),
        ("{default: none, to: x}", "x"),
        ("{concat: [type, none, no], sep: '-'}", "S1-000420"),
        ("{concat: [none]}", None),
        ("{split: german, at: '.'}", ["1", "234,50"]),
        ("{split: name, at: ';'}", ["Ada"]),
        ("{split: none, at: ';'}", []),
        ("{split: memo, at: ' ', part: 2}", "4711"),
        ("{split: memo, at: ' ', part: -1}", "SO-12"),
        ("{split: memo, at: ' ', part: 9}", None),
        ("{strip_zeros: no}", "420"),
        ("{strip_zeros: {const: '000'}}", "0"),
        ("{strip_zeros: no, only: digits}", "420"),
        ("{strip_zeros: {const: 00A1}, only: digits}", "00A1"),
        ("{pad: {strip_zeros: no}, to: 5}", "00420"),
        ("{trim: name}", "Ada"),
        ("{upper: {trim: name}}", "ADA"),
        ("{text: {decimal: {const: '2.0'}}}", "2"),
        ("{decimal: net}", Decimal("12.345")),
        ("{decimal: german, mark: ',', group: '.'}", Decimal("1234.50")),
        ("{decimal: none}", None),
        ("{decimal: trailing, mark: ',', group: '.', minus: trailing}", Decimal("-1234.50")),
        ("{decimal: german, mark: ',', group: '.', minus: trailing}", Decimal("1234.50")),
        ("{decimal: {const: '-5'}, minus: trailing}", Decimal(-5)),
        ("{decimal: bracketed, group: ' ', minus: parentheses}", Decimal("-1234.50")),
        ("{decimal: {const: '1\u202f234,5'}, mark: ',', group: ' '}", Decimal("1234.5")),
        ("{decimal: {const: '12,34,567.8'}, group: ','}", Decimal("1234567.8")),
        ("{decimal: share, mark: ',', percent: true}", Decimal("0.125")),
        ("{decimal: {const: 12}, percent: true}", Decimal("0.12")),
        ("{scale: net, by: -2}", Decimal("0.12345")),
        ("{scale: net, currency: currency, written: two_places}", Decimal("1234.5")),
        ("{scale: net, currency: {const: KWD}, written: smallest_unit}", Decimal("0.012345")),
        ("{scale: net, currency: {const: EUR}, written: two_places}", Decimal("12.345")),
        (
            "{convert: net, from: unit, table: {KG: 1000, G: 1}, otherwise: reject}",
            Decimal("12345.000"),
        ),
        ("{convert: net, from: type, table: {KG: 1000}, otherwise: null}", None),
        ("{convert: net, from: type, table: {KG: 1000}, otherwise: 2}", Decimal("24.690")),
        (
            "{convert: net, from: none, table: {null: 1, KG: 5}, otherwise: reject}",
            Decimal("12.345"),
        ),
        ("{lookup: type, in: {S1: {days: 30}}, take: days, otherwise: reject}", 30),
        ("{lookup: type, in: {F2: a}, otherwise: none of them}", "none of them"),
        (
            "{lookup: type, in: {S1: [{from: 2026-02-01, rate: 16}, {from: 2020-01-01, rate: 19}]},"
            " take: rate, as_of: {date: plain, format: '%d.%m.%Y'}, otherwise: reject}",
            16,
        ),
        (
            "{lookup: type, in: {S1: [{from: 2026-02-04, rate: 16}, {from: 2020-01-01, rate: 19}]},"
            " take: rate, as_of: {date: plain, format: '%d.%m.%Y'}, otherwise: reject}",
            19,
        ),
        (
            "{lookup: type, in: {S1: [{from: 2027-01-01, to: 1}]}, take: to,"
            " as_of: none, otherwise: null}",
            None,
        ),
        ("{extract: memo, pattern: 'RE (\\d+)', otherwise: reject}", "4711"),
        ("{extract: memo, pattern: 'SO-\\d+', otherwise: reject}", "SO-12"),
        ("{extract: memo, pattern: '(?P<so>SO)-(?P<no>\\d+)', group: no, otherwise: null}", "12"),
        ("{extract: memo, pattern: 'X(\\d)', otherwise: null}", None),
        ("{extract: none, pattern: 'X', otherwise: reject}", None),
        ("{matches: memo, pattern: '^RE'}", True),
        ("{matches: none, pattern: '^RE'}", False),
        (
            "{check: net, equals: {add: [{const: 12}, {const: '0.344'}]}, tolerance: 0.001}",
            Decimal("12.345"),
        ),
        ("{check: net, equals: none}", Decimal("12.345")),
        ("{integer: {const: '3.0'}}", 3),
        ("{add: [net, {const: '0.005'}]}", Decimal("12.350")),
        ("{subtract: [{const: 1}, net]}", Decimal("-11.345")),
        ("{multiply: [net, {const: '0.5'}]}", Decimal("6.1725")),
        ("{multiply: [net, none]}", None),
        ("{divide: [{const: 2}, {const: 3}], places: 4}", Decimal("0.6667")),
        ("{round: net, places: 2}", Decimal("12.35")),
        ("{negate: net}", Decimal("-12.345")),
        ("{abs: {negate: net}}", Decimal("12.345")),
        ("{sign: net, by: type, negative: [S1], source: unsigned}", Decimal("-12.345")),
        ("{sign: {negate: net}, by: type, negative: [], source: signed}", Decimal("12.345")),
        ("{date: day, as: calendar_day}", date(2026, 2, 3)),
        ("{date: day}", date(2026, 2, 4)),
        ("{date: plain, format: '%d.%m.%Y'}", date(2026, 2, 3)),
        ("{datetime: day}", datetime(2026, 2, 3, 23, 30, tzinfo=UTC)),
        (
            "{datetime: {date: day, as: calendar_day}}",
            datetime(2026, 2, 2, 16, tzinfo=UTC),
        ),
        (
            "{datetime: plain, format: '%d.%m.%Y', zone: UTC}",
            datetime(2026, 2, 3, tzinfo=UTC),
        ),
        ("{datetime: seconds, unit: s}", datetime(2026, 2, 1, tzinfo=UTC)),
        (
            "{datetime: {const: '1769904000123'}, unit: ms}",
            datetime(2026, 2, 1, 0, 0, 0, 123000, UTC),
        ),
        ("{datetime: {const: -1}, unit: us}", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ("{date: seconds, unit: s}", date(2026, 2, 1)),
        ("{date: {const: 46054}, unit: excel}", date(2026, 2, 1)),
        ("{datetime: {const: '46054.5'}, unit: excel}", datetime(2026, 2, 1, 4, tzinfo=UTC)),
        ("{date: {const: 59}, unit: excel}", date(1900, 2, 28)),
        ("{date: {const: 61}, unit: excel}", date(1900, 3, 1)),
        ("{date: {const: 2026-W06-2}}", date(2026, 2, 3)),
        (
            "{datetime: day, time: {const: '9:05:03.5'}, zone: UTC}",
            datetime(2026, 2, 3, 9, 5, 3, 500000, tzinfo=UTC),
        ),
        ("{datetime: day, time: clock, zone: UTC}", datetime(2026, 2, 3, 14, 5, 9, tzinfo=UTC)),
        (
            "{datetime: plain, format: '%d.%m.%Y', time: {const: '140509'}, zone: UTC}",
            datetime(2026, 2, 3, 14, 5, 9, tzinfo=UTC),
        ),
        (
            "{datetime: {const: '20260203'}, time: {const: '14:05'}, zone: UTC}",
            datetime(2026, 2, 3, 14, 5, tzinfo=UTC),
        ),
        ("{datetime: day, time: none, zone: UTC}", datetime(2026, 2, 3, tzinfo=UTC)),
        ("{add_days: {date: plain, format: '%d.%m.%Y'}, days: {const: 30}}", date(2026, 3, 5)),
        ("{map: {S1: cancellation}, of: type, otherwise: reject}", "cancellation"),
        ("{map: {F2: invoice}, of: type, otherwise: 'null'}", "null"),
        ("{map: {F2: invoice}, of: type, otherwise: null}", None),
        ("{case: [{if: {equals: [type, F2]}, then: a}, {if: flag, then: b}], else: c}", "b"),
        ("{case: [{if: none, then: a}]}", None),
        ("{equals: [{decimal: net}, 12.345]}", True),
        ("{in: [type, [F2, S1]]}", True),
        ("{not_empty: none}", False),
        ("{empty: none}", True),
        ("{and: [flag, {not: none}]}", True),
        ("{or: [none, {greater: [net, 13]}]}", False),
        ("{at_least: [net, 12.345]}", True),
        ("{less: [none, 1]}", False),
        ("{exists: $one}", True),
        ("{reference: no}", {"source": "erp", "id": "000420"}),
        ("{reference: no, source: crm}", {"source": "crm", "id": "000420"}),
        ("{reference: none}", None),
        ("{list: [no, none, type]}", ["000420", "S1"]),
        ("{record: {code: type, days: none}}", {"code": "S1", "days": None}),
        ("{record: {code: none}}", None),
        ("{sum: q, over: $item}", Decimal(7)),
        ("{max: {date: 'on'}, over: $item, where: {greater: [q, 0]}}", date(2026, 1, 1)),
        ("{min: {decimal: q}, over: $item}", Decimal(0)),
        ("{first: q, over: $item}", "2"),
        ("{last: q, over: $item}", "5"),
        ("{values: /contacts/phone}", ["1", "2"]),
        ("E1EDK03[IDDAT='012']/DATUM", "20260203"),
        ("/E1EDK03[IDDAT='002']/DATUM", "20260301"),
        ("/E1EDK03/0/DATUM", "20260203"),
        ("E1EDK03[IDDAT='003']/DATUM", None),
        ("E1EDK03[IDDAT!='012']/DATUM", "20260301"),
        ("/E1EDK01/E1EDKA1[PARVW='AG']/PARTN", "C1"),
        ("/E1EDK01/E1EDKA1[PARTN/@id='7'][PARVW=\"AG\"]/PARVW", "AG"),
        ("/E1EDK01/0/CURCY", "EUR"),
        ("{count: /E1EDK03}", 2),
        ("{max: DATUM, over: /E1EDK03, where: {not_empty: $parent.no}}", "20260301"),
        ("{count: $item, where: {greater: [q, 0]}}", 2),
        ("{all: {not_empty: q}, over: $item}", True),
        ("{all: {not_empty: 'on'}, over: $item}", False),
        ("{any: {equals: [q, '5']}, over: $item}", True),
        ("{first: $parent.no, over: $item}", "000420"),
    ],
)
def test_operator(text: str, expected: Any) -> None:
    found = evaluate(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{decimal: type}", "not_a_number"),
        ("{decimal: {const: NaN}}", "not_a_number"),
        ("{decimal: {const: '1e400'}}", "not_a_number"),
        ("{decimal: german}", "not_a_number"),
        ("{decimal: trailing, mark: ',', group: '.'}", "not_a_number"),
        ("{decimal: {const: '-5-'}, minus: trailing}", "not_a_number"),
        ("{decimal: {const: '1.23'}, mark: ',', group: '.'}", "not_a_number"),
        ("{decimal: {const: '1.2345,0'}, mark: ',', group: '.'}", "not_a_number"),
        ("{decimal: {const: '1,234.567'}, mark: ',', group: '.'}", "not_a_number"),
        ("{decimal: {const: '1,234,.5'}, group: ','}", "not_a_number"),
        ("{decimal: {const: '-Infinity'}, mark: ','}", "not_a_number"),
        ("{scale: net, currency: type, written: two_places}", "unknown_currency"),
        ("{convert: net, from: type, table: {KG: 1000}, otherwise: reject}", "unknown_unit"),
        ("{lookup: type, in: {F2: a}, otherwise: reject}", "unknown_value"),
        (
            "{lookup: type, in: {S1: [{from: 2027-01-01, to: 1}]}, take: to,"
            " as_of: {const: 2026-12-31}, otherwise: reject}",
            "unknown_value",
        ),
        ("{extract: memo, pattern: 'X(\\d)', otherwise: reject}", "no_match"),
        ("{check: net, equals: {const: 12}, tolerance: 0.01}", "check"),
        ("{datetime: type, unit: s}", "not_a_number"),
        ("{datetime: {const: '99999999999999999'}, unit: s}", "not_an_instant"),
        ("{date: {const: 60}, unit: excel}", "not_an_instant"),
        ("{date: {const: 0}, unit: excel}", "not_an_instant"),
        ("{datetime: day, time: {const: '25:00'}}", "not_a_time"),
        ("{datetime: day, time: {const: '10:00Z'}}", "not_a_time"),
        ("{date: {const: '20260230'}, format: '%Y%m%d'}", "not_a_date"),
        ("{date: {const: 2026-W54-1}}", "not_a_date"),
        ("/E1EDK03/DATUM", "several_values"),
        ("{sum: phone, over: /nested/phones}", "not_a_list"),
        ("{divide: [{const: 1}, {const: 0}], places: 2}", "calculation"),
        ("{integer: net}", "not_whole"),
        ("{date: {const: '2026-02-30'}}", "not_a_date"),
        ("{date: type, as: calendar_day}", "not_a_date"),
        ("{datetime: type}", "not_an_instant"),
        ("{map: {F2: invoice}, of: type, otherwise: reject}", "unknown_value"),
        ("{sign: net, by: type, negative: [C], positive: [D], source: unsigned}", "unknown_value"),
        ("{bool: type}", "not_a_truth_value"),
        ("{coalesce: [none, {reject: no_customer, reason: the customer is empty}]}", "no_customer"),
    ],
)
def test_value_that_means_nothing_is_refused_with_its_code(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        evaluate(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{decimal: net, mark: ab}", r"value.decimal.mark: expected a sign"),
        ("{decimal: net, mark: '.', group: '.'}", r"'mark' and 'group' are different"),
        ("{decimal: net, minus: behind}", r"value.decimal.minus: found 'behind'; allowed: leading"),
        ("{decimal: net, percent: yes please}", r"value.decimal.percent: allowed"),
        ("{scale: net}", r"value.scale: needs 'by', or 'currency' with 'written'"),
        ("{scale: net, by: 99}", r"value.scale.by: a power from -18 to 18"),
        ("{scale: net, currency: currency, written: cents}", r"allowed: two_places, smallest_unit"),
        (
            "{convert: net, from: unit, table: {KG: 1}}",
            r"value.convert: needs the option 'otherwise'",
        ),
        (
            "{convert: net, from: unit, table: {KG: 0}, otherwise: reject}",
            r"table.KG: expected a factor",
        ),
        ("{lookup: a, in: {x: {y: 1}}, otherwise: reject}", r"in.x: an entry with several columns"),
        ("{lookup: a, in: {x: {y: 1}}, take: z, otherwise: reject}", r"in.x: the entry has no 'z'"),
        (
            "{lookup: a, in: {x: 1}, as_of: d, otherwise: reject}",
            r"in.x: expected a list of entries",
        ),
        (
            "{lookup: a, in: {x: [{from: soon}]}, as_of: d, take: from, otherwise: null}",
            r"in.x\[0\].from: expected a date",
        ),
        (
            "{extract: a, pattern: '(', otherwise: null}",
            r"extract.pattern: '\(' is no pattern of RE2",
        ),
        (
            "{extract: a, pattern: '(a)', group: 2, otherwise: null}",
            r"extract.group: found 2; the pattern has 1",
        ),
        ("{extract: a, pattern: '(a)\\1', otherwise: null}", r"is no pattern of RE2"),
        ("{split: a, at: ';', part: 0}", r"split.part: the first part is 1"),
        ("{check: a, equals: b, tolerance: -1}", r"check.tolerance: expected a number from 0"),
        ("{datetime: a, unit: hours}", r"datetime.unit: found 'hours'; allowed: s, ms, us, excel"),
        ("{date: a, unit: s, format: '%d'}", r"'unit' is for numbers and 'format' for texts"),
        ("{datetime: a, unit: s, time: b}", r"'time' stands beside a date"),
        ("{date: a, format: dd.mm.yyyy}", r"date.format: expected one like"),
        ("{values: phones}", r"values: expected a path"),
        ("/E1EDK03[IDDAT=012]/DATUM", r"a predicate is written as name\[field='value'\]"),
        ("{sum: q, over: $nothing}", r"there is no join named 'nothing'"),
    ],
)
def test_option_that_means_nothing_is_an_error_at_its_place(text: str, message: str) -> None:
    with pytest.raises(Fault, match=message):
        Compiler("erp", Defaults(), View(), "value").expression(
            compose(f"value: {text}", "test").document()["value"]
        )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{decimal: trailing}", "'mark', 'group', 'minus' and 'percent'"),
        ("{decimal: {const: NaN}}", "it is not finite"),
        ("{decimal: {const: '1e400'}}", "it has more than 60 digits"),
        ("{decimal: trailing, mark: ','}", "is no decimal number with the sign ','"),
        (
            "{check: net, equals: {const: 12}, reason: lines and total}",
            "lines and total: 12.345 and 12",
        ),
    ],
)
def test_refusal_says_how_to_go_on(text: str, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        evaluate(text)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    )
)
def test_number_is_the_same_however_it_is_written(number: Decimal) -> None:
    written = f"{abs(number):,f}".translate(str.maketrans(",.", ".,"))
    sign = number < 0
    for text, minus in (
        (f"-{written}" if sign else written, "leading"),
        (f"{written}-" if sign else written, "trailing"),
        (f"({written})" if sign else written, "parentheses"),
    ):
        node = f"{{decimal: {{const: '{text}'}}, mark: ',', group: '.', minus: {minus}}}"
        assert evaluate(node) == number


def test_pattern_that_others_run_on_for_ever_is_found_in_time() -> None:
    pattern = "{extract: {const: '" + "a" * 50_000 + "!'}, pattern: '(a+)+$', otherwise: null}"
    assert evaluate(pattern) is None
