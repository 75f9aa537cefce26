"""docs/documents.md lists what the contracts hold, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.mapping.contract import (
    FILLED,
    FieldType,
    contract_of,
    document_types,
    in_words,
)
from schemas.catalogue import DOCUMENTS
from schemas.closed_sets import CLOSED_SETS
from schemas.validation import violations

PAGE = Path(__file__).parents[2] / "docs" / "documents.md"


def records(schema: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Every record of a contract by its name."""
    if isinstance(schema, list):
        for branch in schema:
            records(branch, found)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            found[schema["name"]] = schema
            for entry in schema["fields"]:
                records(entry["type"], found)
        records(schema.get("items"), found)
        records(schema["type"], found)
    return found


def record_name(schema: Any) -> str:
    """The name of the record that a field holds, or of which it holds a list."""
    if isinstance(schema, list):
        return record_name(next(branch for branch in schema if branch != "null"))
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    return record_name(schema["items"]) if schema["type"] == "array" else str(schema["name"])


def type_of(name: str, wanted: FieldType) -> str:
    if wanted.kind == "record" and not wanted.is_reference:
        return f"a list, see {name}" if wanted.many else f"a record, see {name}"
    return "a text" if wanted.allowed else in_words(name, wanted)


def rows(schema: Any, fields: dict[str, FieldType], top: bool = False) -> Iterator[str]:
    for entry in schema["fields"]:
        name = entry["name"]
        wanted = fields[name]
        needed = "no" if wanted.optional else "yes"
        if top and name in FILLED:
            needed = "filled" if name != "occurred_at" else "filled if left out"
        shown = record_name(entry["type"]) if wanted.kind == "record" else name
        allowed = ", ".join(f"`{word}`" for word in wanted.allowed)
        yield (
            f"| `{name}` | {type_of(shown, wanted)} | {needed} | {allowed} |"
            f" {entry['doc'].replace('|', chr(92) + '|')} |"
        )


def section_of(document: str) -> Iterator[str]:
    """What the page says of a document type."""
    schema = DOCUMENTS[document].schema
    fields = dict(contract_of(document))
    yield from table(document, 2, schema, rows(schema, fields, top=True))
    inner = {
        record_name(entry["type"]): fields[entry["name"]]
        for entry in schema["fields"]
        if fields[entry["name"]].kind == "record"
    }
    nested = records(schema, {})
    for name, wanted in inner.items():
        if not wanted.is_reference:
            parts = dict(wanted.fields)
            yield from table(f"{document}: {name}", 3, nested[name], rows(nested[name], parts))


def table(title: str, level: int, schema: Any, lines: Iterator[str]) -> Iterator[str]:
    yield from ["", f"{'#' * level} {title}", "", schema["doc"], ""]
    yield from [
        "| field | holds | required | allowed | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    yield from lines


@pytest.mark.parametrize("document", document_types())
def test_page_lists_every_field_of_the_contract(document: str) -> None:
    text = "\n".join(section_of(document)) + "\n"
    assert text in PAGE.read_text(encoding="utf-8"), f"docs/documents.md should hold:\n{text}"


@pytest.mark.parametrize(("document", "field"), sorted(CLOSED_SETS))
def test_allowed_words_are_those_of_the_business_rules(document: str, field: str) -> None:
    given: dict[str, Any] = dict.fromkeys(contract_of(document)) | {
        "source": "erp",
        "id": "1",
        "version": 1,
        "lines": [],
    }
    given |= {
        name: next(iter(words)) for (of, name), words in CLOSED_SETS.items() if of == document
    }
    refused = violations(document, given | {field: "?"})
    assert refused is not None
    assert refused.reason.endswith(f"one of {', '.join(sorted(CLOSED_SETS[document, field]))}.")
