"""docs/mappings.md lists every operator with its options, and what it shows can be loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.mapping.compiler import Compiler, Defaults, View
from connectors.mapping.operators import __all__ as families
from connectors.mapping.registry import OPERATORS
from connectors.mapping.yaml_text import compose

PAGE = (Path(__file__).parents[2] / "docs" / "mappings.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| operator | example |")[2].partition("\n\n")[0]
ROWS = {
    name: example
    for names, example in re.findall(r"^\| (.+?) \| (.+) \|$", TABLE, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", names)
}
#: The aggregates share a row, whose example is of one of them.
TOGETHER = {"where", "over"}


def test_page_lists_every_operator_and_no_other() -> None:
    assert families
    assert sorted(ROWS) == sorted(OPERATORS)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_page_names_every_option(name: str) -> None:
    text = ROWS[name] + PAGE.partition("## Formulas")[2].partition("\n## ")[0]
    missing = [option for option in OPERATORS[name].options - TOGETHER if option not in text]
    assert not missing


@pytest.mark.parametrize(
    "example", [found for row in ROWS.values() for found in re.findall(r"`(\{[^`…]+\})`", row)]
)
def test_examples_can_be_loaded(example: str) -> None:
    view = View(parent=View())
    for alias in ("item", "journal", "delivery"):
        view.aliases[alias] = View(parent=view)
    view.many.add("item")
    # Words that stand for a test, a value or a list of fields.
    text = re.sub(r"\btest\b", "{not_empty: a}", example)
    node = compose(f"value: {text}", "docs/mappings.md").document()["value"]
    if set(node) & set(OPERATORS):
        Compiler("erp", Defaults(), view).expression(node)
