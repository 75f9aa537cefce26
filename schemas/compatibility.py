"""Says whether a new schema may follow earlier ones, in each of Confluent's seven modes.

The comparison is Apache's, with what its package leaves out or gets wrong put beside it: see the
comments, each of which a pair of schemas in the tests bears out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from avro.compatibility import (
    CompatibleResult,
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityResult,
    SchemaCompatibilityType,
    SchemaIncompatibilityType,
    merge,
    schema_name_equals,
)
from avro.compatibility import lookup_writer_field as find_writer_field
from avro.schema import NamedSchema, RecordSchema, Schema

from schemas.parsing import LOGICAL, parse

Kind = SchemaIncompatibilityType


class Mode(StrEnum):
    """Who has to be able to read whom; TRANSITIVE: with all earlier versions, not the newest."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def backward(self) -> bool:
        """Whether the new schema must read what the earlier ones wrote."""
        return self.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        """Whether the earlier schemas must read what the new one writes."""
        return self.startswith(("FORWARD", "FULL"))

    @property
    def transitive(self) -> bool:
        """Whether all earlier versions count."""
        return self.endswith("_TRANSITIVE")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place at which a reader cannot read a writer.

    ``path`` leads to it by the names of fields: ``/lines/items/quantity``. ``kind`` is Avro's
    word for it, such as ``TYPE_MISMATCH``.
    """

    path: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """A finding between the new schema and the earlier ``version``, read by one of them."""

    version: int
    reader: str
    """``new`` or ``earlier``."""
    finding: Finding

    def __str__(self) -> str:
        who = (
            f"The new schema cannot read version {self.version}"
            if self.reader == "new"
            else f"Version {self.version} cannot read the new schema"
        )
        return f"{who}: at {self.finding.path} {self.finding.what}."


def incompatibilities(
    mode: Mode, new: str, earlier: Sequence[tuple[int, str]]
) -> tuple[Incompatibility, ...]:
    """Return what keeps ``new`` from following ``earlier``; nothing if it may.

    Args:
        mode: what has to hold.
        new: the text of the schema that is to come.
        earlier: numbers and texts of the versions there are, the oldest first.

    Raises:
        InvalidSchema: one of the texts is no schema.
    """
    schema = parse(new)
    if mode is Mode.NONE:
        return ()
    compared = earlier if mode.transitive else earlier[-1:]
    return tuple(
        found for version, text in compared for found in _between(mode, schema, version, text)
    )


def _between(mode: Mode, new: Schema, version: int, text: str) -> Iterator[Incompatibility]:
    old = parse(text)
    if mode.backward:
        yield from (Incompatibility(version, "new", one) for one in _findings(new, old))
    if mode.forward:
        yield from (Incompatibility(version, "earlier", one) for one in _findings(old, new))


def _findings(reader: Schema, writer: Schema) -> tuple[Finding, ...]:
    checker = _Checker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(reader, writer)
    if result.compatibility is SchemaCompatibilityType.compatible:
        return ()
    return tuple(sorted(cast("set[Finding]", result.messages)))


class _Checker(ReaderWriterCompatibilityChecker):
    """Apache's checker with places that belong to their messages.

    The package unites messages and places in two sets, so that nobody knows what belongs where.
    ``messages`` holds findings here instead: ``merge`` only unites them.
    """

    def calculate_compatibility(
        self, reader: Any, writer: Any, location: list[str]
    ) -> SchemaCompatibilityResult:
        units = reader.props.get(LOGICAL), writer.props.get(LOGICAL)
        if units[0] != units[1] and None not in units:
            # The package compares bytes with bytes, whatever scale or unit they have. Decimals
            # match by precision and scale (specification, Schema Resolution); that instants match
            # by unit is our own: every value would be read as another one.
            what = f"the reader has {units[0]}, the writer {units[1]}"
            return _refused(Kind.type_mismatch, what, location)
        if "union" in (reader.type, writer.type):
            return self._with_unions(reader, writer, location)
        if reader.type != writer.type:
            result = super().calculate_compatibility(reader, writer, location)
            if result.compatibility is SchemaCompatibilityType.compatible:
                return result
            what = f"the reader's {_called(reader)} cannot read the writer's {_called(writer)}"
            return _refused(Kind.type_mismatch, what, location)
        if reader.type in ("array", "map"):
            return super().calculate_compatibility(reader, writer, location)
        result = CompatibleResult
        if reader.type in ("record", "enum", "fixed") and not schema_name_equals(reader, writer):
            what = f"the reader is named {reader.fullname}, the writer {writer.fullname}"
            result = _refused(Kind.name_mismatch, what, location)
        if reader.type == "record":
            return merge(result, self.check_reader_writer_record_fields(reader, writer, location))
        own = super().calculate_compatibility(reader, writer, location)
        if Kind.missing_enum_symbols in own.incompatibilities:
            lacking = ", ".join(sorted(set(writer.symbols) - set(reader.symbols)))
            what = f"the reader lacks the symbols {lacking}, and has no default for them"
            result = merge(result, _refused(Kind.missing_enum_symbols, what, location))
        if Kind.fixed_size_mismatch in own.incompatibilities:
            what = f"the reader has {reader.size} bytes, the writer {writer.size}"
            result = merge(result, _refused(Kind.fixed_size_mismatch, what, location))
        return result

    def check_reader_writer_record_fields(
        self, reader: RecordSchema, writer: RecordSchema, location: list[str]
    ) -> SchemaCompatibilityResult:
        result = CompatibleResult
        for field in cast("Sequence[Any]", reader.fields):
            written = cast(Any, find_writer_field(writer, field))
            if written is not None:
                inner = self.get_compatibility(field.type, written.type, field.name, location)
                result = merge(result, inner)
            elif not field.has_default:
                # The default of an enum stands in for symbols, not for a field that is missing:
                # the package compares the enum with the record here, and blames their types.
                what = "the writer lacks the field, and the reader has no default for it"
                place = [*location, field.name]
                missing = _refused(Kind.reader_field_missing_default_value, what, place)
                result = merge(result, missing)
        return result

    def _with_unions(
        self, reader: Any, writer: Any, location: list[str]
    ) -> SchemaCompatibilityResult:
        """The package loses the place on its way into a union."""
        if writer.type == "union":
            result = CompatibleResult
            for branch in writer.schemas:
                result = merge(result, self.get_compatibility(reader, branch, "", location))
            return result
        tried = [
            (branch, self.get_compatibility(branch, writer, "", location))
            for branch in reader.schemas
        ]
        if any(one.compatibility is SchemaCompatibilityType.compatible for _, one in tried):
            return CompatibleResult
        alike = [
            one
            for branch, one in tried
            if branch.type == writer.type
            and (not isinstance(branch, NamedSchema) or schema_name_equals(branch, writer))
        ]
        if alike:
            return alike[0]
        what = f"the reader's union has no branch for the writer's {_called(writer)}"
        return _refused(Kind.missing_union_branch, what, location)


def _refused(kind: Kind, what: str, location: list[str]) -> SchemaCompatibilityResult:
    path = "/" + "/".join(part for part in location if part not in ("", "/"))
    finding = Finding(path, kind.value.upper(), what)
    return SchemaCompatibilityResult(
        SchemaCompatibilityType.incompatible, [kind], cast("set[str]", {finding}), {path}
    )


def _called(schema: Any) -> str:
    named = isinstance(schema, NamedSchema)
    return f"{schema.type} {schema.fullname}" if named else str(schema.type)
