"""docs/rejections.md lists every code under which a message or a document is refused."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from schemas.catalogue import TOPICS
from schemas.closed_sets import CLOSED_SETS
from schemas.reasons import BROKEN_RULES, UNREADABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rejections.md").read_text(encoding="utf-8")


def first_words(path: Path, *called: str) -> Iterator[str]:
    """The first literal text given to each call of one of these functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if node.func.id in called and words:
                yield str(words[0])


def codes_in_the_code() -> set[str]:
    modules = sorted((ROOT / "schemas").glob("*.py"))
    literal = {code for path in modules for code in first_words(path, "Rejected")}
    numbered = {f"{part}_number" for path in modules for part in first_words(path, "unique")}
    return literal | numbered | {field for _, field in CLOSED_SETS}


def test_every_code_is_listed_and_no_other() -> None:
    assert codes_in_the_code() == UNREADABLE.keys() | BROKEN_RULES.keys()


def test_every_rule_has_an_example_that_breaks_it() -> None:
    events = [topic for topic in TOPICS.values() if topic.kind == "event"]
    broken = {example["code"] for topic in events for example in topic.golden()["invalid"]}
    assert broken == BROKEN_RULES.keys() | {"contract"}


@pytest.mark.parametrize("codes", [UNREADABLE, BROKEN_RULES], ids=["unreadable", "rules"])
def test_page_says_of_each_code_what_is_allowed(codes: Mapping[str, str]) -> None:
    rows = [
        f"| `{code}` | {allowed.replace('|', chr(92) + '|')} |" for code, allowed in codes.items()
    ]
    text = "\n".join(["| code | allowed |", "| --- | --- |", *rows]) + "\n"
    assert text in PAGE, f"docs/rejections.md should hold:\n{text}"


def test_page_lists_what_the_connectors_refuse_before_it_is_a_message() -> None:
    path = ROOT / "connectors" / "encoding.py"
    codes = {*first_words(path, "_rejection"), "key_too_long"}
    assert {code for code in codes if f"| `{code}` |" not in PAGE} == set()
    assert "too_large" in codes
