"""Runs the tests that a mapping holds: records in, events out, differences field by field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.dry_run import DryRun, dry_run, dry_run_of, held_against_contracts
from connectors.mapping.compiler import UTC_ZONE, Compiler, Defaults, View
from connectors.mapping.contract import FieldType, coercion, contract_of
from connectors.mapping.loading import compile_mapping
from connectors.mapping.model import SourceMapping
from connectors.mapping.problems import MappingError, MappingProblem, collected
from connectors.mapping.stream_loading import one_of, only
from connectors.mapping.values import Draft, Refusal, as_text, shown
from connectors.mapping.yaml_text import Written
from connectors.portions import Origin, Portion
from schemas.plain import to_plain

_KEYS = ("name", "records", "given", "expect", "rejects")
_EXPECTED_KEYS = ("emit", "id", "fields")


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that a test expects; only the fields that it names are compared."""

    document: str
    id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MappingTest:
    """One entry of ``tests``: records by stream, or files; what they become."""

    name: str
    records: Mapping[str, Sequence[dict[str, Any]]]
    given: str | None
    expected: tuple[Expected, ...]
    rejects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test and what was not as it expects; nothing where it has passed."""

    __test__ = False

    name: str
    differences: tuple[str, ...]


def run_tests(written: Written, source: str = "test") -> list[TestResult]:
    """Run all tests of a mapping, in UTC where it names no zone.

    Raises:
        MappingError: the mapping or one of its tests is not valid.
    """
    mapping = compile_mapping(written, source)
    return [
        TestResult(test.name, tuple(_differences(mapping, test)))
        for test in load_tests(written, mapping)
    ]


def load_tests(written: Written, mapping: SourceMapping) -> list[MappingTest]:
    """The tests of a mapping.

    Raises:
        MappingError: one of them is not valid.
    """
    nodes = written.document().get("tests") or []
    compiler = Compiler(mapping.source, Defaults(), View(), "tests")
    problems: list[MappingProblem] = []
    tests: list[MappingTest] = []
    if not isinstance(nodes, list):
        problems.append(compiler.problem(f"expected a list, found {shown(nodes)}"))
        nodes = []
    for position, node in enumerate(nodes):
        with collected(problems):
            tests.append(_test(compiler.at(position), node, position, mapping, written.folder))
    if problems:
        raise MappingError(written.origin, map(written.placed, problems))
    return tests


def _test(
    compiler: Compiler, node: Any, position: int, mapping: SourceMapping, folder: Path
) -> MappingTest:
    only(compiler, node, _KEYS)
    if ("records" in node) == ("given" in node):
        raise compiler.fail("needs either 'records' (by stream) or 'given' (a file or folder)")
    if "expect" not in node and "rejects" not in node:
        raise compiler.fail("needs 'expect' (a list of events) or 'rejects' (a list of codes)")
    records = node.get("records", {})
    place = compiler.at("records")
    only(place, records, sorted(mapping.streams))
    for stream, rows in records.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise place.at(stream).fail(f"expected a list of records, found {shown(rows)}")
    expect = node.get("expect", [])
    if isinstance(expect, str):
        expect = _read_json(compiler.at("expect"), folder / expect)
    rejects = node.get("rejects", [])
    for key, found in (("expect", expect), ("rejects", rejects)):
        if not isinstance(found, list):
            raise compiler.at(key).fail(f"expected a list, found {shown(found)}")
    emitted = sorted({event.document for event in mapping.events})
    return MappingTest(
        name=str(node.get("name", f"test {position + 1}")),
        records={stream: [_as_read(row) for row in rows] for stream, rows in records.items()},
        given=None if "given" not in node else str(folder / str(node["given"])),
        expected=tuple(
            _expected(compiler.at("expect").at(place), each, emitted)
            for place, each in enumerate(expect)
        ),
        rejects=tuple(map(str, rejects)),
    )


def _read_json(compiler: Compiler, path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise compiler.fail(f"{path} cannot be read: {error}") from error


def _expected(compiler: Compiler, node: Any, emitted: Sequence[str]) -> Expected:
    only(compiler, node, _EXPECTED_KEYS, ("emit", "id"))
    document = one_of(compiler.at("emit"), node["emit"], emitted)
    fields = node.get("fields") or {}
    only(compiler.at("fields"), fields, sorted(contract_of(document)))
    return Expected(document, as_text(node["id"]), fields)


def _as_read(value: Any) -> Any:
    """A value as the readers of files hand it in: a number with a fraction is a text."""
    if isinstance(value, dict):
        return {str(name): _as_read(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_read(each) for each in value]
    return str(value) if isinstance(value, float) else value


def _differences(mapping: SourceMapping, test: MappingTest) -> Iterator[str]:
    run = held_against_contracts(_run(mapping, test))
    made = {(draft.document, draft.id): draft for draft in run.drafts}
    for one in test.expected:
        draft = made.pop((one.document, one.id), None)
        if draft is None:
            yield f"{one.document} {one.id}: expected, not made"
        else:
            yield from _of_fields(one, draft)
    for document, key in made:
        yield f"{document} {key}: made, not expected"
    wanted, found = Counter(test.rejects), Counter(one.code for one in run.rejections)
    for code in wanted - found:
        yield f"rejection {code}: expected, did not happen"
    left = found - wanted
    for rejection in run.rejections:
        if left[rejection.code]:
            left[rejection.code] -= 1
            yield f"rejection {rejection.code} at {rejection.place}: {rejection.reason}"


def _run(mapping: SourceMapping, test: MappingTest) -> DryRun:
    if test.given is not None:
        return dry_run(mapping, test.given)
    return dry_run_of(
        mapping,
        [
            Portion(Origin(stream, mapping.streams[stream]), list(enumerate(rows, 1)))
            for stream, rows in test.records.items()
        ],
    )


def _of_fields(expected: Expected, draft: Draft) -> Iterator[str]:
    contract = contract_of(expected.document)
    for name, value in expected.fields.items():
        found = draft.body.get(name)
        wanted = _typed(contract[name], value)
        if not _same(wanted, found):
            yield (
                f"{expected.document} {expected.id}: {name}:"
                f" expected {_plain(wanted)}, got {_plain(found)}"
            )


def _typed(wanted: FieldType, value: Any) -> Any:
    """An expected value in the type of its field; what cannot be is left as it is written."""
    if value is None:
        return None
    if wanted.many and isinstance(value, list):
        return [_typed(FieldType(wanted.kind, False, False, wanted.fields), each) for each in value]
    if wanted.fields and isinstance(value, dict):
        return {
            name: _typed(wanted.fields[name], each) if name in wanted.fields else each
            for name, each in value.items()
        }
    if wanted.is_reference:
        return as_text(value)
    try:
        return coercion(wanted, UTC_ZONE)(str(value) if isinstance(value, float) else value)
    except Refusal:
        return value


def _same(wanted: Any, found: Any) -> bool:
    """Whether ``found`` holds what is wanted; a text names a document of any source."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _same(value, found.get(name)) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        several = found or []
        return len(wanted) == len(several) and all(map(_same, wanted, several))
    if isinstance(found, dict) and isinstance(wanted, str):
        return bool(found.get("id") == wanted)
    return bool(wanted == found)


def _plain(value: Any) -> str:
    return "nothing" if value is None else json.dumps(to_plain(value), ensure_ascii=False)
