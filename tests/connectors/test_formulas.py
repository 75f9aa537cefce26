"""Formulas over the fields of a record: what they work out, refuse, and cannot do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping.compiler import Compiler, Defaults, View
from connectors.mapping.operators.numbers import EXACT
from connectors.mapping.problems import Fault
from connectors.mapping.values import Node, Refusal

RECORD = {
    "qty": "2",
    "price": "3.50",
    "discount": "5",
    "state": "07",
    "empty": "",
    "word": "no sum",
}


def compiled(text: str, **options: Any) -> Any:
    compiler = Compiler("erp", Defaults(), View(), "value")
    return compiler.expression({"expression": text, **options})


def evaluate(text: str, **options: Any) -> Any:
    return compiled(text, **options)(Node(RECORD))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qty * price * (1 - discount / 100)", Decimal("6.6500")),
        ("qty - price - 1", Decimal("-2.50")),
        ("-qty + 0.1 + 0.2", Decimal("-1.7")),
        ("qty * empty", None),
        ("qty * (empty ?? 4)", Decimal(8)),
        ("qty > 1 and price < 4 ? 'many' : 'few'", "many"),
        ("empty > 1 or not (price >= 4)", True),
        ("state == '07'", True),
        ("state == 7", True),
        ("state != '7'", True),
        ("empty == null", True),
        ("state in ['06', '07']", True),
        ("state in ['7']", False),
        ("min(qty, price, 3)", Decimal(2)),
        ("max(qty, price)", Decimal("3.50")),
        ("max(qty, empty)", None),
        ("abs(qty - price)", Decimal("1.50")),
        ("round(price / 3, 2)", Decimal("1.17")),
        ("round(2.5, 0)", Decimal(3)),
        ("qty / 8", Decimal("0.25")),
        ("word", "no sum"),
    ],
)
def test_formula(text: str, expected: Any) -> None:
    found = evaluate(text)
    assert found == expected
    assert type(found) is type(expected)


def test_places_round_what_may_never_end_half_up() -> None:
    assert evaluate("qty / 3", places=3) == Decimal("0.667")
    assert evaluate("empty / 3", places=3) is None


def test_names_stand_for_other_expressions() -> None:
    given = {"due": {"date": {"const": "2026-03-01"}}, "n": {"default": "empty", "to": 9}}
    assert (
        evaluate(
            "due > limit ? n : 0", **{"with": given | {"limit": {"date": {"const": "2026-02-01"}}}}
        )
        == 9
    )


def test_dates_are_compared_and_not_reckoned_with() -> None:
    day = {"with": {"day": {"date": {"const": "2026-03-01"}}}}
    assert evaluate("day", **day) == date(2026, 3, 1)
    with pytest.raises(Refusal, match="is no decimal number"):
        evaluate("day + 1", **day)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("word * 2", "not_a_number"),
        ("1 / (qty - 2) > 3 ? 1 : 2", "calculation"),
        ("qty > word", "not_a_number"),
        ("word ? 1 : 2", "not_a_truth_value"),
    ],
)
def test_value_that_cannot_be_reckoned_with_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        evaluate(text, places=2) if "/" in text else evaluate(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qty +", "cannot be read at its end"),
        ("qty * * price", r"cannot be read at character 7"),
        ("qty @ 2", r"cannot be read at character 5"),
        ("qty / price", "a quotient may never end: give the option 'places'"),
        ("1 / 3", "a quotient may never end"),
        ("qty.__class__", "GetAttribute has no place in a formula"),
        ("qty.length", "GetAttribute has no place"),
        ("word['x']", "GetItem has no place"),
        ("word =~ '(a+)+'", "eq_fzm has no place|FuzzyComparison has no place"),
        ("qty ** 9999999", "has no place"),
        ("qty // 2", "has no place"),
        ("qty << 99999999", "has no place"),
        ("[x for x in word]", "Comprehension has no place"),
        ("$range(100000000)", "expected abs"),
        ("$now", "Symbol has no place"),
        ("open('x')", "expected abs"),
        ("round(qty)", "expected abs"),
        ("round(qty, price)", "'places' is a number from 0 to 9"),
        ("qty in price", "'in' needs a list of values"),
        ("nan", "nan and inf are no numbers"),
        ("'a' * 3", "cannot be read"),
    ],
)
def test_what_is_no_formula_is_an_error_when_the_mapping_is_loaded(text: str, message: str) -> None:
    with pytest.raises(Fault, match=f"value.expression: .*({message})"):
        compiled(text)


def test_name_that_the_formula_does_not_use_is_an_error() -> None:
    with pytest.raises(Fault, match=r"value.expression.with: the formula does not use 'gty'"):
        compiled("qty * 2", **{"with": {"gty": "Qty"}})


AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=4)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_formula_is_exact(a: Decimal, b: Decimal, c: Decimal) -> None:
    formula = compiled("a * b - (c + a) / 4")
    expected = EXACT.subtract(EXACT.multiply(a, b), EXACT.divide(EXACT.add(c, a), Decimal(4)))
    assert formula(Node({"a": str(a), "b": b, "c": str(c)})) == expected


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_stands_in_a_record_gives_a_value_or_a_refusal(a: str, b: str) -> None:
    formula = compiled("a * a * b > 1 and a != b ? round(a + b, 2) : a ?? b")
    try:
        formula(Node({"a": a, "b": b}))
    except Refusal as refusal:
        assert refusal.reason
