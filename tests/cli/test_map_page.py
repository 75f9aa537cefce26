"""docs/connect-a-source.md is true: its commands print what it shows, from its own files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.drafting.csv_examples import is_list
from connectors.drafting.csv_profiles import profile_name
from connectors.drafting.draft import draft_mapping
from connectors.drafting.samples import sample_records
from connectors.mapping import MappingError, parse_mapping
from connectors.mapping.contract import FILLED, contract_of, document_types
from ops.mapping_report import problem_lines
from tests.cli.page import Command, Edit, edited, fits, printed, steps_of
from tests.cli.shop import Shop, opened_shop

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "connect-a-source.md"
EXAMPLE = ROOT / "examples" / "connect"


@pytest.fixture
def newcomer() -> Iterator[Shop]:
    """A folder with the exports of the example, and nothing else."""
    with opened_shop() as shop:
        for name in ("exports", "mappings"):
            shutil.rmtree(shop.folder / name)
        (shop.folder / "headrace.yaml").unlink()
        (shop.folder / "mappings").mkdir()
        shutil.copytree(EXAMPLE / "exports", shop.folder / "exports")
        yield shop


def test_the_drafts_and_mappings_that_the_page_shows_are_the_real_ones() -> None:
    """Each line of its YAML is one of the draft, of a finished mapping or of the configuration."""
    drafts = [
        draft_mapping(
            name, sample_records(str(EXAMPLE / "exports" / f"{name}.csv")), documents
        ).text
        for name, documents in (
            ("receivables", ["invoice", "payment"]),
            ("pipeline", ["opportunity", "customer"]),
        )
    ]
    files = [path.read_text(encoding="utf-8") for path in EXAMPLE.rglob("*.yaml")]
    real = {line.rstrip() for text in (*drafts, *files) for line in text.splitlines()}
    page = PAGE.read_text(encoding="utf-8").partition("## Columns that are already")[0]
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines() if line.strip() != "…"]
    assert len(shown) > 30
    assert [line for line in shown if line and line not in real] == []


def test_the_problem_that_the_page_shows_is_drawn_so() -> None:
    text = (
        "\n" * 10 + "streams: {bill: {key: no}}\nevents:\n- emit: invoice\n  from: bill\n"
        "  key: no\n  fields:\n    kind: {map: {F2: invoice}, of: type}\n"
    )
    with pytest.raises(MappingError) as error:
        parse_mapping(text, "erp", "mappings/erp.yaml")
    lines = list(problem_lines(error.value, pictured=True))
    found = next(place for place, line in enumerate(lines) if "otherwise" in line)
    assert "\n".join(lines[found : found + 3]) in PAGE.read_text(encoding="utf-8")


@pytest.mark.stack
@pytest.mark.timeout(300)
def test_the_commands_of_the_page_print_what_it_shows(newcomer: Shop) -> None:
    steps = list(steps_of(PAGE.read_text(encoding="utf-8")))
    assert sum(isinstance(step, Command) for step in steps) >= 10
    for step in steps:
        if isinstance(step, Edit):
            edited(newcomer, EXAMPLE, step.file)
            continue
        found = printed(newcomer, step)
        assert fits(step.output, found), f"$ {' '.join(step.words)}\n{found}"


@pytest.mark.parametrize("document", document_types())
def test_the_table_of_generic_profiles_has_what_each_needs(document: str) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    (line,) = [one for one in lines if one.startswith(f"| `{profile_name(document)}` |")]
    contract = contract_of(document)
    needed = [name for name, one in contract.items() if not one.optional and name not in FILLED]
    _, _, columns, files, _ = line.split("|")
    assert columns.strip() == ", ".join(f"`{name}`" for name in ["id", *needed])
    lists = [name for name, wanted in contract.items() if is_list(wanted)]
    assert files.strip() == ", ".join(f"`{document}*{name}*` (`{document}_id`)" for name in lists)
