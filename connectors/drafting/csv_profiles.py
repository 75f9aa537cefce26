"""Writes the generic CSV profile of each document type: columns named as the contract's fields.

``python -m connectors.drafting.csv_profiles`` writes them anew after a contract has grown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from connectors.drafting.csv_examples import entry_keys, is_list, order_by, test_of
from connectors.drafting.naming import vocabulary
from connectors.drafting.phrasing import word
from connectors.mapping.contract import FILLED, FieldType, contract_of, document_types
from connectors.mapping.loading import PROFILES


def profile_name(document: str) -> str:
    """The name of a type's generic CSV profile."""
    return f"csv_{document}"


def csv_profile(document: str) -> str:
    """The text of the generic CSV profile of a document type, with a test from its contract."""
    contract = contract_of(document)
    lists = [name for name, wanted in contract.items() if is_list(wanted)]
    lines = [
        f"# Generic CSV, each row one {document}. Not tested on a site's sample.",
        "# Columns are named as in docs/documents.md. Made by csv_profiles.py.",
        f"profile: {profile_name(document)}/1",
        "",
        "streams:",
        *_stream(document, document if lists else None),
        *_optional({each: one for each, one in contract.items() if each not in lists}),
    ]
    for name in lists:
        lines += _entry_stream(document, name, contract[name])
    lines += ["", "events:", f"- emit: {document}", f"  from: {document}", "  key: id", "  fields:"]
    fields = [
        f"    {name}: {text}"
        for name, wanted in contract.items()
        if name not in ("version", "source", "id") and name not in lists
        for text in [_occurred(document) if name == "occurred_at" else _expression(name, wanted)]
    ]
    lines += fields
    for name in lists:
        lines += _entries(document, name, contract[name])
    lines += ["", "tests:", *test_of(document)]
    return "\n".join(lines) + "\n"


def _stream(document: str, pattern: str | None) -> Iterator[str]:
    yield f"  {document}:"
    if pattern is not None:
        yield f'    from: "{pattern}*"'
    yield "    key: id"
    yield "    changed: recorded_at"
    yield "    version: precise"


def _entry_stream(document: str, name: str, wanted: FieldType) -> Iterator[str]:
    keys = entry_keys(name, wanted)
    parts = [f'{{default: {key}, to: ""}}' if wanted.fields[key].optional else key for key in keys]
    yield f"  {name}:"
    yield f'    from: "{document}*{name}*"'
    yield f"    key: [{document}_id, {', '.join(parts)}]"
    yield from _optional(wanted.fields)


def _optional(fields: Mapping[str, FieldType]) -> Iterator[str]:
    """Which columns a file may lack: those without which there is a document all the same."""
    columns = [
        word(column)
        for name, wanted in fields.items()
        if name not in ("version", "source", "id") and (wanted.optional or name in FILLED)
        for column in _columns(name, wanted)
    ]
    if columns:
        yield f"    optional: [{', '.join(columns)}]"


def _columns(name: str, wanted: FieldType) -> list[str]:
    if wanted.is_reference:
        return [f"{name}.source", f"{name}.id"] if wanted.many else [name]
    return [f"{name}.{each}" for each in wanted.fields] if wanted.fields else [name]


def _expression(name: str, wanted: FieldType, above: str = "") -> str:
    column = word(name) if not above else json.dumps(above + name)
    if wanted.is_reference and wanted.many:
        parts = f'{{source: "{name}.source", id: "{name}.id"}}'
        return f"{{list: [{{record: {parts}}}]}}"
    if wanted.is_reference:
        return f"{{reference: {column}}}"
    if wanted.many:
        return f'{{split: {column}, at: ";"}}'
    if wanted.fields:
        return _record(name, wanted)
    if above and wanted.kind == "integer":
        return f"{{default: {{integer: {column}}}, to: 0}}"
    if above and wanted.kind == "bool":
        return f"{{default: {{bool: {column}}}, to: false}}"
    return column


def _record(name: str, wanted: FieldType) -> str:
    """A record where one of its columns has a value; its numbers are 0 where they have none."""
    parts = ", ".join(
        f"{each}: {_expression(each, inner, f'{name}.')}" for each, inner in wanted.fields.items()
    )
    some = ", ".join(f'{{not_empty: "{name}.{each}"}}' for each in wanted.fields)
    return f"{{case: [{{if: {{or: [{some}]}}, then: {{record: {{{parts}}}}}}}]}}"


def _occurred(document: str) -> str:
    """When it took place: said, else its business date, else its last change, else 1970."""
    dated = vocabulary().dated.get(document)
    others = "" if dated is None else f"{dated}, "
    return f'{{coalesce: [occurred_at, {others}recorded_at, {{const: "1970-01-01"}}]}}'


def _entries(document: str, name: str, wanted: FieldType) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    join: {{{name}: {{{document}_id: id}}}}"
    yield f"    order_by: {order_by(name, wanted)}"
    yield "    fields:"
    for each, inner in wanted.fields.items():
        yield f"      {each}: {_expression(each, inner)}"


def main() -> None:
    """Write all profiles into the folder of the shipped ones."""
    for document in document_types():
        path = PROFILES / f"{profile_name(document)}.yaml"
        path.write_text(csv_profile(document), encoding="utf-8")


if __name__ == "__main__":
    main()
