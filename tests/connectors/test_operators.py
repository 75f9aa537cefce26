"""Each operator of the mapping language on one record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.mapping.compiler import Compiler, Defaults, View
from connectors.mapping.values import Node, Refusal
from connectors.mapping.yaml_text import read_yaml

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
}
CHILDREN = [{"q": "2", "on": "2026-01-01"}, {"q": "0", "on": "2026-03-01"}, {"q": "5", "on": ""}]


def evaluate(text: str) -> Any:
    view = View()
    view.aliases["item"] = View(parent=view)
    view.aliases["one"] = View(parent=view)
    view.many.add("item")
    defaults = Defaults(zone=ZoneInfo("Asia/Shanghai"))
    expression = Compiler("erp", defaults, view).expression(
        read_yaml(f"value: {text}", "test")["value"]
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
        ("{strip_zeros: no}", "420"),
        ("{strip_zeros: {const: '000'}}", "0"),
        ("{pad: {strip_zeros: no}, to: 5}", "00420"),
        ("{trim: name}", "Ada"),
        ("{upper: {trim: name}}", "ADA"),
        ("{text: {decimal: {const: '2.0'}}}", "2"),
        ("{decimal: net}", Decimal("12.345")),
        ("{decimal: german, mark: ',', group: '.'}", Decimal("1234.50")),
        ("{decimal: none}", None),
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
