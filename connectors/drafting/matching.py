"""Finds the column that fills a contract field: by its name, if its values can be of the type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.drafting.columns import Column
from connectors.drafting.naming import (
    ENOUGH,
    WHOLE,
    is_party,
    likeness,
    names_percent,
    says_beside,
    says_paid,
    says_part,
    vocabulary,
    without_document,
)
from connectors.mapping.contract import FieldType, contract_of

_AMOUNTS = frozenset({"net", "gross", "net_amount", "gross_amount", "amount"})
#: Parts of 1, which sources write as percent too.
SHARES = frozenset({"probability"})
#: A code of a company has no more signs than this.
_LONGEST_CODE = 8


def kind_of(field: str, wanted: FieldType) -> str:
    """The kind of values that a field takes."""
    if field in ("currency", "base"):
        return "currency"
    return "choice" if wanted.allowed else wanted.kind


def read_as(column: Column, field: str, wanted: FieldType) -> Column:
    """The column as a field reads it: of numbers with a sign that fits the field, the numbers."""
    fits = wanted.kind == "decimal" and (column.sign == "%") == (field in SHARES)
    return column.bare if fits else column


def can_hold(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether nearly all values of a column can be of a field's type; an empty one can be all."""
    if not column.values:
        return True
    kind = kind_of(field, wanted)
    if kind == "choice":
        return column.few
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = read_as(column, field, wanted).reading(kind)
    if reading is not None:
        return reading.nearly_all
    return not column.instants and (not column.days or column.days == ["%Y%m%d"])


def comes_near(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether some values are of the field's type, but too few to take the column for it."""
    kind = kind_of(field, wanted)
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = read_as(column, field, wanted).reading(kind)
    return reading is not None and bool(reading.ways) and not reading.nearly_all


def matched(
    document: str, fields: Mapping[str, FieldType], columns: Sequence[Column]
) -> dict[str, Column]:
    """The columns that fill ``fields``, best names first; each fills one field.

    One that comes near is among them: a person decides, not a column with a poorer name.
    """
    pairs = sorted(
        (
            (score, -place, name, column)
            for name, wanted in fields.items()
            for place, column in enumerate(columns)
            if (score := _score(document, name, column, columns)) >= ENOUGH
            and (can_hold(column, name, wanted) or comes_near(column, name, wanted))
        ),
        key=lambda pair: pair[:3],
        reverse=True,
    )
    found: dict[str, Column] = {}
    taken: set[str] = set()
    for _, _, name, column in pairs:
        if name not in found and column.name not in taken:
            found[name] = column
            taken.add(column.name)
    return found


def fitting(
    document: str, field: str, wanted: FieldType, columns: Sequence[Column]
) -> list[Column]:
    """The columns that may fill a field, best names first."""
    scores = {column.name: _score(document, field, column, columns) for column in columns}
    fits = [one for one in columns if scores[one.name] >= ENOUGH and can_hold(one, field, wanted)]
    return sorted(fits, key=lambda one: -scores[one.name])


def _score(document: str, field: str, column: Column, columns: Sequence[Column]) -> float:
    """How well the name of a column fits a field of a document, seen beside the other columns."""
    names = vocabulary().names_of(document, field)
    own = without_document(column.name, document)
    others = _parties(document)
    if field in _AMOUNTS and not _may_be_amount(column, document):
        return 0.0
    if (document, field) == ("payment", "amount") and says_paid(column.name):
        # The amount of the invoice beside it is called so too.
        return 1.0
    if field == "company" and others:
        if not is_party(own):
            return likeness(column.name, names)
        codes = _like_codes(column) and _another_party(document, column, columns)
        return likeness(own, names) if codes else 0.0
    best = max(likeness(column.name, names), likeness(own, names) - 0.01)
    if field in others and is_party(own):
        # Any other name of the other side goes before this one.
        return max(best, WHOLE)
    return best


def _may_be_amount(column: Column, document: str) -> bool:
    """Whether a name does not say another amount, or percent."""
    paid = document == "payment"
    if says_part(column.name, paid) or says_beside(column.name) or says_percent(column):
        return False
    flags = says_paid(column.name) and set(column.distinct) <= {"0", "1"}
    return not (paid and flags and column.values)


def _parties(document: str) -> tuple[str, ...]:
    """The fields of a document that say who the other side is."""
    if document == "customer":
        return ("id", "name")
    return tuple(name for name in ("customer", "organisation") if name in contract_of(document))


def _like_codes(column: Column) -> bool:
    """Whether the values are short, few and repeated, as the codes of our own companies are."""
    short = all(len(value) <= _LONGEST_CODE for value in column.distinct)
    return short and column.few and not column.wordy and len(column.distinct) < len(column.values)


def _another_party(document: str, column: Column, columns: Sequence[Column]) -> bool:
    """Whether another column gives the other side of the document."""
    return any(
        likeness(other.name, vocabulary().names_of(document, field)) > WHOLE
        for field in _parties(document)
        for other in columns
        if other.name != column.name
    )


def says_percent(column: Column) -> bool:
    """Whether the sign or the name of a column says percent."""
    return column.sign == "%" or names_percent(column.name)
