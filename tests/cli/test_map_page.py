"""docs/connect-a-source.md is true: its commands print what it shows, from its own files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.drafting.csv_examples import is_list
from connectors.drafting.csv_profiles import profile_name
from connectors.drafting.draft import draft_mapping
from connectors.drafting.samples import name_of, samples_of
from connectors.mapping import MappingError, parse_mapping
from connectors.mapping.contract import FILLED, contract_of, document_types
from ops.mapping_report import problem_lines
from tests.cli.page import Addition, Command, Edit, Excerpt, Step, fits, printed, steps_of
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


def follow(step: Step, folder: Path) -> None:
    """Make the edit of a step, or find what it shows."""
    if isinstance(step, Edit | Addition):
        step.made(folder)
    elif isinstance(step, Excerpt):
        assert step.stands(folder), f"{step.file} does not have:\n{step.text}"


def is_as_shipped(folder: Path) -> bool:
    """Whether the reader's files are those of the example."""
    shipped = [path for path in EXAMPLE.rglob("*") if path.is_file()]
    assert shipped
    return all(
        path.read_bytes() == (folder / path.relative_to(EXAMPLE)).read_bytes() for path in shipped
    )


def test_the_edits_of_the_page_make_the_shipped_mappings_of_the_real_drafts(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    shutil.copytree(EXAMPLE / "exports", tmp_path / "exports")
    for step in steps_of(PAGE.read_text(encoding="utf-8")):
        if isinstance(step, Command) and step.words[2:3] == ("--init",):
            _, _, _, records, *options = step.words
            documents = [one for flag, one in pairwise(options) if flag == "--event"]
            samples = samples_of(str(tmp_path / records))
            draft = draft_mapping(name_of(records), samples.records, documents, samples.places)
            (tmp_path / options[-1]).write_text(draft.text, encoding="utf-8")
        follow(step, tmp_path)
    assert is_as_shipped(tmp_path)


def test_each_piece_of_a_file_that_the_page_shows_is_held_against_the_file() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Columns that are already")[0]
    shown = [step for step in steps_of(page) if not isinstance(step, Command)]
    assert len(shown) == len(re.findall("^```(?:yaml|diff)$", page, re.MULTILINE)) >= 6


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
        if isinstance(step, Command):
            found = printed(newcomer, step)
            assert fits(step.output, found), f"$ {' '.join(step.words)}\n{found}"
        else:
            follow(step, newcomer.folder)
    assert is_as_shipped(newcomer.folder)


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
