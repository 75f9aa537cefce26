"""Golden examples of the contracts as rows of CSV files, for the tests of the generic profiles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connectors.mapping.contract import FieldType, contract_of
from connectors.mapping.joins import natural
from schemas.catalogue import DOCUMENTS

#: By what the entries of a list are told apart, where they have no number and what is required
#: does not do it.
_ENTRY_KEYS: Mapping[str, tuple[str, ...]] = {
    "disputes": ("since",),
    "allocations": ("invoice", "instalment"),
}
#: Longer texts are in the examples for the sake of the limits.
_LONGEST = 200


def is_list(wanted: FieldType) -> bool:
    """Whether the field is a list of records, which have a file of their own."""
    return wanted.many and bool(wanted.fields) and not wanted.is_reference


def entry_keys(name: str, wanted: FieldType) -> Sequence[str]:
    """By which fields the entries of a list are told apart."""
    if "number" in wanted.fields:
        return ("number",)
    required = [each for each, inner in wanted.fields.items() if not inner.optional]
    return _ENTRY_KEYS.get(name, required)


def order_by(name: str, wanted: FieldType) -> str:
    """By which field they are ordered."""
    return entry_keys(name, wanted)[0]


def test_of(document: str) -> Iterator[str]:
    """The fullest golden example of the contract, as rows and as the event that they become."""
    example = max(DOCUMENTS[document].golden()["valid"], key=_fullness)
    contract = contract_of(document)
    fields = {
        name: value
        for name, value in example.items()
        if name not in ("version", "source", "id")
        and value not in (None, [])
        # Of several references only one stands in a row.
        and not (contract[name].many and contract[name].is_reference and len(value) > 1)
    }
    yield "- name: the fullest example of the contract"
    yield "  records:"
    yield f"    {document}:"
    plain = {name: value for name, value in fields.items() if not is_list(contract[name])}
    yield f"    - {_flow(_row({'id': example['id'], **plain}, contract))}"
    for name, entries in fields.items():
        if is_list(contract[name]):
            yield f"    {name}:"
            for entry in entries:
                row = {f"{document}_id": example["id"], **_row(entry, contract[name].fields)}
                yield f"    - {_flow(row)}"
    yield "  expect:"
    yield f"  - emit: {document}"
    yield f"    id: {json.dumps(example['id'], ensure_ascii=False)}"
    yield "    fields:"
    for name, value in fields.items():
        if is_list(contract[name]):
            value = sorted(value, key=_in_order(name, contract[name]))
        yield f"      {name}: {_flow(_without_sources(value, contract[name]))}"


def _fullness(example: Any) -> int:
    """How many values an example has; those that try the limits of lengths come last."""
    if isinstance(example, dict | list):
        inner = example.values() if isinstance(example, dict) else example
        return sum(map(_fullness, inner))
    return -_LONGEST if len(str(example)) > _LONGEST else int(example is not None)


def _in_order(name: str, wanted: FieldType) -> Callable[[dict[str, Any]], Any]:
    """Entries in the order of their rows: by ``order_by`` (the first of the keys), then by key."""
    keys = entry_keys(name, wanted)
    return lambda entry: [
        natural(_without_sources(entry.get(key), wanted.fields[key])) for key in keys
    ]


def _row(values: Mapping[str, Any], fields: Mapping[str, FieldType]) -> dict[str, str]:
    """The columns of a row that hold these values."""
    row: dict[str, str] = {}
    for name, value in values.items():
        wanted = fields[name]
        if value in (None, []):
            continue
        if wanted.is_reference and wanted.many:
            row |= {f"{name}.{part}": text for part, text in value[0].items()}
        elif wanted.is_reference:
            row[name] = value["id"]
        elif wanted.many:
            row[name] = ";".join(value)
        elif wanted.fields:
            inner = _row(value, wanted.fields)
            row |= {f"{name}.{part}": text for part, text in inner.items()}
        else:
            row[name] = (
                {True: "true", False: "false"}[value] if value.__class__ is bool else str(value)
            )
    return row


def _without_sources(value: Any, wanted: FieldType) -> Any:
    """An expected value in which the documents of this source are named by their ids alone."""
    if wanted.is_reference and not wanted.many:
        return None if value is None else value["id"]
    if isinstance(value, list) and wanted.fields and not wanted.is_reference:
        return [
            _without_sources(each, FieldType("record", True, False, wanted.fields))
            for each in value
        ]
    if isinstance(value, dict) and wanted.fields and not wanted.is_reference:
        return {
            name: _without_sources(each, wanted.fields[name])
            for name, each in value.items()
            if each is not None
        }
    return value


def _flow(value: Any) -> str:
    """A value in one line of YAML, which JSON is."""
    return json.dumps(value, ensure_ascii=False)
