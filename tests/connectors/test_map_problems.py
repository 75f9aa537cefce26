"""What is wrong in a mapping is told with its line, a caret and the word that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.mapping import MappingError, load_mapping, parse_mapping
from connectors.mapping.problems import MappingProblem, guessed

TEXT = """\
streams:
  bill: {from: bills, key: no}
events:
- emit: invoice
  from: bill
  key: no
  fields:
    net: {decimal: net}
    gross: {decmal: gross}
    nett: net
    kind:
      map: {F2: invoice}
      of: type
    customer: {reference: customer}
    invoiced_on: {date: day}
    currency: TODO   # an ISO 4217 code
    status: {const: posted}
"""


def problems_of(text: str, origin: str = "erp.yaml") -> list[MappingProblem]:
    with pytest.raises(MappingError) as error:
        parse_mapping(text, "erp", origin)
    return list(error.value.problems)


def test_each_problem_stands_at_its_line_and_column_in_the_order_of_the_file() -> None:
    found = [(one.path, str(one.spot)) for one in problems_of(TEXT)]
    assert found == [
        ("events[0].fields.gross", "erp.yaml:9:5"),
        ("events[0].fields", "erp.yaml:10:5"),
        ("events[0].fields.kind.map", "erp.yaml:12:7"),
        ("events[0].fields.currency", "erp.yaml:16:15"),
    ]


def test_a_problem_is_told_in_one_line_and_drawn_with_a_caret() -> None:
    problem = problems_of(TEXT)[2]
    assert str(problem).startswith("erp.yaml:12:7: events[0].fields.kind.map: needs the option")
    assert problem.spot is not None
    assert problem.spot.picture == "      map: {F2: invoice}\n      ^"


def test_what_a_draft_left_open_is_told_with_its_comment() -> None:
    assert problems_of(TEXT)[3].message == "TODO: an ISO 4217 code"


def test_the_word_that_was_meant_is_named() -> None:
    messages = [one.message for one in problems_of(TEXT)]
    assert "unknown operator decmal (did you mean 'decimal'?)" in messages[0]
    assert "unknown key 'nett' (did you mean 'net'?)" in messages[1]
    wrong_type = problems_of(TEXT.replace("emit: invoice", "emit: invoce"))
    assert any("did you mean 'invoice'?" in one.message for one in wrong_type)
    assert guessed("zzz", ["net", "gross"]) == ""


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("streams: [{\nevents: ]", "erp.yaml:2:9"),
        ("streams: {a: {key: x}}\nstreams: 1", "erp.yaml:2:1"),
        ("a:\n\t- b", "erp.yaml:2:1"),
    ],
)
def test_text_that_is_no_yaml_is_told_with_its_line(text: str, spot: str) -> None:
    (problem,) = problems_of(text)
    assert str(problem.spot) == spot


def test_a_value_is_pointed_at_itself_and_a_key_with_dots_is_found() -> None:
    text = TEXT.replace("from: bill\n", "from: bil\n").replace("bill: {", "bi.ll: {")
    spots = {one.path: str(one.spot) for one in problems_of(text)}
    assert spots["events[0].from"] == "erp.yaml:5:9"
    assert "streams.bi.ll" not in spots
    text = text.replace("key: no}", "key: no, version: date}")
    assert {one.path: str(one.spot) for one in problems_of(text)}["streams.bi.ll"] == "erp.yaml:2:3"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.yaml:\s.*cannot be read: No such file"):
        load_mapping(str(tmp_path / "none.yaml"), "erp")
