"""Records of a JSON document that are arrays get the names that the mapping gives their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.files.source import FilesReader
from connectors.mapping import MappingError
from connectors.mapping.model import SourceMapping
from connectors.portions import Broken
from tests.connectors.sources import mapping


def named(columns: str) -> SourceMapping:
    return mapping(
        f"streams: {{order: {{key: no, columns: {columns}}}}}\n"
        "events: [{emit: employee, from: order, key: no, fields: {name: name}}]\n"
    )


def read(folder: Path, text: str) -> tuple[list[dict[str, object]], list[Broken]]:
    (folder / "orders.json").write_text(text)
    portions = list(FilesReader(str(folder), named("[no, name]"), "sample").portions({}, True))
    return (
        [row for portion in portions for _, row in portion.rows],
        [one for portion in portions for one in portion.broken],
    )


def test_values_get_their_names_and_numbers_stay_as_written(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, '[[1, "Ada"], [2.50, null], {"no": 3, "name": "Cy"}]')
    assert rows == [{"no": 1, "name": "Ada"}, {"no": "2.50", "name": None}, {"no": 3, "name": "Cy"}]
    assert broken == []


def test_array_of_another_length_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, '[[1], [1, "Ada", 9], [2, "Ben"]]')
    assert rows == [{"no": 2, "name": "Ben"}]
    assert [(one.number, one.code) for one in broken] == [
        (1, "wrong_columns"),
        (2, "wrong_columns"),
    ]
    assert broken[0].raw == b"[1]"


@pytest.mark.parametrize("columns", ["[]", "no", "[no, no]", "[no, 1]"])
def test_columns_are_names_of_which_none_comes_twice(columns: str) -> None:
    with pytest.raises(MappingError, match=r"streams\.order\.columns"):
        named(columns)
