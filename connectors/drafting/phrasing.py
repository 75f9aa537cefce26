"""Writes the expression that takes a column's values to a contract field, as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.drafting.columns import Column
from connectors.drafting.matching import SHARES, comes_near, kind_of, read_as, says_percent
from connectors.drafting.naming import vocabulary
from connectors.mapping.contract import FieldType
from connectors.mapping.yaml_text import TODO

_PLAIN = re.compile(r"^[^\W\d][\w-]*( [\w-]+)*$")
_HUNDRED = 100
_RESERVED = frozenset({"true", "false", "null", TODO})


@dataclass(frozen=True, slots=True)
class Phrase:
    """An expression, and what is to be said of it in a comment."""

    text: str
    comment: str = ""

    def adding(self, comment: str) -> Phrase:
        """The same expression, of which something more is said."""
        return Phrase(self.text, "; ".join(filter(None, (self.comment, comment))))


def word(text: str) -> str:
    """A text as YAML has it, quoted where it would be something else."""
    plain = _PLAIN.match(text) is not None and text not in _RESERVED
    return text if plain else json.dumps(text, ensure_ascii=False)


def field_of(column: Column) -> str:
    """A column as an expression names it."""
    plain = re.match(r"^[$/]|.*[/\[\]]", column.name) is None
    return word(column.name) if plain else f"{{path: {word(column.name)}}}"


def left_open(comment: str) -> Phrase:
    """What a person has to fill in."""
    return Phrase(TODO, comment)


def phrase(
    document: str, field: str, wanted: FieldType, column: Column, order: str | None
) -> Phrase:
    """How ``column`` fills ``field`` of a document.

    Args:
        document: its type.
        field: of its contract.
        wanted: the field's type.
        column: whose values can be of that type, all or some of them.
        order: ``%m`` or ``%d``: which of the two the dates of these records write first, where a
            column shows it.
    """
    fault = read_as(column, field, wanted).fault(kind_of(field, wanted))
    if comes_near(column, field, wanted):
        return left_open(f"{field_of(column)} is called so, but {fault}")
    made = _sound(document, field, wanted, column, order)
    return made.adding(fault)


def _sound(
    document: str, field: str, wanted: FieldType, column: Column, order: str | None
) -> Phrase:
    """How it fills the field, whatever some of its values are."""
    name = field_of(column)
    if wanted.is_reference:
        return Phrase(f"{{reference: {name}}}")
    if wanted.allowed:
        return _choice(document, field, wanted, column)
    if wanted.kind in ("date", "instant"):
        return _date("date" if wanted.kind == "date" else "datetime", column, order)
    if field in SHARES:
        return _share(column)
    if wanted.kind == "decimal":
        return _decimal(column)
    if wanted.kind == "integer":
        return Phrase(f"{{integer: {name}}}")
    if wanted.many:
        several = any(";" in value for value in column.values)
        return Phrase(f'{{split: {name}, at: ";"}}' if several else f"{{list: [{name}]}}")
    return Phrase(name)


def _choice(document: str, field: str, wanted: FieldType, column: Column) -> Phrase:
    meant = {value: vocabulary().meaning(document, field, value) for value in column.distinct}
    made = chosen(column, meant, empty=wanted.optional)
    return made.adding(f"allowed: {', '.join(wanted.allowed)}" if None in meant.values() else "")


def chosen(column: Column, meant: Mapping[str, str | None], *, empty: bool) -> Phrase:
    """What each value of a column means; any other value rejects its record.

    Args:
        column: has the values.
        meant: by value what it means: None where nobody knows, empty where it says nothing.
        empty: whether a record may have no value.
    """
    pairs = [
        f"{word(value)}: {TODO if meaning is None else meaning or 'null'}"
        for value, meaning in meant.items()
    ]
    if empty and not column.filled:
        pairs.append("null: null")
    return Phrase(f"{{map: {{{', '.join(pairs)}}}, of: {field_of(column)}, otherwise: reject}}")


def _date(operator: str, column: Column, order: str | None) -> Phrase:
    name = field_of(column)
    formats = column.days or column.instants
    if not formats:
        return Phrase(f"{{{operator}: {name}}}", "no value to see how its dates are written")
    if formats == [""]:
        return Phrase(f"{{{operator}: {name}}}")
    likely = [each for each in formats if order is not None and each.startswith(order)]
    comment = ""
    if len(formats) > 1 and len(likely) == 1:
        comment = f"fits {' and '.join(formats)}; the other dates show which"
        formats = likely
    if len(formats) == 1:
        return Phrase(f'{{{operator}: {name}, format: "{formats[0]}"}}', comment)
    example = next(value for value in column.distinct if not _broken(column, "date", value))
    choices = " or ".join(f'"{each}"' for each in formats)
    return Phrase(f"{{{operator}: {name}, format: {TODO}}}", f"{example} is {choices}")


def _share(column: Column) -> Phrase:
    """A part of 1, which most write as percent: its sign, its name or its values say so."""
    said = says_percent(column)
    styles = column.bare.numbers
    if not styles:
        return _decimal(column, ", percent: true" if said else "")
    if len(styles) > 1:
        return left_open(f"how does {field_of(column)} write parts of 1, or percent?")
    numbers = [abs(one) for one in column.amounts if one is not None]
    most = max(numbers)
    fractions = any(0 < one < 1 for one in numbers)
    if most <= 1 and not said:
        return _decimal(column)
    parts_of_one = column.sign != "%" and 0 < most <= 1
    if parts_of_one or most > _HUNDRED or (fractions and not said):
        return left_open(f"percent or parts of 1? {field_of(column)} goes up to {most}")
    return _decimal(column, ", percent: true")


def _decimal(column: Column, percent: str = "") -> Phrase:
    name, bare = field_of(column), column.bare
    if column.sign and column.sign != "%":
        pattern = f"^[{column.sign}]? ?(-?[0-9][0-9.,']*) ?[{column.sign}]?$"
        name = f'{{extract: {name}, pattern: "{pattern}", otherwise: reject}}'
    styles = bare.numbers
    if len(styles) > 1:
        example = next(
            value
            for value in bare.distinct
            if ("." in value or "," in value) and not _broken(bare, "decimal", value)
        )
        comment = f'{example}: is "." or "," the decimal mark? The other one goes to group'
        return Phrase(f"{{decimal: {name}, mark: {TODO}{percent}}}", comment)
    mark, group = styles[0] if styles else (".", "")
    options = f", mark: {json.dumps(mark)}" if mark != "." or group else ""
    options += f", group: {json.dumps(group)}" if group else ""
    return Phrase(f"{{decimal: {name}{options}{percent}}}")


def _broken(column: Column, kind: str, value: str) -> bool:
    reading = column.reading(kind)
    return reading is not None and value in reading.broken
